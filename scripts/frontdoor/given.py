"""What `make VERB NAME=value ...` hands over, as the words of a command line.

Make exports the variables of its command line to what it runs; the Makefile adds their names (DEMAND_GIVEN) and the
verbs that were asked for (DEMAND_GOALS). `--holdout-months 3` is `HOLDOUT_MONTHS=3`, a flag is `STRICT=1`, several
values are split as a shell does.
"""

import difflib
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from typer.core import TyperArgument, TyperCommand, TyperOption

from amlspec.errors import UserError
from frontdoor import site

# What is about the machine or the environment, and not about one verb. Programs read the first kind from the
# environment; the names of a site are in infra/outputs.
PASSED_ON = re.compile(r"(LOCALML|ARM|TF|SNOWFLAKE|AZURE|AZ|MLFLOW|DBT|PYTEST|UV|PIP|OMP|OPENBLAS|DEMAND)(_|$)")
OF_MACHINE = frozenset({"ENV", "VENV", "PYTHON", "CI"})
YES, NO = ("1", "yes", "true"), ("", "0", "no", "false")


def words(command: TyperCommand, goals: Sequence[TyperCommand], variables: Mapping[str, str]) -> list[str]:
    """The words of one verb.

    Args:
        command: the verb.
        goals: every verb of this call of make: what one takes, the others let pass.
        variables: name -> value of what was given.

    Raises:
        UserError: a name that no verb of the call takes, or a value that a flag cannot have.
    """
    options = of(command)
    known = {name for each in [command, *goals] for name in of(each)}
    made: list[str] = []
    for name, value in variables.items():
        if name in options:
            made += _words(name, options[name], value)
        elif name not in known and not is_of_machine(name):
            raise UserError(_unknown(name, command, known))
    return made


def of(command: TyperCommand) -> dict[str, TyperOption | TyperArgument]:
    """A verb's options by the names of their variables."""
    listed = [each for each in command.params if isinstance(each, TyperOption | TyperArgument)]
    return {variable(each): each for each in listed if each.name and each.name != "help"}


def variable(parameter: TyperOption | TyperArgument) -> str:
    """What make calls an option."""
    longest = max((word for word in parameter.opts), key=len)
    return longest.lstrip("-").upper().replace("-", "_")


def is_of_machine(name: str) -> bool:
    """Whether a variable may be given to any verb."""
    return name in OF_MACHINE or bool(PASSED_ON.match(name)) or name in site.NAMES


def _words(name: str, option: TyperOption | TyperArgument, value: str) -> Iterator[str]:
    word = max(option.opts, key=len)
    if isinstance(option, TyperOption) and option.is_flag:
        if value.lower() in YES:
            yield word
        elif value.lower() not in NO:
            raise UserError(f"{name}={value}: give 1, or leave it out")
    elif isinstance(option, TyperArgument):
        yield from shlex.split(value)
    elif value:
        values = shlex.split(value) if option.multiple else [value]
        yield from (f"{word}={each}" for each in values)


def _unknown(name: str, command: TyperCommand, known: set[str]) -> str:
    near = difflib.get_close_matches(name.upper(), known | OF_MACHINE, 1, 0.6)
    hint = f"did you mean {near[0]}?" if near else f"`./demand {command.name} --help` says what it takes"
    return f"{name} is not a variable of make {command.name}: {hint}"

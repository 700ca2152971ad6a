"""The program: its groups, how a verb is added, how one ends."""

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Annotated, TypeVar

import typer

# typer carries a click of its own, and names these two nowhere else.
from typer._click.exceptions import ClickException
from typer.core import TyperCommand, TyperGroup

from amlspec.errors import UserError
from demand.errors import StepError
from demand.steps import STEP_ERROR_EXIT
from frontdoor import given, site

JOB, SERVING, DATA = "Main job", "Serving", "Warehouse and data"
CHECKS, AUTOMATION = "Checks", "Automation"
INFRASTRUCTURE, SETUP = "Infrastructure", "Set-up"
MODULES = ("jobs", "pages", "serving", "provenance_verbs", "data", "quality", "automation", "infrastructure", "machine")
Function = TypeVar("Function", bound=Callable[..., int | None])

app = typer.Typer(
    help="GloboJava's monthly demand forecast. Every verb works on this machine; --env dev or --env prod on Azure ML.",
    epilog="`make VERB OPTION=value` calls the same verbs.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


Env = Annotated[str, typer.Option(envvar="ENV", help="local, dev or prod; it may stand after the verb, too")]


@app.callback()
def _environment(env: Env = "local") -> None:
    site.enter()


def verb(group: str = "", *examples: str, hidden: bool = False, raw: bool = False) -> Callable[[Function], Function]:
    """Adds a function as a verb; its parameters are the options, its value the exit code. `raw` takes any words."""

    def add(function: Function) -> Function:
        name = function.__name__.removesuffix("_verb").replace("_", "-")
        text = (function.__doc__ or "").strip()
        shown = "\n\n".join([text, *(f"[dim]{each}[/dim]" for each in examples)])
        settings = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []} if raw else {}
        add_to = app.command(
            name, help=shown, short_help=text, rich_help_panel=group or None, hidden=hidden, context_settings=settings
        )
        add_to(function)
        return function

    return add


def load() -> None:
    """Have every module add its verbs, in the order of the help."""
    for name in MODULES:
        import_module(f"frontdoor.{name}")


def commands() -> dict[str, TyperCommand]:
    """Every verb by its name."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)  # noqa: S101 - what typer makes of more than one command
    return {name: each for name, each in group.commands.items() if isinstance(each, TyperCommand)}


def main(argv: Sequence[str]) -> int:
    """Run one verb; its exit code, 2 after a mistake of the user, with one line on stderr."""
    load()
    try:
        words = _with_env_first(_from_make(list(argv)))
        return int(app(words, prog_name="demand", standalone_mode=False) or 0)
    except typer.Exit as error:
        return error.exit_code
    except typer.Abort:
        return 130
    except ClickException as error:
        return _failed(error.format_message().rstrip(".") + _where_to_look(error), error.exit_code)
    except UserError as error:
        return _failed(str(error), error.exit_code)
    except StepError as error:  # contract and connection are read as the steps read them
        return _failed(str(error), STEP_ERROR_EXIT)


def _where_to_look(error: ClickException) -> str:
    context = getattr(error, "ctx", None)
    of_verb = f" {context.info_name}" if context is not None and context.parent else ""
    return f"; `./demand{of_verb} --help` lists them" if "No such" in error.format_message() else ""


def _failed(message: str, code: int) -> int:
    sys.stdout.flush()
    sys.stderr.write(f"error: {message}\n")
    return code


def _with_env_first(words: list[str]) -> list[str]:
    """--env may stand anywhere, as ENV= may for make. Raises UserError for another environment."""
    for place, word in enumerate(words):
        if word == "--env" and place + 1 < len(words):
            os.environ["ENV"] = words[place + 1]
            del words[place : place + 2]
            break
        if word.startswith("--env="):
            os.environ["ENV"] = word.partition("=")[2]
            del words[place]
            break
    site.env()
    return words


def _from_make(words: list[str]) -> list[str]:
    """The words of a call by make (`demand VERB --from-make`), whose variables are the options."""
    if words[1:] != ["--from-make"]:
        return words
    known = commands()
    if words[0] not in known:  # a verb that make does not know either
        return words[:1]
    goals = [known[name] for name in os.environ.get("DEMAND_GOALS", "").split() if name in known]
    variables = {name: os.environ.get(name, "") for name in os.environ.get("DEMAND_GIVEN", "").split()}
    return [words[0], *given.words(known[words[0]], goals, variables)]

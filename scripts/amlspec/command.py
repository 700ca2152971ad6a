"""The command of a component: its words, the program that it runs, its flags one a line."""

import re
import shlex
from dataclasses import dataclass

from amlspec.bindings import bindings

# Shell syntax whose line breaks carry meaning, or quotes whose blanks do: such a command stays as it is.
_SHELL = re.compile(r"[|;<>&\"'\\`]|\$\(")


@dataclass(frozen=True)
class Program:
    """What `python` runs: a module, and the script where it was started as a file."""

    module: str
    script: str | None = None


def words(command: str) -> list[str]:
    """Words of a command; a binding is one word, whatever blanks it holds."""
    text = command
    for binding in bindings(command):
        text = text.replace(binding.text, binding.text.replace(" ", ""))
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def program_of(command: object) -> Program | None:
    """`forecasting.train`.of `python -m demand.train --x`; a script `train.py` counts as `train`."""
    given = words(command) if isinstance(command, str) else []
    for index, word in enumerate(given[:-1]):
        if not word.rsplit("/", 1)[-1].startswith("python"):
            continue
        after = given[index + 1]
        if after == "-m" and index + 2 < len(given):
            return Program(given[index + 2])
        if after.endswith(".py"):
            return Program(after.removesuffix(".py").replace("/", "."), after)
    return None


def flags(command: str) -> list[str]:
    """The program with its arguments, then one piece a flag: `--seed ${{inputs.seed}}`, `$[[--note x]]`."""
    pieces: list[str] = []
    for word in command.split():
        inside = bool(pieces) and pieces[-1].startswith("$[[") and "]]" not in pieces[-1]
        if pieces and (inside or not word.startswith(("--", "$[["))):
            pieces[-1] += f" {word}"
        else:
            pieces.append(word)
    return pieces


def lines_of(command: str) -> list[str] | None:
    """Lines of the folded block; None where the command has no flags or is more than one plain program."""
    pieces = flags(command)
    if len(pieces) < 2 or command != " ".join(command.split()) or _SHELL.search(command):
        return None
    return pieces

"""A command as its program and one flag a line."""

import re

# Shell syntax whose line breaks carry meaning, or quotes whose blanks do: such a command stays as it is.
_SHELL = re.compile(r"[|;<>&\"'\\`]|\$\(")


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

"""Expressions of specs: `${{inputs.x}}`, `$[[...]]`, `${{parent.inputs.x}}`, `${{parent.jobs.a.outputs.b}}`."""

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

_EXPRESSION = re.compile(r"\$\{\{\s*([^{}]*?)\s*\}\}")
_OPTIONAL = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)
_PARENT_PUT = re.compile(r"parent\.(inputs|outputs)\.(\w+)")
_PARENT_JOB = re.compile(r"parent\.jobs\.(\w+)\.outputs\.(\w+)")

Value = str | bool | int | float | Path


@dataclass(frozen=True)
class FromParent:
    """A binding to the pipeline's own input or output."""

    side: str
    name: str


@dataclass(frozen=True)
class FromJob:
    """A binding to an output of another step."""

    job: str
    output: str


def binding(text: object) -> FromParent | FromJob | None:
    """The binding that a node's input or output holds, None for a literal. Raises ValueError for anything else."""
    if not isinstance(text, str) or not (match := _EXPRESSION.fullmatch(text.strip())):
        return None
    if put := _PARENT_PUT.fullmatch(match[1]):
        return FromParent(put[1], put[2])
    if job := _PARENT_JOB.fullmatch(match[1]):
        return FromJob(job[1], job[2])
    raise ValueError(f"{text} is not a binding: write ${{{{parent.inputs.x}}}} or ${{{{parent.jobs.step.outputs.x}}}}")


def found(text: str) -> list[str]:
    """What stands in the expressions of a text."""
    return _EXPRESSION.findall(text)


def filled(text: str, value: Callable[[str], str]) -> str:
    """`text` with `value` of each expression in its place."""
    return _EXPRESSION.sub(lambda match: value(match[1]), text)


def render(command: str, inputs: Mapping[str, Value | None], outputs: Mapping[str, Path]) -> str:
    """The shell command of a step. An input that is None is an optional one without a value.

    Raises ValueError for an expression that names nothing, or an absent optional input outside `$[[ ]]`.
    """

    def keep(match: re.Match[str]) -> str:
        names = [name.removeprefix("inputs.") for name in _EXPRESSION.findall(match[1])]
        return match[1] if all(inputs.get(name) is not None for name in names) else ""

    text = _OPTIONAL.sub(keep, command)
    return _EXPRESSION.sub(lambda match: _quoted(match, text, _lookup(inputs, outputs)), text)


def _lookup(inputs: Mapping[str, Value | None], outputs: Mapping[str, Path]) -> Callable[[str], Value]:
    def value(expression: str) -> Value:
        side, _, name = expression.partition(".")
        found: Value | None = {"inputs": inputs, "outputs": outputs}.get(side, {}).get(name)
        if found is None:
            raise ValueError(f"${{{{{expression}}}}} in the command names nothing that has a value")
        return found

    return value


def _quoted(match: re.Match[str], text: str, lookup: Callable[[str], Value]) -> str:
    """Literals stand as they are, as on Azure ML. A local path is quoted, since a folder here may hold a space."""
    found = lookup(match[1])
    in_quotes = match.start() > 0 and text[match.start() - 1] in "'\""
    return shlex.quote(str(found)) if isinstance(found, Path) and not in_quotes else str(found)

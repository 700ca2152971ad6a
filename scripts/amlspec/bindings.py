"""The grammar of `${{...}}` and `$[[...]]`, once: found in a text, parsed, and rendered into a step's command."""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_BINDING = re.compile(r"\$\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_OPTIONAL = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)
_SEVERAL = re.compile(r"\$\{\{.*\}\}.*\$\{\{.*\}\}", re.DOTALL)
_PARENT_PORT = re.compile(r"parent\.(inputs|outputs)\.(\w+)")
_PARENT_JOB = re.compile(r"parent\.jobs\.(\w+)\.outputs\.(\w+)")
# What someone wrote who meant a binding: one brace short, no dollar, shell or template style.
_SLIP = re.compile(
    r"\$?\{\{?\s*(?:inputs|outputs|parent)\.[\w.]+\s*\}?\}?|\$\(\s*(?:inputs|outputs|parent)\.[\w.]+\s*\)"
)

Value = str | bool | int | float | Path


@dataclass(frozen=True)
class Binding:
    """One expression: its dotted parts, its text, and whether it stands inside `$[[ ]]`."""

    parts: tuple[str, ...]
    text: str
    optional: bool

    @property
    def scope(self) -> str:
        return self.parts[0] if self.parts else ""


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


def bindings(text: str) -> Iterator[Binding]:
    """Every `${{...}}` of a text, in order."""
    spans = [match.span() for match in _OPTIONAL.finditer(text)]
    for match in _BINDING.finditer(text):
        inside = any(start <= match.start() < end for start, end in spans)
        yield Binding(tuple(match[1].split(".")), match[0], inside)


def optional_blocks(text: str) -> Iterator[str]:
    """Content of every `$[[...]]`."""
    return (match[1] for match in _OPTIONAL.finditer(text))


def slips(text: str) -> Iterator[str]:
    """What looks like a binding and is none, such as `${inputs.x}` or `{{inputs.x}}`."""
    rest = _BINDING.sub("", text)
    return (match[0] for match in _SLIP.finditer(rest))


def unclosed(text: str) -> bool:
    """Whether a `$[[` has no `]]`."""
    return "$[[" in _OPTIONAL.sub("", text)


def sole(text: object) -> Binding | None:
    """The binding, if the value is one binding and nothing else."""
    if not isinstance(text, str):
        return None
    match = _BINDING.fullmatch(text.strip())
    # `${{a}}-${{b}}` begins and ends like one.
    return Binding(tuple(match[1].split(".")), text, False) if match and "${{" not in match[1] else None


def mixed_problem(text: object) -> str | None:
    """What is wrong with an input that holds bindings among other text, or None.

    azure-ai-ml sends such an input as a literal (`process_sdk_component_job_io` takes a value for a binding only where
    it is nothing else), and the service fills in what has a value before the job starts: inputs of the pipeline. A text
    that begins and ends with a binding it takes for one (`is_data_binding_expression`): in a step with a command of its
    own it then finds no such input, in one with a component it leaves that to the service. Both are refused here.
    """
    if not isinstance(text, str) or sole(text) is not None:
        return None
    if _SEVERAL.fullmatch(text):
        return f"{text} is taken for one binding by azure-ai-ml: put text before the first or after the last"
    return _fill_problem(text)


def _fill_problem(text: str) -> str | None:
    wrong = next((each for each in bindings(text) if not _is_input(each)), None)
    return f"{wrong.text} in a text: only ${{{{parent.inputs.<name>}}}} with a value is filled in" if wrong else None


def _is_input(binding: Binding) -> bool:
    return binding.parts[:2] == ("parent", "inputs") and len(binding.parts) == 3


def filled(text: str, value: Callable[[str], Value]) -> str:
    """A text with bindings in it, each replaced by `value` of the pipeline's input that it names.

    Raises ValueError for any other binding.
    """
    if problem := _fill_problem(text):
        raise ValueError(problem)
    return _BINDING.sub(lambda match: str(value(match[1].removeprefix("parent.inputs."))), text)


def binding_of(text: object) -> FromParent | FromJob | None:
    """The binding that a node's input or output holds, None for a literal. Raises ValueError for anything else."""
    if (expression := sole(text)) is None:
        return None
    inside = ".".join(expression.parts)
    if port := _PARENT_PORT.fullmatch(inside):
        return FromParent(port[1], port[2])
    if job := _PARENT_JOB.fullmatch(inside):
        return FromJob(job[1], job[2])
    raise ValueError(f"{text} is not a binding: write ${{{{parent.inputs.x}}}} or ${{{{parent.jobs.step.outputs.x}}}}")


def render(command: str, inputs: Mapping[str, Value | None], outputs: Mapping[str, Path]) -> str:
    """The shell command of a step. An input that is None is an optional one without a value.

    Raises ValueError for an expression that names nothing, or an absent optional input outside `$[[ ]]`.
    """

    def keep(match: re.Match[str]) -> str:
        names = [name.removeprefix("inputs.") for name in _BINDING.findall(match[1])]
        return match[1] if all(inputs.get(name) is not None for name in names) else ""

    text = _OPTIONAL.sub(keep, command)
    return _BINDING.sub(lambda match: _quoted(match, text, _lookup(inputs, outputs)), text)


def _lookup(inputs: Mapping[str, Value | None], outputs: Mapping[str, Path]) -> Callable[[str], Value]:
    def value(expression: str) -> Value:
        side, _, name = expression.partition(".")
        known: Value | None = {"inputs": inputs, "outputs": outputs}.get(side, {}).get(name)
        if known is None:
            raise ValueError(f"${{{{{expression}}}}} in the command names nothing that has a value")
        return known

    return value


def _quoted(match: re.Match[str], text: str, lookup: Callable[[str], Value]) -> str:
    """Literals stand as they are, as on Azure ML. A local path is quoted, since a folder here may hold a space."""
    value = lookup(match[1])
    in_quotes = match.start() > 0 and text[match.start() - 1] in "'\""
    return shlex.quote(str(value)) if isinstance(value, Path) and not in_quotes else str(value)

"""The `${{...}}` and `$[[...]]` expressions of Azure ML."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_BINDING = re.compile(r"\$\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_OPTIONAL = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)
# What someone wrote who meant a binding: one brace short, no dollar, shell or template style.
_SLIP = re.compile(
    r"\$?\{\{?\s*(?:inputs|outputs|parent)\.[\w.]+\s*\}?\}?|\$\(\s*(?:inputs|outputs|parent)\.[\w.]+\s*\)"
)


@dataclass(frozen=True)
class Binding:
    """One expression: its dotted parts, its text, and whether it stands inside `$[[ ]]`."""

    parts: tuple[str, ...]
    text: str
    optional: bool

    @property
    def scope(self) -> str:
        return self.parts[0] if self.parts else ""


def bindings(text: str) -> Iterator[Binding]:
    """Every `${{...}}` of a text, in order."""
    spans = [match.span() for match in _OPTIONAL.finditer(text)]
    for match in _BINDING.finditer(text):
        inside = any(start <= match.start() < end for start, end in spans)
        yield Binding(tuple(match.group(1).split(".")), match.group(0), inside)


def optional_blocks(text: str) -> Iterator[str]:
    """Content of every `$[[...]]`."""
    return (match.group(1) for match in _OPTIONAL.finditer(text))


def slips(text: str) -> Iterator[str]:
    """What looks like a binding and is none, such as `${inputs.x}` or `{{inputs.x}}`."""
    rest = _BINDING.sub("", text)
    return (match.group(0) for match in _SLIP.finditer(rest))


def unclosed(text: str) -> bool:
    """Whether a `$[[` has no `]]`."""
    return "$[[" in _OPTIONAL.sub("", text)


def sole(text: object) -> Binding | None:
    """The binding, if the value is one binding and nothing else."""
    if not isinstance(text, str):
        return None
    match = _BINDING.fullmatch(text.strip())
    return Binding(tuple(match.group(1).split(".")), text, False) if match else None

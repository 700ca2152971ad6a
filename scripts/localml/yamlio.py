"""YAML with positions: data as PyYAML's safe loader gives it, and the line of every key and item."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from localml.errors import UserError

try:  # libyaml is about eight times faster and part of every PyYAML wheel.
    from yaml import CSafeLoader as _Loader
except ImportError:  # pragma: no cover - a PyYAML built without libyaml
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

Key = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """One YAML file: its mapping and the line (from 1) on which each key or item stands."""

    path: Path
    data: dict[str, Any]
    lines: dict[Key, int]

    def where(self, *key: str | int) -> str:
        """`path:line` of a key, or of the nearest parent that the file has."""
        while key and key not in self.lines:
            key = key[:-1]
        return f"{display(self.path)}:{self.lines.get(key, 1)}"


def display(path: Path) -> str:
    """A path as a person would type it: relative to the current folder where it lies below it."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def load(path: Path) -> Document:
    """Read one YAML mapping. Raises UserError with file:line for anything else."""
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=_Loader)
        data = yaml.load(text, Loader=_Loader)
    except FileNotFoundError:
        raise UserError(f"{display(path)}: no such file") from None
    except IsADirectoryError:
        raise UserError(f"{display(path)}: a folder, not a YAML file") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{display(path)}: not UTF-8 text (byte {error.start})") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UserError(f"{display(path)}:{line}: not valid YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise UserError(f"{display(path)}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(data, dict):
        raise UserError(f"{display(path)}:1: a spec is a mapping of fields, this is a {type(data).__name__}")
    return Document(path, data, dict(_lines(node, ())))


def _lines(node: yaml.Node | None, key: Key) -> Iterator[tuple[Key, int]]:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            child = (*key, str(name.value))
            yield child, name.start_mark.line + 1
            yield from _lines(value, child)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*key, index), value.start_mark.line + 1
            yield from _lines(value, (*key, index))

"""One YAML file as plain data, with the line that every key stands on."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from amlspec.errors import UserError
from amlspec.finding import Finding

Key = str | int
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class NotYamlError(ValueError):
    """The text does not parse, or is not a mapping; `line` says where."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Document:
    """A parsed file: `shown` is the path that findings print, `lines` maps a key's path to its 1-based line."""

    path: Path
    data: dict[str, Any]
    lines: Mapping[tuple[Key, ...], int]
    shown: str = ""
    text: tuple[str, ...] = ()

    def where(self, *keys: Key) -> str:
        """`path:line` of a key, or of the nearest of its parents that exists, for an error of one line."""
        return f"{display(self.path)}:{self.line(*keys)}"

    def known(self, *keys: Key) -> tuple[Key, ...]:
        """The longest part of a key path that exists."""
        while keys and keys not in self.lines:
            keys = keys[:-1]
        return keys

    def line(self, *keys: Key) -> int:
        """Line of the key, or of the nearest of its parents that exists."""
        return self.lines.get(self.known(*keys), 1)

    def get(self, *keys: Key) -> Any:
        """Value at a key path, or None where any part of the path is missing."""
        value: Any = self.data
        for key in keys:
            if isinstance(value, dict):
                value = value.get(key)
            elif isinstance(value, list) and isinstance(key, int) and key < len(value):
                value = value[key]
            else:
                return None
        return value

    def table(self, *keys: Key) -> dict[str, Any]:
        """Mapping at a key path; empty where there is none. The loaders report a value of another shape."""
        value = self.get(*keys)
        return value if isinstance(value, dict) else {}

    def find(self, message: str, *keys: Key, rule: str = "") -> Finding:
        """A finding at a key."""
        return Finding(self.shown, self.line(*keys), message, rule)

    def find_text(self, message: str, wanted: str, *keys: Key) -> Finding:
        """A finding at the first line, from the key on, that holds the wanted text (block scalars span lines)."""
        start = self.line(*keys)
        pattern = re.compile(rf"(?<![\w-]){re.escape(wanted)}(?![\w-])")
        for number in range(start, self.end(*keys) + 1):
            if pattern.search(self.text[number - 1]):
                return Finding(self.shown, number, message)
        return Finding(self.shown, start, message)

    def end(self, *keys: Key) -> int:
        """Last line of a key's value: the line before the next key that is not below it."""
        start = self.line(*keys)
        after = [n for path, n in self.lines.items() if n > start and path[: len(keys)] != keys]
        return min(after, default=len(self.text) + 1) - 1

    def strings(self, *keys: Key) -> Iterator[tuple[tuple[Key, ...], str]]:
        """Every string at or below a key, with its path, in the file's order."""
        value = self.get(*keys) if keys else self.data
        if isinstance(value, str):
            yield keys, value
        elif isinstance(value, dict):
            for key in value:
                yield from self.strings(*keys, key)
        elif isinstance(value, list):
            for index in range(len(value)):
                yield from self.strings(*keys, index)


def display(path: Path) -> str:
    """A path as a person would type it: relative to the current folder where it lies below it."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def read_document(path: Path) -> Document:
    """Read one file. Raises UserError with file:line for what is not a mapping in YAML."""
    shown = display(path)
    try:
        return parse(path, shown)
    except NotYamlError as error:
        raise UserError(f"{shown}:{error.line}: {error}") from None
    except FileNotFoundError:
        raise UserError(f"{shown}: no such file") from None
    except IsADirectoryError:
        raise UserError(f"{shown}: a folder, not a YAML file") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{shown}: not UTF-8 text (byte {error.start})") from None


def parse(path: Path, shown: str, text: str | None = None) -> Document:
    """Parse one file (or the given text in its stead). Raises NotYamlError with the line of the fault."""
    source = path.read_text(encoding="utf-8") if text is None else text
    try:
        loader = _Loader(source)
        node = loader.get_single_node()
        data = loader.construct_document(node) if node is not None else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise NotYamlError(f"not valid YAML: {problem}", mark.line + 1 if mark else 1) from error
    except ValueError as error:  # 2024-99-99 looks like a date and is none
        raise NotYamlError(f"not valid YAML: {error}", 1) from error
    if not isinstance(data, dict):
        raise NotYamlError("not a spec: the file must hold one mapping of keys to values", 1)
    try:
        lines = dict(_lines(node, ())) if node is not None else {}
    except RecursionError:
        raise NotYamlError("an alias (*name) stands inside of what it names", 1) from None
    return Document(path, data, lines, shown, tuple(source.splitlines()))


def _lines(node: yaml.Node, path: tuple[Key, ...]) -> Iterator[tuple[tuple[Key, ...], int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = str(key.value)
            yield (*path, name), key.start_mark.line + 1
            yield from _lines(value, (*path, name))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield (*path, index), item.start_mark.line + 1
            yield from _lines(item, (*path, index))

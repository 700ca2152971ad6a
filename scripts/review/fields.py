"""Differences of two specs, field by field, old and new; formatting and key order are none."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_ABSENT = object()


@dataclass(frozen=True)
class FieldChange:
    """`path` as a.b.c; None stands for a side that has no such field."""

    path: str
    old: str | None
    new: str | None

    @property
    def leaf(self) -> str:
        return self.path.rsplit(".", 1)[-1]

    def __str__(self) -> str:
        if self.old is None:
            return f"{self.path}: added {self.new}"
        if self.new is None:
            return f"{self.path}: removed {self.old}"
        return f"{self.path}: {self.old} → {self.new}"


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[FieldChange]:
    """Changed fields in the order of the new spec, removed ones behind."""
    return list(_compare("", old, new))


def _compare(path: str, old: Any, new: Any) -> Iterator[FieldChange]:
    old, new = _by_name(old), _by_name(new)
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*new, *(key for key in old if key not in new)]:
            yield from _compare(f"{path}.{key}" if path else str(key), old.get(key, _ABSENT), new.get(key, _ABSENT))
    elif old is _ABSENT and isinstance(new, dict) and _is_deep(new):
        yield from _compare(path, {}, new)
    elif new is _ABSENT and isinstance(old, dict) and _is_deep(old):
        yield from _compare(path, old, {})
    elif path.rsplit(".", 1)[-1] == "command" and isinstance(old, str) and isinstance(new, str):
        yield from _compare_commands(path, old, new)
    elif old is _ABSENT or new is _ABSENT or old != new or type(old) is not type(new):
        yield FieldChange(path, _shown(old), _shown(new))


def _is_deep(value: dict[str, Any]) -> bool:
    """A mapping of mappings is told entry by entry, a flat one in one line."""
    return any(isinstance(item, dict) for item in value.values())


def _by_name(value: Any) -> Any:
    """A list of named things, such as a contract's columns, by name."""
    if isinstance(value, list) and value and all(isinstance(item, dict) and "name" in item for item in value):
        return {str(item["name"]): {k: v for k, v in item.items() if k != "name"} for item in value}
    return value


def _shown(value: Any) -> str | None:
    if value is _ABSENT:
        return None
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "empty"}[value]
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_shown(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(str(_shown(item)) for item in value) + "]"
    text = " ".join(str(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."


def flags(command: str) -> list[str]:
    """A command as its program and one piece a flag: `--seed ${{inputs.seed}}`, `$[[--note x]]`."""
    pieces: list[str] = []
    for word in command.split():
        starts = word.startswith(("--", "$[["))
        inside = bool(pieces) and pieces[-1].startswith("$[[") and not pieces[-1].endswith("]]")
        if pieces and (inside or not starts):
            pieces[-1] += f" {word}"
        else:
            pieces.append(word)
    return pieces


def _compare_commands(path: str, old: str, new: str) -> Iterator[FieldChange]:
    before, after = flags(old), flags(new)
    if before == after:
        return
    gone = [piece for piece in before if piece not in after]
    come = [piece for piece in after if piece not in before]
    if not gone and not come:
        yield FieldChange(path, "flags in another order", "the same flags")
    for piece in gone:
        yield FieldChange(path, piece, None)
    for piece in come:
        yield FieldChange(path, None, piece)

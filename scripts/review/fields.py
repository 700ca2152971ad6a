"""Differences of two specs, field by field, old and new; formatting and key order are none."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from amlspec.command import flags

_ABSENT = object()
_LONG = 80


@dataclass(frozen=True)
class FieldChange:
    """`path` as a.b.c; None stands for a side that has no such field; `inside` are the keys of a flat mapping."""

    path: str
    old: str | None
    new: str | None
    inside: tuple[str, ...] = ()

    @property
    def paths(self) -> list[str]:
        """Every path that changed: a flat mapping that came or went is one change of several."""
        return [self.path, *(f"{self.path}.{key}" for key in self.inside)]

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
        inside = tuple(str(key) for side in (old, new) if isinstance(side, dict) for key in side)
        yield FieldChange(path, *_pair(_shown(old), _shown(new)), inside)


def leaves(data: dict[str, Any]) -> list[FieldChange]:
    """Every field of a spec that is new, down to the last."""
    return list(_leaves("", data))


def _leaves(path: str, value: Any) -> Iterator[FieldChange]:
    value = _by_name(value)
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(f"{path}.{key}" if path else str(key), item)
    else:
        yield FieldChange(path, *_pair(None, _shown(value)))


def _is_deep(value: dict[str, Any]) -> bool:
    """A mapping of mappings is shown entry by entry, a flat one in one line."""
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
    return " ".join(str(value).split())


def _pair(old: str | None, new: str | None) -> tuple[str | None, str | None]:
    """Both sides on a line each: long texts start shortly before their first difference."""
    start = 0
    if old is not None and new is not None and max(len(old), len(new)) > _LONG:
        same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
        start = max(old.rfind(" ", 0, max(same - 20, 0)) + 1, 0)
    return _cut(old, start), _cut(new, start)


def _cut(text: str | None, start: int) -> str | None:
    if text is None:
        return None
    body = text[start:] if len(text) - start <= _LONG else f"{text[start : start + _LONG - 1]}…"
    return f"…{body}" if start else body


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

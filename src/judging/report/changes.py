"""What is different about a candidate since the champion was trained, from the metadata of both."""

from collections.abc import Iterator, Mapping
from typing import Any


def changes(champion: Mapping[str, Any], candidate: Mapping[str, Any]) -> tuple[str, ...]:
    """Sentences, from the metadata packed with the two models; none where they are the same."""
    return tuple(_changes(champion, candidate))


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    if old.get("candidate") != new.get("candidate"):
        yield f"The recipe is {new.get('candidate')}, it was {old.get('candidate')}."
    gained, lost = _difference(old, new), _difference(new, old)
    if gained:
        yield f"It also learns from {', '.join(gained)}."
    if lost:
        yield f"It no longer learns from {', '.join(lost)}."
    yield from _settings(
        _flat(old.get("recipe") or old.get("parameters")), _flat(new.get("recipe") or new.get("parameters"))
    )
    if old.get("trained_until") != new.get("trained_until"):
        until, before = new.get("trained_until"), old.get("trained_until")
        yield f"It has learned from sales until {until}, the champion until {before}."
    fewer, rows = old.get("trained_rows"), new.get("trained_rows")
    if isinstance(fewer, int) and isinstance(rows, int) and fewer != rows:
        yield f"It has learned from {rows:,} monthly rows, the champion from {fewer:,}."


def _difference(less: Mapping[str, Any], more: Mapping[str, Any]) -> list[str]:
    return [name for name in more.get("features") or () if name not in (less.get("features") or ())]


def _flat(settings: Mapping[str, Any] | None, before: str = "") -> dict[str, Any]:
    """Settings by name; those of a blend's parts begin with the part's name. Without what a recipe is called."""
    flat: dict[str, Any] = {}
    for name, value in (settings or {}).items():
        if isinstance(value, Mapping):
            flat |= _flat(value, "" if name == "parts" else f"{before}{name} ")
        elif name not in ("kind", "candidate", "features"):
            flat[f"{before}{name}"] = value
    return flat


def _settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in dict.fromkeys([*new, *old]):
        if old.get(name) != new.get(name) and name in old and name in new:
            yield f"{name} is {new[name]}, it was {old[name]}."

"""Where a spec names local files that go with it, and hashes of plain data."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from amlspec.references import PREFIX

# Places of paths in the specs of every kind. Code comes last: a file that lies in it counts by its bytes.
_SLOTS = (
    ("conda_file",),
    ("environment", "conda_file"),
    ("path",),
    ("build", "path"),
    ("environment", "build", "path"),
    ("additional_includes",),
    ("code_configuration", "code"),
    ("code",),
)
Slot = tuple[str, ...]


def local_files(data: dict[str, Any]) -> Iterator[tuple[Slot, str]]:
    """(slot, path as written) of everything local that goes into an asset."""
    for slot in _SLOTS:
        value = _value(data, slot)
        for path in value if isinstance(value, list) else [value]:
            if isinstance(path, str) and "://" not in path and not path.startswith(PREFIX):
                yield slot, path


def _value(data: Any, slot: Slot) -> Any:
    for key in slot:
        if not isinstance(data, dict):
            return None
        # A build without a path takes the folder of its spec.
        data = data.get(key, "." if slot[-2:] == ("build", "path") and key == "path" else None)
    return data


def without(fields: dict[str, Any], slot: Slot) -> dict[str, Any]:
    """Fields without the text of one path."""
    first, *rest = slot
    inner = fields.get(first)
    if rest and isinstance(inner, dict):
        return {**fields, first: without(inner, tuple(rest))}
    return {key: value for key, value in fields.items() if key != first}


def digest(data: Any) -> str:
    """SHA-256 of plain data, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(_plain(data), sort_keys=True, default=str).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Keys as text with their type: YAML's may be numbers, dates and booleans, which do not sort beside text."""
    if isinstance(value, dict):
        return {f"{type(key).__name__} {key}": _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value

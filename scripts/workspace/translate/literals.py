"""Values as YAML has them: the SDK writes every number and every boolean of a spec as a text."""

from typing import Any

_READERS = {"integer": int, "number": float}


def read(text: Any, kind: str) -> Any:
    """`text` in the declared type; itself where it is not one, which the engine then says."""
    if not isinstance(text, str):
        return text
    if kind == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return _READERS[kind](text) if kind in _READERS else text
    except ValueError:
        return text


def bound(text: Any, kind: str) -> Any:
    """A lowest or highest value."""
    return read(text, kind)

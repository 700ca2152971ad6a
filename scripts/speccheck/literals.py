"""Literal values against the declaration of the input that takes them."""

from typing import Any

from speccheck.wording import article

PRIMITIVES = frozenset({"string", "integer", "number", "boolean"})
DATA_TYPES = frozenset({"uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model"})
MODEL_TYPES = frozenset({"mlflow_model", "custom_model", "triton_model"})
TYPES = PRIMITIVES | DATA_TYPES

_PYTHON: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
# What a producer's type may be bound to. A model or table is a folder; nothing else becomes a model.
_ACCEPTS: dict[str, frozenset[str]] = {
    "uri_file": frozenset({"uri_file"}),
    "uri_folder": frozenset({"uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model"}),
    "mltable": frozenset({"mltable"}),
    "mlflow_model": frozenset({"mlflow_model"}),
    "custom_model": MODEL_TYPES,
    "triton_model": frozenset({"triton_model"}),
    "number": frozenset({"number", "integer"}),
}


def accepts(consumer: str, producer: str) -> bool:
    """Whether a value of the producer's type may be bound to an input of the consumer's."""
    return producer in _ACCEPTS.get(consumer, frozenset({consumer}))


def literal_problem(value: object, declared: dict[str, Any]) -> str | None:
    """What is wrong with a literal, or None. `declared` is the input's mapping with type, enum, min and max."""
    kind = declared.get("type")
    if kind in DATA_TYPES:
        return f"{article(kind)} takes a mapping with type and path, not a literal"
    if kind not in PRIMITIVES:
        return None
    wrong = not isinstance(value, _PYTHON[kind]) or (isinstance(value, bool) and kind != "boolean")
    if wrong:
        return f"{_spell(value)} is no {kind}{_hint(value, kind)}"
    return _range_problem(value, declared) or _enum_problem(value, declared)


def _spell(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "an empty value" if value is None else f"'{value}'" if isinstance(value, str) else str(value)


def _hint(value: object, kind: str) -> str:
    if kind == "string" and isinstance(value, (int, float, bool)):
        return f': write it in quotes, "{_spell(value)}"'
    if kind in ("integer", "number") and isinstance(value, str) and value.replace(".", "", 1).lstrip("-").isdigit():
        return ": write it without quotes"
    return f": give {article(kind)}"


def _range_problem(value: object, declared: dict[str, Any]) -> str | None:
    low, high = declared.get("min"), declared.get("max")
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    if isinstance(low, (int, float)) and value < low:
        return f"{value} is below the minimum {low}: give {low} or more"
    if isinstance(high, (int, float)) and value > high:
        return f"{value} is above the maximum {high}: give {high} or less"
    return None


def _enum_problem(value: object, declared: dict[str, Any]) -> str | None:
    allowed = declared.get("enum")
    if not isinstance(allowed, list) or value in allowed:
        return None
    return f"{_spell(value)} is not in its enum: use one of {', '.join(str(item) for item in allowed)}"

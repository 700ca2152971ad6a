"""Types of inputs and outputs, and literal values against the declaration of the input that takes them.

azure-ai-ml sends every literal of a job as text (3 and "3" both as '3'), so how it was quoted in YAML does not count:
what its text reads as in the declared type does.
"""

import re
from collections.abc import Sequence
from typing import Any

from amlspec.wording import article

Literal = str | bool | int | float
PRIMITIVES = frozenset({"string", "integer", "number", "boolean"})
DATA_TYPES = frozenset({"uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model"})
MODEL_TYPES = frozenset({"mlflow_model", "custom_model", "triton_model"})
TYPES = PRIMITIVES | DATA_TYPES

_INTEGER = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
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


def read_literal(
    value: object,
    kind: str,
    low: float | None = None,
    high: float | None = None,
    enum: Sequence[object] | None = None,
) -> Literal:
    """`value` in the declared type, within the declared bounds. Raises ValueError with the problem otherwise."""
    literal = _convert(value, kind)
    if isinstance(literal, int | float) and not isinstance(literal, bool):
        if low is not None and literal < low:
            raise ValueError(f"{literal} is below the minimum {low:g}: give {low:g} or more")
        if high is not None and literal > high:
            raise ValueError(f"{literal} is above the maximum {high:g}: give {high:g} or less")
    if enum and str(literal) not in [str(item) for item in enum]:
        raise ValueError(f"{_spell(value)} is not in its enum: use one of {', '.join(str(item) for item in enum)}")
    return literal


def _convert(value: object, kind: str) -> Literal:
    text = str(value)
    if kind in DATA_TYPES:
        raise ValueError(f"{article(kind)} takes a mapping with type and path, not a literal")
    if kind == "string" and value is not None:
        return text
    if kind == "integer" and _INTEGER.fullmatch(text):
        return int(text)
    if kind == "number" and _NUMBER.fullmatch(text):
        return float(text)
    if kind == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    raise ValueError(f"{_spell(value)} is not {article(kind)}: give {article(kind)}")


def _spell(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "an empty value" if value is None else f"'{value}'" if isinstance(value, str) else str(value)


def literal_problem(value: object, declared: dict[str, Any]) -> str | None:
    """What is wrong with a literal, or None. `declared` is the input's mapping with type, enum, min and max."""
    kind, enum = declared.get("type"), declared.get("enum")
    if not isinstance(kind, str) or kind not in TYPES:
        return None
    low, high = (
        bound if isinstance(bound, int | float) else None for bound in (declared.get("min"), declared.get("max"))
    )
    try:
        read_literal(value, kind, low, high, enum if isinstance(enum, list) else None)
    except ValueError as error:
        return str(error)
    return None

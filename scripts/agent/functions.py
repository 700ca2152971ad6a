"""Functions of the expression language, with Microsoft's conversions between types."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from amlspec.errors import UserError

Late = Callable[[], Any]


class Version(str):
    """A literal such as 1.2.3."""


class ConversionError(Exception):
    """A value that cannot be made one of the other type."""


def boolean(value: Any) -> bool:
    """Null, 0 and the empty text are false, all else is true."""
    return bool(value) if value is None or isinstance(value, bool | int | float | str) else True


def text(value: Any) -> str:
    """A value as text; lists and objects have none."""
    if value is None or isinstance(value, Mapping | list):
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def number(value: Any) -> float | None:
    """A value as a number; None where it is none."""
    if value is None or value == "":
        return 0
    if isinstance(value, bool | int | float):
        return float(value)
    given = str(value).strip().replace(",", "")
    return float(given) if re.fullmatch(r"[-+]?(\d+(\.\d*)?|\.\d+)", given) else None


def converted(value: Any, like: Any) -> Any:
    """`value` as one of the type of `like`. Raises ConversionError where that cannot be."""
    if isinstance(like, bool):
        return boolean(value)
    if isinstance(like, int | float):
        made: Any = number(value)
    elif isinstance(like, Version):
        made = Version(text(value)) if re.fullmatch(r"\d+(\.\d+){1,3}", text(value)) else None
    elif isinstance(like, str):
        made = None if isinstance(value, Mapping | list) else text(value)
    elif like is None:
        return _null(value)
    else:
        made = value if value == like else None
    if made is None:
        raise ConversionError
    return made


def _null(value: Any) -> None:
    if value not in (None, ""):
        raise ConversionError


def equal(left: Any, right: Any) -> bool:
    """Whether both are equal once the right one has the type of the left one; texts without case."""
    try:
        return bool(_key(left) == _key(converted(right, left)))
    except ConversionError:
        return False


def _key(value: Any) -> Any:
    if isinstance(value, Version):
        return [int(part) for part in value.split(".")]
    return value.lower() if isinstance(value, str) else value


def _order(name: str, left: Any, right: Any) -> int:
    """-1, 0 or 1. Raises UserError where the right one cannot be made one of the left one's type."""
    try:
        first, second = _key(left), _key(converted(right, left))
        return int(first > second) - int(first < second)
    except (ConversionError, TypeError):
        raise UserError(
            f"{name}({text(left)}, {text(right)}): the second value is not one of the first's type"
        ) from None


def _and(*given: Late) -> bool:
    return all(boolean(each()) for each in given)


def _or(*given: Late) -> bool:
    return any(boolean(each()) for each in given)


def _coalesce(*given: Any) -> Any:
    return next((each for each in given if each is not None and each != ""), None)


def _contains_value(values: Any, wanted: Any) -> bool:
    items = values.values() if isinstance(values, Mapping) else values if isinstance(values, list) else []
    return any(equal(wanted, each) for each in items)


def _format(pattern: Any, *given: Any) -> str:
    def put(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        if match[1] is None or int(match[1]) >= len(given):
            raise UserError(f"format('{pattern}'): {match[0]} names no value, or has a format that is not known here")
        return text(given[int(match[1])])

    return re.sub(r"\{\{|\}\}|\{(\d+)\}|\{[^}]*\}", put, text(pattern))


def _join(separator: Any, values: Any) -> str:
    return text(separator).join(text(each) for each in values) if isinstance(values, list) else text(values)


def _length(value: Any) -> int:
    return len(value) if isinstance(value, Mapping | list) else len(text(value))


def _split(value: Any, marks: Any) -> list[str]:
    return re.split(f"[{re.escape(text(marks))}]", text(value)) if text(marks) else [text(value)]


def _if(condition: Late, then: Late, otherwise: Late) -> Any:
    return then() if boolean(condition()) else otherwise()


def _json(value: Any) -> str:
    return json.dumps(value, indent=2)


def _lower(value: Any) -> str:
    return text(value).lower()


# name -> (function, fewest and most parameters, whether it is given values that are not worked out yet)
_ALL: dict[str, tuple[Callable[..., Any], int, int | None, bool]] = {
    "and": (_and, 2, None, True),
    "or": (_or, 2, None, True),
    "xor": (lambda a, b: boolean(a) != boolean(b), 2, 2, False),
    "not": (lambda a: not boolean(a), 1, 1, False),
    "iif": (_if, 3, 3, True),
    "eq": (equal, 2, 2, False),
    "ne": (lambda a, b: not equal(a, b), 2, 2, False),
    "gt": (lambda a, b: _order("gt", a, b) > 0, 2, 2, False),
    "ge": (lambda a, b: _order("ge", a, b) >= 0, 2, 2, False),
    "lt": (lambda a, b: _order("lt", a, b) < 0, 2, 2, False),
    "le": (lambda a, b: _order("le", a, b) <= 0, 2, 2, False),
    "in": (lambda a, *b: any(equal(a, each) for each in b), 1, None, False),
    "notin": (lambda a, *b: not any(equal(a, each) for each in b), 1, None, False),
    "coalesce": (_coalesce, 2, None, False),
    "contains": (lambda a, b: _lower(b) in _lower(a), 2, 2, False),
    "containsvalue": (_contains_value, 2, 2, False),
    "converttojson": (_json, 1, 1, False),
    "startswith": (lambda a, b: _lower(a).startswith(_lower(b)), 2, 2, False),
    "endswith": (lambda a, b: _lower(a).endswith(_lower(b)), 2, 2, False),
    "format": (_format, 1, None, False),
    "join": (_join, 2, 2, False),
    "length": (_length, 1, 1, False),
    "lower": (_lower, 1, 1, False),
    "upper": (lambda a: text(a).upper(), 1, 1, False),
    "trim": (lambda a: text(a).strip(), 1, 1, False),
    "replace": (lambda a, b, c: text(a).replace(text(b), text(c)), 3, 3, False),
    "split": (_split, 2, 2, False),
}
TABLE: dict[str, Callable[..., Any]] = {name: entry[0] for name, entry in _ALL.items()}
_LATE = {entry[0] for entry in _ALL.values() if entry[3]}
_COUNTS = {entry[0]: (entry[1], entry[2]) for entry in _ALL.values()}


def call(name: str, function: Callable[..., Any], given: Sequence[Late]) -> Any:
    """Call a function of the table or of the place. Raises UserError for a wrong number of parameters."""
    fewest, most = _COUNTS.get(function, (0, None))
    if len(given) < fewest or (most is not None and len(given) > most):
        wanted = str(fewest) if fewest == most else f"{fewest} or more" if most is None else f"{fewest} to {most}"
        raise UserError(f"{name} takes {wanted} parameters, not {len(given)}")
    return function(*given) if function in _LATE else function(*(each() for each in given))

"""Bodies held against azure-ai-ml's generated models: a field that the model does not have is refused by name."""

import functools
import json
import logging
from pathlib import Path
from typing import Any

from workspace.messages import bad_request

TABLE = Path(__file__).with_name("wire_models.json")
log = logging.getLogger("workspace")


@functools.cache
def _table() -> dict[str, Any]:
    result: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return result


def check(model: str, body: Any) -> None:
    """Raises ServiceError (400) that names the first field which `model` does not know, or the kind that it has not."""
    _check(model, body, "")


def _check(shape: Any, value: Any, where: str) -> None:
    if shape is None or value is None:
        return
    if isinstance(shape, str):
        _check_model(shape, value, where)
    elif shape[0] == "list":
        for index, each in enumerate(_as(list, value, where)):
            _check(shape[1], each, f"{where}[{index}]")
    else:
        for key, each in _as(dict, value, where).items():
            _check(shape[1], each, f"{where}.{key}")


def _check_model(model: str, value: Any, where: str) -> None:
    entry, given = _table()[model], _as(dict, value, where)
    if "kind" in entry:
        kind = given.get(entry["kind"])
        if kind not in entry["kinds"]:
            known = ", ".join(entry["kinds"])
            raise bad_request(f"{_dotted(where, entry['kind'])}: {kind!r} is not imitated here: {known}.")
        return _check_model(entry["kinds"][kind], {**given}, where)
    for key, each in given.items():
        if key not in entry["fields"]:
            message = f"Could not find member '{key}' on object of type '{model}'. Path '{_dotted(where, key)}'."
            raise bad_request(message)
        _check(entry["fields"][key], each, _dotted(where, key))
    return None


def _as(kind: type, value: Any, where: str) -> Any:
    if not isinstance(value, kind):
        name = "an object" if kind is dict else "a list"
        raise bad_request(f"Path '{where.lstrip('.') or 'body'}' is not {name}.")
    return value


def _dotted(where: str, key: str) -> str:
    return f"{where}.{key}".lstrip(".")

"""Parameters of pipelines and templates: their types, defaults and allowed values."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from agent import functions
from amlspec.document import Document
from amlspec.errors import UserError

LISTS = ("stepList", "jobList", "deploymentList", "stageList")
SINGLE = ("step", "job", "deployment", "stage")
TYPES = ("string", "number", "boolean", "object", *SINGLE, *LISTS)


def of(document: Document, known: Sequence[Any], given: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """Values of the parameters that a document declares.

    Args:
        document: of which pipeline or template.
        known: its `parameters`.
        given: name -> value.
        caller: file:line, or the name of what gives them, for errors.

    Raises:
        UserError: a parameter that there is not, one without a value, or a value of another type.
    """
    declared = {str(each["name"]): each for each in known}
    for name in given:
        if name not in declared:
            near = difflib.get_close_matches(name, declared, 1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(declared) or 'none'}"
            raise UserError(f"{caller}: {document.shown} has no parameter {name}: {hint}")
    return {
        name: _value(each, given, document.where("parameters", place, "name"), caller)
        for place, (name, each) in enumerate(declared.items())
    }


def _value(declared: Mapping[str, Any], given: Mapping[str, Any], where: str, caller: str) -> Any:
    name, kind = str(declared["name"]), str(declared.get("type", "string"))
    if kind not in TYPES:
        raise UserError(f"{where}: the type {kind} of parameter {name} is not known here")
    if name not in given and "default" not in declared:
        raise UserError(f"{caller}: the parameter {name} ({where}) has no default: give it")
    value = given.get(name, declared.get("default"))
    try:
        made = _typed(kind, value)
    except functions.ConversionError:
        shown = functions.text(value) or repr(value)
        raise UserError(f"{caller}: {name} is to be a {kind}, not {shown}") from None
    allowed = declared.get("values")
    if allowed and not any(functions.equal(made, each) for each in allowed):
        raise UserError(f"{caller}: {name}={functions.text(made)}: give {', '.join(map(functions.text, allowed))}")
    return made


def _typed(kind: str, value: Any) -> Any:
    if kind == "boolean":
        if functions.text(value).lower() not in ("true", "false"):
            raise functions.ConversionError
        return functions.text(value).lower() == "true"
    if kind == "number":
        made = functions.number(value)
        if made is None or value in (None, ""):
            raise functions.ConversionError
        return int(made) if made.is_integer() else made
    if kind == "string":
        if isinstance(value, Mapping | list):
            raise functions.ConversionError
        return functions.text(value)
    if kind in LISTS and not isinstance(value, list):
        raise functions.ConversionError
    return value

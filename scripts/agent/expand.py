"""A pipeline with its templates put in and its `${{ }}` worked out, as the service does before a run begins."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agent import expressions, functions, parameters
from amlspec.document import Document, display, read_document
from amlspec.errors import UserError

WHOLE = re.compile(r"^\s*\$\{\{(.*)\}\}\s*$", re.DOTALL)
PART = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
DIRECTIVE = re.compile(r"^(if|elseif|else|each|insert)\b(.*)$", re.DOTALL)
EACH = re.compile(r"^\s*([A-Za-z_]\w*)\s+in\s+(.+)$", re.DOTALL)
# What a template may hold, beside its parameters.
CONTENTS = ("variables", "stages", "jobs", "steps")
Path_ = tuple[str | int, ...]


class Node(dict[str, Any]):
    """A mapping of the expanded pipeline, with the place that it was written at."""

    where = ""


@dataclass(frozen=True)
class Scope:
    """Where a text is expanded: its file, and the values that its expressions see."""

    document: Document
    root: Path
    values: Mapping[str, Any]

    def where(self, path: Path_) -> str:
        """file:line of a key."""
        return self.document.where(*path)


def pipeline(path: Path, root: Path, given: Mapping[str, Any], predefined: Mapping[str, str]) -> Node:
    """The whole pipeline.

    Args:
        path: its YAML file.
        root: folder that a template's path with a leading / counts from.
        given: values of its parameters.
        predefined: the variables that are known before a run, such as Build.SourceBranch.

    Raises:
        UserError: what is wrong, at file:line.
    """
    document = read_document(path)
    values: dict[str, Any] = {"variables": dict(predefined)}
    scope = Scope(document, root, values)
    values["parameters"] = parameters.of(document, document.data.get("parameters") or [], given, display(path))
    data = {key: each for key, each in document.data.items() if key not in ("parameters", "variables")}
    variables = list(_variables(document.data.get("variables"), scope, ("variables",)))
    values["variables"] = {**predefined, **{each["name"]: each["value"] for each in variables if "name" in each}}
    made = _expanded(data, scope, ())
    assert isinstance(made, Node)  # noqa: S101 - the document is a mapping
    made["variables"] = variables
    return made


def _variables(data: Any, scope: Scope, path: Path_) -> Iterator[dict[str, Any]]:
    """Variables as a list of {name, value} and {group}; each is seen by those after it."""
    if isinstance(data, Mapping):
        for name, value in _mapping(data, scope, path).items():
            yield {"name": name, "value": functions.text(value)}
        return
    seen = dict(scope.values["variables"])
    for place, item in enumerate(data or []):
        inner = replace(scope, values={**scope.values, "variables": seen})
        for each in _sequence([item], inner, path, place):
            if not isinstance(each, Mapping) or not ("group" in each or "name" in each):
                raise UserError(
                    f"{scope.where((*path, place))}: not a variable: give name and value, group or template"
                )
            made = {"name": each["name"], "value": functions.text(each.get("value"))} if "name" in each else dict(each)
            seen |= {made["name"]: made["value"]} if "name" in made else {}
            yield made


def _expanded(data: Any, scope: Scope, path: Path_) -> Any:
    if isinstance(data, Mapping):
        return _mapping(data, scope, path)
    if isinstance(data, list):
        return _sequence(data, scope, path)
    return _scalar(data, scope, path) if isinstance(data, str) else data


def _scalar(text: str, scope: Scope, path: Path_) -> Any:
    whole = WHOLE.match(text)
    if whole and "${{" not in whole[1]:
        return _value(whole[1], scope, path)
    return PART.sub(lambda match: functions.text(_value(match[1], scope, path)), text)


def _value(text: str, scope: Scope, path: Path_) -> Any:
    try:
        return expressions.evaluate(text, scope.values)
    except UserError as error:
        raise UserError(f"{scope.where(path)}: {error}") from None


def _mapping(data: Mapping[Any, Any], scope: Scope, path: Path_) -> Node:
    made = Node()
    made.where = scope.where(path)
    for key, bodies in _by_key(data, scope, path):
        if key is not None:
            made[key] = bodies
            continue
        for body in bodies:
            if not isinstance(body, Mapping):
                raise UserError(f"{scope.where(path)}: a mapping was expected below the expression")
            made.update(body)
    return made


def _by_key(data: Mapping[Any, Any], scope: Scope, path: Path_) -> Iterator[tuple[str | None, Any]]:
    """(key, value) of a mapping; (None, bodies) of a directive among its keys."""
    is_open = False
    for name, value in data.items():
        key = "on" if name is True else str(name)  # YAML 1.1 reads the word `on` as true
        directive = _directive(key)
        if directive is None:
            is_open = False
            yield functions.text(_scalar(key, scope, path)), _expanded(value, scope, (*path, key))
            continue
        bodies, is_open = _bodies(*directive, value, is_open, scope, (*path, key))
        yield None, bodies


def _sequence(data: Sequence[Any], scope: Scope, path: Path_, first: int = 0) -> list[Any]:
    made: list[Any] = []
    is_open = False
    for place, item in enumerate(data, first):
        here = (*path, place)
        key = next(iter(item), None) if isinstance(item, Mapping) and len(item) == 1 else None
        directive = _directive(str(key)) if key is not None else None
        if directive is None:
            is_open = False
            one = _template(item, scope, here) if _is_template(item) else _expanded(item, scope, here)
            # A list in the place of an item, as `- ${{ parameters.steps }}` gives, is put in item by item.
            made += one if isinstance(one, list) and not isinstance(item, list) else [one]
            continue
        bodies, is_open = _bodies(*directive, item[key], is_open, scope, (*here, str(key)))
        for body in bodies:
            made += body if isinstance(body, list) else [body]
    return made


def _directive(key: str) -> tuple[str, str] | None:
    whole = WHOLE.match(key)
    match = DIRECTIVE.match(whole[1].strip()) if whole else None
    return (match[1], match[2]) if match else None


def _bodies(word: str, rest: str, body: Any, is_open: bool, scope: Scope, path: Path_) -> tuple[list[Any], bool]:
    """What a directive puts in, and whether an else after it still waits for its turn."""
    if word == "each":
        return [_expanded(body, inner, path) for inner in _turns(rest, scope, path)], False
    if word == "insert":
        return [_expanded(body, scope, path)], False
    if word == "if" or is_open:
        holds = word == "else" or expressions.is_true(_value(rest, scope, path))
        return ([_expanded(body, scope, path)] if holds else []), not holds
    return [], False


def _turns(rest: str, scope: Scope, path: Path_) -> Iterator[Scope]:
    match = EACH.match(rest)
    if match is None:
        raise UserError(f"{scope.where(path)}: each{rest}: write `each <name> in <list>`")
    values = _value(match[2], scope, path)
    pairs = [{"key": key, "value": value} for key, value in values.items()] if isinstance(values, Mapping) else values
    for item in pairs or []:
        yield replace(scope, values={**scope.values, match[1]: item})


def _is_template(item: Any) -> bool:
    return isinstance(item, Mapping) and "template" in item


def _template(item: Mapping[str, Any], scope: Scope, path: Path_) -> list[Any]:
    """What a template holds, with its parameters as they are given here."""
    if more := set(item) - {"template", "parameters"}:
        raise UserError(f"{scope.where(path)}: a template takes parameters alone, not {', '.join(sorted(more))}")
    name = functions.text(_scalar(str(item["template"]), scope, path))
    file, _, repository = name.partition("@")
    if repository not in ("", "self"):
        raise UserError(f"{scope.where(path)}: {name}: templates of other repositories are not known here")
    place = scope.root / file.lstrip("/") if file.startswith("/") else scope.document.path.parent / file
    document = read_document(place)
    kinds = [each for each in CONTENTS if each in document.data]
    if len(kinds) != 1 or set(document.data) - {*kinds, "parameters"}:
        raise UserError(f"{display(place)}:1: a template holds parameters and one of {', '.join(CONTENTS)}")
    given = _expanded(item.get("parameters") or {}, scope, (*path, "parameters"))
    known = parameters.of(document, document.data.get("parameters") or [], given, scope.where(path))
    inner = Scope(document, scope.root, {"parameters": known, "variables": scope.values["variables"]})
    content = document.data[kinds[0]]
    if kinds[0] == "variables":
        return list(_variables(content, inner, ("variables",)))
    return _sequence(content or [], inner, (kinds[0],))

"""Pipelines inside of a pipeline: a node that is a pipeline component is replaced by that component's own steps.

The steps of a node `prepare` are called `prepare__<step>`. On Azure ML the node is a job of its own, its steps below.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import Field

from amlspec.bindings import sole
from amlspec.document import Document
from amlspec.errors import UserError
from amlspec.schema import PATH_TYPES, Input, Spec, parse
from localml import component_snapshot, values

_INPUT = re.compile(r"\$\{\{\s*parent\.inputs\.(\w+)\s*\}\}")
_OUTPUT = re.compile(r"\$\{\{\s*parent\.outputs\.(\w+)\s*\}\}")
_STEP = re.compile(r"(\$\{\{\s*parent\.jobs\.)(\w+)(\.outputs\.)(\w+)(\s*\}\})")
_PATHS = frozenset({"component", "code", "trial", "conda_file", "path"})
_NAMED = frozenset({"inputs", "outputs", "jobs"})
_OPAQUE = frozenset({"tags", "properties", "environment_variables"})


class _Declared(Spec):
    """The inputs that a pipeline component declares."""

    inputs: dict[str, Input] = Field(default_factory=dict)


@dataclass(frozen=True)
class _Expanded(Document):
    """A pipeline with steps of other files; `origins` says where each of these stands."""

    origins: Mapping[str, tuple[Document, str]] = field(default_factory=dict)

    def where(self, *keys: str | int) -> str:
        if len(keys) > 1 and keys[0] == "jobs" and keys[1] in self.origins:
            document, name = self.origins[str(keys[1])]
            return document.where("jobs", name, *keys[2:])
        return super().where(*keys)


def expand(document: Document) -> Document:
    """The pipeline with the steps of its pipeline components in their places."""
    if "component" in document.data and "jobs" not in document.data:
        document = _of_component(document)
    if not isinstance(document.data.get("jobs"), dict):
        return document
    for name, node in list(document.data["jobs"].items()):
        if isinstance(node, dict) and (inner := _pipeline_of(document, name, node)):
            document = _spliced(document, name, node, inner)
    return document


def _of_component(document: Document) -> Document:
    """A job that names a pipeline component in the place of `jobs:`: the component with the job's values."""
    where = document.where("component")
    inner = expand(_absolute(component_snapshot.read(document.data["component"], document.path.parent, where)))
    data = {key: value for key, value in document.data.items() if key != "component"}
    names = {**_values(document, ("inputs",), document.table("inputs"), inner, "the component")}
    inputs = {key: value for key, value in names.items() if value is not None}
    outputs = {**inner.table("outputs"), **document.table("outputs")}
    jobs = {name: _without_absent(_filled(node, names, where, keep=True)) for name, node in inner.table("jobs").items()}
    return _Expanded(
        document.path, {**data, "inputs": inputs, "outputs": outputs, "jobs": jobs}, document.lines, document.shown,
        document.text, {name: _origin(inner, name) for name in jobs},
    )  # fmt: skip


def _pipeline_of(document: Document, name: str, node: dict[str, Any]) -> Document | None:
    """The pipeline component that a node runs, absolute and expanded; None for a node of another type."""
    reference, kind = node.get("component"), node.get("type")
    if kind not in (None, "pipeline") or not isinstance(reference, str):
        return None
    inner = component_snapshot.read(reference, document.path.parent, document.where("jobs", name, "component"))
    if inner.data.get("type") != "pipeline":
        return None
    return expand(_absolute(inner))


def _spliced(document: Document, name: str, node: dict[str, Any], inner: Document) -> Document:
    """`document` with the steps of `inner` in the place of the node."""
    place = ("jobs", name, "inputs")
    given = _values(document, place, node.get("inputs") or {}, inner, f"step {name}")
    handed = node.get("outputs") or {}
    made: dict[str, str] = {}
    steps: dict[str, Any] = {}
    for step, spec in inner.table("jobs").items():
        where = inner.where("jobs", step)
        renamed = _renamed(spec, lambda source, output: (f"{name}__{source}", output))
        steps[f"{name}__{step}"] = _handed(f"{name}__{step}", _filled(renamed, given, where), handed, made)
    jobs: dict[str, Any] = {}
    for other, spec in document.data["jobs"].items():
        jobs.update(steps if other == name else {other: spec})
    jobs = _renamed(jobs, lambda source, output: _maker(document, name, made, source, output))
    origins = dict(document.origins) if isinstance(document, _Expanded) else {}
    origins |= {f"{name}__{step}": _origin(inner, step) for step in inner.table("jobs")}
    lines = document.lines
    return _Expanded(document.path, {**document.data, "jobs": jobs}, lines, document.shown, document.text, origins)


def _maker(document: Document, name: str, made: dict[str, str], source: str, output: str) -> tuple[str, str]:
    """Which step makes an output of the node."""
    if source != name:
        return source, output
    if output not in made:
        where = document.where("jobs", name)
        raise UserError(f"{where}: the pipeline component of step {name} has no output {output}")
    step, _, inner = made[output].partition(".")
    return step, inner


def _origin(document: Document, step: str) -> tuple[Document, str]:
    return document.origins.get(step, (document, step)) if isinstance(document, _Expanded) else (document, step)


def _values(
    document: Document, place: tuple[str, ...], given: dict[str, Any], inner: Document, who: str
) -> dict[str, Any]:
    """A value for each declared input; None for an optional one without. Raises UserError for what does not fit."""
    declared = parse(_Declared, replace(inner, data={"inputs": inner.table("inputs")})).inputs
    for key in given:
        if key not in declared:
            raise UserError(f"{document.where(*place, key)}: the pipeline component has no input {key}")
    return {key: _value(document.where(*place, key), key, given.get(key), each, who) for key, each in declared.items()}


def _value(where: str, key: str, value: Any, declared: Input, who: str) -> Any:
    if value is None:
        value = declared.default
    if value is None and not declared.optional:
        raise UserError(f"{where}: {who} needs the input {key}")
    if value is None or isinstance(value, dict) or (isinstance(value, str) and "${{" in value):
        return value
    if declared.type in PATH_TYPES:
        raise UserError(f"{where}: {key} is {value!r}, the component wants data: give it a path")
    values.literal(key, value, declared, where)
    return value


def _filled(spec: Any, given: Mapping[str, Any], where: str, keep: bool = False) -> Any:
    """A node with `given` in the places of `${{parent.inputs.x}}`; with `keep` only absent ones are taken out."""
    if isinstance(spec, dict):
        path = spec.get("path")
        if not keep and sole(path) and (match := _INPUT.fullmatch(str(path).strip())):
            value = _given(given, match[1], where)
            return {**value, **({"mode": spec["mode"]} if "mode" in spec else {})} if isinstance(value, dict) else value
        return _without_absent({key: _filled(value, given, where, keep) for key, value in spec.items()})
    if isinstance(spec, list):
        return [_filled(each, given, where, keep) for each in spec]
    if not isinstance(spec, str):
        return spec
    if match := _INPUT.fullmatch(spec.strip()):
        value = _given(given, match[1], where)
        return spec if keep and value is not None else _ABSENT if value is None else value
    return spec if keep else _INPUT.sub(lambda match: str(_given(given, match[1], where)), spec)


_ABSENT = object()


def _without_absent(spec: Any) -> Any:
    return {key: value for key, value in spec.items() if value is not _ABSENT} if isinstance(spec, dict) else spec


def _given(given: Mapping[str, Any], name: str, where: str) -> Any:
    if name not in given:
        raise UserError(f"{where}: the pipeline component declares no input {name}")
    return given[name]


def _handed(step: str, spec: dict[str, Any], handed: dict[str, Any], made: dict[str, str]) -> dict[str, Any]:
    """A step whose outputs go where the node's go; `made` learns which step makes which output of the node."""
    outputs: dict[str, Any] = {}
    for key, value in (spec.get("outputs") or {}).items():
        match = _OUTPUT.fullmatch(value.strip()) if isinstance(value, str) else None
        if match:
            made[match[1]] = f"{step}.{key}"
        outputs[key] = handed.get(match[1]) if match else value
    return {**spec, "outputs": outputs} if outputs else spec


def _renamed(spec: Any, name: Any) -> Any:
    """`spec` with other names in its `${{parent.jobs.a.outputs.b}}`."""
    if isinstance(spec, dict):
        return {key: _renamed(value, name) for key, value in spec.items()}
    if isinstance(spec, list):
        return [_renamed(each, name) for each in spec]
    if not isinstance(spec, str):
        return spec

    def other(match: re.Match[str]) -> str:
        step, output = name(match[2], match[4])
        return f"{match[1]}{step}{match[3]}{output}{match[5]}"

    return _STEP.sub(other, spec)


def _absolute(document: Document) -> Document:
    """A component whose paths hold in a file elsewhere too."""
    return replace(document, data=absolute(document.data, document.path.parent.resolve()))


def absolute(spec: Any, base: Path, are_names: bool = False) -> Any:
    """`spec` with absolute paths in the places of those relative to its file; `are_names`: its keys are not fields."""
    if isinstance(spec, list):
        return [absolute(each, base) for each in spec]
    if not isinstance(spec, dict):
        return spec
    if are_names:
        return {name: absolute(value, base) for name, value in spec.items()}
    return {
        key: value if key in _OPAQUE
        else [str(base / each) for each in value] if key == "additional_includes" and isinstance(value, list)
        else _path(key, value, base) if isinstance(value, str)
        else absolute(value, base, key in _NAMED)
        for key, value in spec.items()
    }  # fmt: skip


def _path(key: str, text: str, base: Path) -> str:
    if key == "environment" and text.startswith("file:"):
        return f"file:{base / text.removeprefix('file:')}"
    bare = text.removeprefix("file:")
    if key not in _PATHS or not bare or "${{" in bare or re.match(r"[a-z][a-z0-9+.-]+:", bare):
        return text
    return str(base / bare)

"""Pipelines as an estimate sees them: nodes with their component, literal inputs, and what they wait for."""

import posixpath
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import yaml

from amlspec import triggers
from amlspec.bindings import FromJob, FromParent, binding_of
from estimate.settings import Node, Read

FOLDER = "ml/pipelines"
# Any year without a leap day: a schedule's runs in it are what a month has on average.
_YEAR = (datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 12, 31, 23, 59, 59, tzinfo=UTC))


def nodes(read: Read, path: str) -> list[Node]:
    """Nodes of a pipeline's file in its order; [] where it cannot be read as one."""
    pipeline = _mapping(read(path))
    given = _mapping_of(pipeline, "inputs")
    listed = []
    for name, node in _mapping_of(pipeline, "jobs").items():
        if not isinstance(node, dict):
            continue
        component, defaults = _component(read, path, node)
        inputs, after = _bound(_mapping_of(node, "inputs"), given)
        listed.append(Node(str(name), component, {**defaults, **inputs}, after))
    return listed


def display_name(read: Read, path: str) -> str | None:
    """By which a job tells its pipeline."""
    name = _mapping(read(path)).get("display_name")
    return None if name is None else str(name)


def _bound(inputs: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
    """(a node's inputs, the pipeline's own where they are bound to one; the nodes whose outputs it reads)."""
    values, after = {}, set()
    for key, value in inputs.items():
        # An object binds by its path.
        source = _binding(value.get("path") if isinstance(value, dict) else value)
        if isinstance(source, FromJob):
            after.add(source.job)
        values[key] = given.get(source.name) if isinstance(source, FromParent) else value
    return values, frozenset(after)


def _binding(value: Any) -> FromParent | FromJob | None:
    try:
        return binding_of(value)
    except ValueError:
        return None  # whoever checks specs says so


def _component(read: Read, path: str, node: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """(name, defaults of its inputs) of a node's component; its reference where that does not name a file."""
    reference = str(node.get("component") or node.get("trial") or "")
    text = read(posixpath.normpath(posixpath.join(posixpath.dirname(path), reference))) if reference else None
    component = _mapping(text)
    declared = _mapping_of(component, "inputs")
    defaults = {key: each["default"] for key, each in declared.items() if isinstance(each, dict) and "default" in each}
    return str(component.get("name") or reference), defaults


def _mapping(text: str | None) -> dict[str, Any]:
    try:
        content = yaml.safe_load(text) if text else None
    except yaml.YAMLError:
        return {}  # whoever checks specs says so
    return content if isinstance(content, dict) else {}


def _mapping_of(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = content.get(name)
    return value if isinstance(value, dict) else {}


def runs_a_month(schedule: str) -> tuple[str, float] | None:
    """(path of the pipeline, runs in a month on average) of a schedule's text; None for one that is off or unread."""
    content = _mapping(schedule)
    job = content.get("create_job")
    path = job.get("job") if isinstance(job, dict) else job
    # Its pace is asked for, not when it begins and ends.
    trigger = {k: v for k, v in _mapping_of(content, "trigger").items() if k not in {"start_time", "end_time"}}
    if not path or content.get("is_enabled") is False or any(triggers.problems(trigger)):
        return None
    return str(path), sum(1 for _ in triggers.read(trigger).due(_YEAR[0], *_YEAR)) / 12

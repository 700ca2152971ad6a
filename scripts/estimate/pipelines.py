"""Pipelines as an estimate sees them: nodes with their component, literal inputs, and what they wait for."""

import posixpath
import re
from collections.abc import Mapping
from typing import Any

import yaml

from estimate.settings import Node, Read

FOLDER = "ml/pipelines"
_AFTER = re.compile(r"\$\{\{\s*parent\.jobs\.(\w+)\.")
_PARENT = re.compile(r"\$\{\{\s*parent\.inputs\.(\w+)\s*\}\}")


def nodes(read: Read, path: str) -> list[Node]:
    """Nodes of a pipeline's file in its order; [] where it cannot be read as one."""
    pipeline = _mapping(read(path))
    given = _mapping_of(pipeline, "inputs")
    listed = []
    for name, node in _mapping_of(pipeline, "jobs").items():
        if not isinstance(node, dict):
            continue
        component, defaults = _component(read, path, node)
        bound = {key: _literal(value, given) for key, value in _mapping_of(node, "inputs").items()}
        after = frozenset(_AFTER.findall(yaml.safe_dump(node)))
        listed.append(Node(str(name), component, {**defaults, **bound}, after))
    return listed


def _component(read: Read, path: str, node: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """(name, defaults of its inputs) of a node's component; its reference where that does not name a file."""
    reference = str(node.get("component") or node.get("trial") or "")
    text = read(posixpath.normpath(posixpath.join(posixpath.dirname(path), reference))) if reference else None
    component = _mapping(text)
    declared = _mapping_of(component, "inputs")
    defaults = {key: each["default"] for key, each in declared.items() if isinstance(each, dict) and "default" in each}
    return str(component.get("name") or reference), defaults


def _literal(value: Any, given: Mapping[str, Any]) -> Any:
    """A node's input, as the pipeline's own where it is bound to one."""
    match = _PARENT.fullmatch(value.strip()) if isinstance(value, str) else None
    return given.get(match[1]) if match else value


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
    """(path of the pipeline, runs in a month of 730 hours) of a schedule's text; None for one that is off or unread.

    A cron expression, whose day Azure ML ignores, counts as daily.
    """
    content = _mapping(schedule)
    trigger, job = _mapping_of(content, "trigger"), content.get("create_job")
    path = job.get("job") if isinstance(job, dict) else job
    if not path or content.get("is_enabled") is False:
        return None
    hours = {"minute": 1 / 60, "hour": 1, "day": 24, "week": 168, "month": 730}
    if trigger.get("type") == "cron":
        return str(path), 730 / 24
    every = hours.get(str(trigger.get("frequency", "")).lower())
    interval = trigger.get("interval", 1)
    if every is None or not isinstance(interval, int) or interval < 1:
        return None
    plan = _mapping_of(trigger, "schedule")
    times = 1
    for name in ("hours", "minutes", "week_days", "month_days"):
        value = plan.get(name)
        times *= len(value) if isinstance(value, list) else 1
    return str(path), times * 730 / (every * interval)

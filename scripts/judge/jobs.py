"""Which jobs of a checkout of Azure/azureml-examples the engine should be able to run.

Those of type pipeline, command and sweep whose steps, in components and pipelines below them too, are of type command,
pipeline, sweep and parallel; that neither ask for a GPU nor for several machines; whose components stand in the
checkout and not in a registry.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TYPES = frozenset({"command", "pipeline", "sweep", "parallel"})
JOBS = frozenset({"command", "pipeline", "sweep"})
# What a job spec has and a component, which has a version, has not.
_TELLING = frozenset({"jobs", "command", "trial", "component"})


@dataclass(frozen=True)
class Job:
    """A job spec; `path` is relative to the checkout, `aside` says why it is left aside, or nothing."""

    path: Path
    type: str
    steps: tuple[str, ...] = ()
    aside: str = ""


def of(root: Path) -> list[Job]:
    """Every job spec below `root/cli`, in the order of their paths."""
    specs = ((path, _read(path)) for path in sorted((root / "cli").rglob("*.y*ml")))
    return [_job(root, path, data) for path, data in specs if data is not None and _is_job(data)]


def _read(path: Path) -> dict[str, Any] | None:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        return None
    return data if isinstance(data, dict) else None


def _is_job(data: dict[str, Any]) -> bool:
    schema = str(data.get("$schema", "")).rsplit("/", 1)[-1].lower()
    if schema:
        return schema.endswith("job.schema.json")
    return "version" not in data and data.get("type", "command") in JOBS and bool(_TELLING & data.keys())


def _job(root: Path, path: Path, data: dict[str, Any]) -> Job:
    kind = str(data.get("type") or ("sweep" if "trial" in data else "command"))
    relative = path.relative_to(root)
    if kind not in JOBS:
        return Job(relative, kind, aside=f"a job of type {kind}")
    nodes = [data, *_nodes(path, data)]
    steps = tuple(_type(node) for node in nodes[1:])
    return Job(relative, kind, steps, _aside(nodes, steps))


def _aside(nodes: list[dict[str, Any]], steps: tuple[str, ...]) -> str:
    if foreign := sorted(set(steps) - TYPES):
        return f"a step of type {', '.join(foreign)}"
    if any(str(node.get("component")).startswith("azureml://registries/") for node in nodes):
        return "a component of a registry"
    if any(_asks_for_gpu(node) for node in nodes):
        return "a GPU or several machines"
    return ""


def _type(node: dict[str, Any]) -> str:
    if "$schema" in node and str(node["$schema"]).endswith("Flow.schema.json"):
        return "flow"
    return str(node.get("type") or ("sweep" if "trial" in node else "command"))


def _asks_for_gpu(node: dict[str, Any]) -> bool:
    settings = node.get("settings")
    default = settings.get("default_compute") if isinstance(settings, dict) else None
    asked = f"{node.get('compute')} {default} {node.get('resources')}".lower()
    return "gpu" in asked or bool(node.get("distribution"))


def _nodes(path: Path, data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Nodes of a pipeline, each with the fields of its component, and those of pipelines below it."""
    jobs = data.get("jobs")
    nodes = list(jobs.values()) if isinstance(jobs, dict) else []
    nodes += [{"component": data["component"]}] if "jobs" not in data and "component" in data else []
    for node in nodes:
        if not isinstance(node, dict):
            continue
        file, component = _component(path, node)
        yield {**component, **node}
        if component.get("type") == "pipeline":
            yield from _nodes(file, component)


def _component(path: Path, node: dict[str, Any]) -> tuple[Path, dict[str, Any]]:
    reference = node.get("component") or node.get("trial")
    if isinstance(reference, dict):
        return path, reference
    if not isinstance(reference, str) or reference.startswith("azureml:"):
        return path, {}
    file = path.parent / reference.removeprefix("file:")
    return file, (_read(file) or {}) if file.is_file() else {}

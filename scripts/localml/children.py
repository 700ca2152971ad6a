"""The steps of a job as the service lists them: child jobs, which a node's display name tells apart.

A child of Azure ML carries name, display_name, status and properties (azure-ai-ml `_BaseJob._load_from_rest`), its log
is the artifact user_logs/std_log.txt, and a node that has not begun has no child.
"""

import shutil
from pathlib import Path
from typing import Any

from amlspec.errors import UserError
from localml import records

_NOT_BEGUN = ("NotStarted", "NotRun")


def of(record: dict[str, Any]) -> list[dict[str, Any]]:
    """The children of a job, the newest first."""
    begun = {name: step for name, step in record["jobs"].items() if step["status"] not in _NOT_BEGUN}
    return [_child(record, name, step) for name, step in reversed(begun.items())]


def find(name: str) -> tuple[dict[str, Any], str | None]:
    """The job of `job` or `job/step`, and the step. Raises UserError where there is none."""
    job, _, step = name.partition("/")
    record = records.load(job)
    if step and step not in record["jobs"]:
        raise UserError(f"job {name} does not exist here: {job} has {', '.join(record['jobs'])}")
    return record, step or None


def shown(record: dict[str, Any], step: str) -> dict[str, Any]:
    """One child."""
    return _child(record, step, record["jobs"][step])


def _child(record: dict[str, Any], name: str, step: dict[str, Any]) -> dict[str, Any]:
    reused = step.get("reused_from")
    return {
        "name": f"{record['name']}/{name}",
        "type": "base",
        "display_name": name,
        "experiment_name": record["experiment_name"],
        "status": step["status"],
        "creation_context": {"created_at": step.get("started")},
        "properties": {"azureml.isreused": "true", "azureml.reusedrunid": reused} if reused else {},
        "seconds": step["seconds"],
        "error": step.get("error"),
        "reused_from": reused,
        "log": step["log"],
    }


def download(record: dict[str, Any], step: str, output: str | None, folder: Path) -> None:
    """Copy a step's output to <folder>/named-outputs/<output>, its log to <folder>/artifacts without `output`."""
    entry = record["jobs"][step]
    if output is None:
        target = folder / "artifacts" / "user_logs" / "std_log.txt"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(entry["log"], target)
        return
    if output not in (entry.get("outputs") or {}):
        known = ", ".join(entry.get("outputs") or {}) or "none, it did not end well"
        raise UserError(f"job {record['name']}/{step} has no output {output}: it has {known}")
    copy(Path(entry["outputs"][output]), folder / "named-outputs" / output)


def copy(source: Path, target: Path) -> None:
    """Copy a file or a folder's content."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)

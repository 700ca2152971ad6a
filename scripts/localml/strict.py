"""LOCALML_STRICT=1: answers as those of `az ml`, so that a script that only understands the engine's fails here.

Dots on stdout before the answer of a verb that waits, states as extension 2.45 spells them, an error for the versions
of an unknown name, and records without what only this engine knows (seconds, local paths, logs).
"""

import os
from typing import Any

from amlspec.errors import UserError

# Fields that no record of Azure ML has; `jobs` there are the nodes of the spec, whose states are the child jobs'.
_OURS = frozenset({"seconds", "error", "reused_from", "log", "local"})
_WAITS = {
    "online-endpoint": ("create", "update", "delete"),
    "online-deployment": ("create", "update", "delete"),
    "compute": ("attach",),
    "schedule": ("create", "enable", "disable", "delete"),
}


def is_on() -> bool:
    """Whether answers are to be those of the service."""
    return os.environ.get("LOCALML_STRICT") == "1"


def dots(group: str, verb: str) -> str:
    """What stands on stdout before the answer of a verb that the service answers only when it has ended."""
    return "..." if verb in _WAITS.get(group, ()) else ""


def answer(group: str, verb: str, data: Any, name: str | None = None) -> Any:
    """`data` as the service would print it. Raises UserError for the versions of a `name` that has none."""
    if verb == "list" and data == [] and name:
        raise UserError(f"(UserError) {group.capitalize()} container with name: {name} not found.", 1)
    shown = _as_service(data)
    return _job(shown) if group == "job" and isinstance(shown, dict) else shown


def _as_service(data: Any) -> Any:
    if isinstance(data, list):
        return [_as_service(each) for each in data]
    if not isinstance(data, dict):
        return data
    kept = {key: value for key, value in data.items() if key not in _OURS}
    if "provisioning_state" in kept:
        kept["provisioning_state"] = f"EndpointProvisioningState.{_enum(kept['provisioning_state'])}"
    if "status" in kept:
        kept["status"] = f"JobStatus.{_enum(kept['status'])}"
    if str(kept.get("path", "")).startswith("/"):
        kept["path"] = f"azureml://datastores/workspaceblobstore/paths/{kept.get('name')}/{kept.get('version')}"
    return kept


def _job(record: dict[str, Any]) -> dict[str, Any]:
    """A job: outputs by the datastore's address, nodes without states."""
    outputs = {
        name: {
            "type": each["type"],
            "mode": "rw_mount",
            "path": f"azureml://datastores/workspaceblobstore/paths/azureml/{name}",
        }
        for name, each in (record.get("outputs") or {}).items()
    }
    nodes = {name: {"type": "command"} for name in record.get("jobs") or {}}
    return {**record, "outputs": outputs, "jobs": nodes}


def _enum(word: str) -> str:
    """COMPLETED of Completed, NOT_STARTED of NotStarted."""
    return "".join(f"_{each}" if each.isupper() and index else each for index, each in enumerate(word)).upper()

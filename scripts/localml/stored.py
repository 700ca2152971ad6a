"""What the engine keeps, by the address that Azure ML gives it: a datastore's path, or an output of an earlier job."""

import re
from pathlib import Path
from typing import Any

from amlspec.errors import UserError
from host.state import home
from localml import records

_WORKSPACE = r"subscriptions/[^/]+/resource[gG]roups/[^/]+/(?:providers/[^/]+/)?workspaces/[^/]+/"
_DATASTORE = re.compile(rf"azureml://(?:{_WORKSPACE})?datastores/([\w-]+)/paths/(.+?)/?")
_JOB = re.compile(rf"azureml://(?:{_WORKSPACE})?jobs/([^/]+)/outputs/([^/]+)(?:/paths/(.*?))?/?")


def stored_path(uri: str, where: str) -> Path | None:
    """Local place of a datastore's path or of a job's output; None for any other text."""
    return datastore_path(uri) or _job_path(uri, where)


def datastore_path(uri: str) -> Path | None:
    """Local folder that stands for `azureml://datastores/<store>/paths/<path>`; None for any other text."""
    match = _DATASTORE.fullmatch(uri)
    if not match:
        return None
    return home() / "datastores" / match[1] / _inside(match[2], uri)


def _inside(path: str, uri: str) -> str:
    if ".." in Path(path).parts:
        raise UserError(f"{uri}: a path does not climb out of its store")
    return path


def _job_path(uri: str, where: str) -> Path | None:
    """Place of `azureml://jobs/<job>/outputs/<output>/paths/<path>`: an output of the job, or of its only step."""
    match = _JOB.fullmatch(uri)
    if not match:
        return None
    record = records.load(match[1])
    outputs = _outputs(record)
    if match[2] not in outputs:
        known = ", ".join(outputs) or f"none, it is {record['status'].lower()}"
        raise UserError(f"{where}: {uri}: job {match[1]} has no output {match[2]}: it has {known}")
    return outputs[match[2]] / _inside(match[3] or "", uri)


def _outputs(record: dict[str, Any]) -> dict[str, Path]:
    """Outputs of the job; a job of one step has that step's too, `artifacts` among them."""
    steps = list(record["jobs"].values())
    of_step = (steps[0].get("outputs") or {}) if len(steps) == 1 else {}
    named = {name: each["path"] for name, each in record["outputs"].items()}
    return {name: Path(path) for name, path in {**of_step, **named}.items()}

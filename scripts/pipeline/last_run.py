"""The last run's name and verdict, on either engine."""

import json
import os
from pathlib import Path
from typing import Any

from localml.errors import UserError
from localml.paths import home, read_json, write_json
from pipeline import answers, azml, outputs

# ml/pipelines/train.yml: the output, and the step that writes it.
REPORT = ("report", "register")


def remember(job: str) -> None:
    """Note the name of the run that starts now."""
    write_json(_note(), {"job": job})


def name() -> str:
    """Name of the last run. Raises UserError where there was none."""
    note = read_json(_note())
    if note is None:
        raise UserError("no run yet: `make run-pipeline` makes one")
    return str(note["job"])


def _note() -> Path:
    return home() / "runs" / f"{os.environ.get('ENV', 'local')}.json"


def verdict(job: str) -> dict[str, Any]:
    """verdict.json of a run, with the seconds of each step. Raises UserError where the run did not end well."""
    record = azml.call("job", "show", "--name", job)
    status = answers.state(record.get("status"))
    if status != "completed":
        raise UserError(f"the last run {job} is {status}, so it has no verdict", 1)
    found: dict[str, Any] = json.loads((report_folder(record) / "verdict.json").read_text())
    found["seconds"] = _seconds(record)
    return found


def _seconds(record: dict[str, Any]) -> dict[str, float | None]:
    """Seconds of each step; Azure ML's records name none."""
    return {step: each["seconds"] for step, each in (record.get("jobs") or {}).items() if "seconds" in each}


def report_folder(record: dict[str, Any]) -> Path:
    """Folder of the run's report: the output itself on this machine, a download of it from Azure ML."""
    local = (record.get("outputs") or {}).get("report", {}).get("path")
    if local and Path(local).is_dir():
        return Path(local)
    target = home() / "reports" / str(record["name"])
    if not (target / "verdict.json").is_file():
        outputs.fetched(str(record["name"]), *REPORT, target)
    if not (target / "verdict.json").is_file():
        raise UserError(f"the output report of job {record['name']} holds no verdict.json", 1)
    return target

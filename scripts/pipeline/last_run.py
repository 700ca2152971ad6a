"""The last run's name and verdict, on either engine."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from amlspec.errors import UserError
from demand.errors import StepError
from forecasting import verdict as verdicts
from forecasting.verdict import Verdict
from host.state import home, read_json, write_json
from pipeline import answers, azml, outputs

# ml/pipelines/train.yml: the output, and the step that writes it.
REPORT = ("report", "register")


def remember(job: str, model: str, champion: str | None) -> None:
    """Note the run that starts now, and the champion of its model that it meets: two runs at once keep their own."""
    write_json(_note(), {"job": job, "before": (read_json(_note()) or {}).get("job")})
    write_json(_note(job), {"job": job, "model": model, "champion": champion})


def forget(job: str) -> None:
    """Take back the note of a run that was refused, so never began."""
    note = read_json(_note()) or {}
    if note.get("job") == job:
        before = note.get("before")
        write_json(_note(), {"job": before}) if before else _note().unlink()
    _note(job).unlink(missing_ok=True)


def is_known() -> bool:
    """Whether there was a run."""
    return read_json(_note()) is not None


def name() -> str:
    """Name of the last run. Raises UserError where there was none."""
    note = read_json(_note())
    if note is None:
        raise UserError("no run yet: `make run-pipeline` makes one")
    return str(note["job"])


def champion_before(job: str) -> str | None:
    """Version that was the champion when the run started; None without one, or where the run is not from here."""
    return (read_json(_note(job)) or {}).get("champion")


def _note(job: str | None = None) -> Path:
    folder, env = home() / "runs", os.environ.get("ENV", "local")
    return folder / env / f"{job}.json" if job else folder / f"{env}.json"


def verdict(job: str) -> Verdict:
    """verdict.json of a run, with the seconds of each step. Raises UserError where the run did not end well."""
    record = azml.call("job", "show", name=job)
    status = answers.state(record.get("status"))
    if status != "completed":
        raise UserError(f"run {job} is {status}, so it has no verdict", 1)
    # Azure ML's records name no seconds: null.
    seconds = {step: each.get("seconds") for step, each in (record.get("jobs") or {}).items()}
    try:
        return replace(verdicts.read(report_folder(record)), seconds=seconds)
    except StepError as error:
        raise UserError(str(error), 1) from None


def live(model: str) -> dict[str, Any]:
    """How the champion of `model` did in the last run that met one: `live` of its verdict; {} where none is known."""
    try:
        shown = verdict(name()).live or {}
    except UserError:
        return {}
    return dict(shown) if shown.get("name") == model else {}


def is_fetched(job: str) -> bool:
    """Whether the report of a run on Azure was brought to this machine before."""
    return (home() / "reports" / job / "verdict.json").is_file()


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

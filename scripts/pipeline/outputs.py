"""Outputs of a job, brought to this machine on either engine."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from amlspec.errors import UserError
from host.state import home
from pipeline import answers, azml

# ml/pipelines/forecast.yml: the output, and the step that writes it.
FORECASTS = ("forecasts", "forecast")


def of_forecast(record: dict[str, Any]) -> Path:
    """Folder of a batch forecast's files: the output itself on this machine, a download of it from Azure ML, kept."""
    local = (record.get("outputs") or {}).get("forecasts", {}).get("path")
    if local and Path(local).is_dir():
        return Path(local)
    target = home() / "forecasts" / str(record["name"])
    return target if target.is_dir() else fetched(str(record["name"]), *FORECASTS, target)


def fetched(job: str, output: str, node: str, target: Path) -> Path:
    """The folder of a pipeline's output, copied to `target`; `node` is the step whose output of that name it is.

    azure-ai-ml 1.35 finds no named output of a pipeline and ends well with an empty folder (azure-sdk-for-python
    #48941). It does look where the step's own run wrote (`_get_named_output_uri`), so the step is asked next.
    Raises UserError where neither gives a file.
    """
    with tempfile.TemporaryDirectory(dir=home()) as folder:
        problem = _download(job, output, Path(folder))
        if not (files := _files(Path(folder))):
            child = _child(job, node)
            problem = (_download(child, output, Path(folder)) if child else None) or problem
            files = _files(Path(folder))
        if not files:
            reason = f": {problem}" if problem else ", and az says no reason"
            raise UserError(f"the output {output} of job {job} could not be downloaded{reason}", 1)
        named = Path(folder) / "named-outputs" / output
        shutil.copytree(named if named.is_dir() else files[0].parent, target, dirs_exist_ok=True)
    return target


def _download(job: str, output: str, folder: Path) -> UserError | None:
    """Download what there is; the error where the call failed."""
    try:
        azml.run("job", "download", name=job, output_name=output, download_path=folder)
    except UserError as error:
        return error
    return None


def _files(folder: Path) -> list[Path]:
    return sorted((path for path in folder.rglob("*") if path.is_file()), key=lambda path: len(path.parts))


def _child(job: str, node: str) -> str | None:
    """Name of the completed child job of a node."""
    for child in azml.listed("job", "list", parent_job_name=job):
        if child.get("display_name") == node and answers.state(child.get("status")) in ("completed", "finished"):
            return str(child["name"])
    return None

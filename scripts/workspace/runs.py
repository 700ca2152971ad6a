"""Runs as the service knows them: a job's own run and one below it for each step, with ids, and the files they wrote.

The engine calls a step `<job>/<step>`; the service gives a child run an id of its own, which is made of the two here,
so that it needs no table. Names of files are the service's: `azureml/<run>/<output>/` in the workspace's blob store,
`ExperimentRun/dcid.<run>/` in the artifact store (azure-ai-ml `_get_named_output_uri`), `user_logs/std_log.txt` below.
"""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amlspec.errors import UserError
from workspace import engine
from workspace.messages import bad_request
from workspace.site import ARTIFACTS, STORE

_ASSET = re.compile(r"azureml/assets/(?P<kind>models|data)/(?P<name>[\w.-]+)/(?P<version>[\w.-]+)(?:/|$)")
LOG = "user_logs/std_log.txt"
_NAMESPACE = uuid.UUID("6f1c1b0e-4c2a-5a0e-9d0a-6d1f3a2b7c10")
# The parent's id of a child, as found before: jobs are many, and their records do not change their steps.
_known: dict[str, tuple[str, str]] = {}


@dataclass(frozen=True)
class Run:
    """A run: `record` of its job, and the step where it is a child."""

    id: str
    record: dict[str, Any]
    step: str | None = None

    @property
    def status(self) -> str:
        """State of the job or of the step."""
        return str(self.own["status"])

    @property
    def own(self) -> dict[str, Any]:
        """The part of the record that tells of this run."""
        return self.record["jobs"][self.step] if self.step else self.record

    @property
    def log(self) -> Path | None:
        """The log of a step; a pipeline has none, the job of one command has that of its step."""
        if self.step:
            return Path(self.own["log"])
        main = self.record["jobs"].get("main") if engine.is_command(self.record) else None
        return Path(main["log"]) if main else None

    @property
    def outputs(self) -> dict[str, Path]:
        """Output -> file or folder, of what has been written."""
        result = self.own.get("outputs") or {}
        return {name: Path(each if self.step else each["path"]) for name, each in result.items()}


def child_id(job: str, step: str) -> str:
    """Id of the run of a step."""
    return str(uuid.uuid5(_NAMESPACE, f"{job}/{step}"))


def find(run: str) -> Run | None:
    """The run of an id; None where there is none."""
    if record := engine.job_or_none(run):
        return Run(run, record)
    if run not in _known:
        _learn()
    if run not in _known:
        return None
    job, step = _known[run]
    record = engine.job_or_none(job)
    return Run(run, record, step) if record else None


def children(record: dict[str, Any]) -> list[Run]:
    """Runs of the steps that have begun, the newest first."""
    begun = [name for name, step in record["jobs"].items() if step["status"] not in ("NotStarted", "NotRun")]
    return [Run(child_id(record["name"], name), record, name) for name in reversed(begun)]


def _learn() -> None:
    for record in engine.jobs():
        for step in record["jobs"]:
            _known[child_id(record["name"], step)] = (record["name"], step)


def owns(store: str | None, name: str) -> bool:
    """Whether a name in a datastore is that of a run's file, which nobody else writes."""
    split = _split(store, name)
    return split is not None and find(split[0]) is not None


def file(store: str | None, name: str) -> Path | None:
    """The file of a run under a blob's name."""
    return next((path for result, path in walk(store, name) if result == name), None)


def place(store: str, name: str) -> Path | None:
    """File or folder of an asset or of a run's output by its name in a datastore; None for any other name.

    Raises ServiceError for a name that climbs out.
    """
    if ".." in Path(name).parts:
        raise bad_request(f"{name}: a path does not climb out of its store.")
    if store == STORE and (match := _ASSET.match(name)):
        return _below(_asset(match), name[match.end() :])
    split = _split(store, name)
    run = find(split[0]) if split and store == STORE else None
    if split is None or run is None:
        return None
    output, _, rest = split[1].partition("/")
    return _below(run.outputs.get(output), rest)


def _below(base: Path | None, rest: str) -> Path | None:
    return base / rest if base is not None and base.is_dir() else base


def walk(store: str | None, prefix: str) -> Iterator[tuple[str, Path]]:
    """(blob's name, file) of the run that a prefix names, or of the asset that the command line or a job made."""
    if store == STORE and (match := _ASSET.match(prefix)):
        yield from (each for each in _of_asset(match) if each[0].startswith(prefix))
        return
    split = _split(store, prefix)
    run = find(split[0]) if split else None
    if split is None or run is None:
        return
    base = prefix[: len(prefix) - len(split[1])]
    for name, path in _files(run, str(store)):
        if f"{base}{name}".startswith(prefix):
            yield f"{base}{name}", path


def _of_asset(match: re.Match[str]) -> Iterator[tuple[str, Path]]:
    content, base = _asset(match), match[0].rstrip("/")
    for path in ([content] if content.is_file() else content.rglob("*")) if content else ():
        if content and path.is_file():
            yield f"{base}/{path.name if content == path else path.relative_to(content).as_posix()}", path


def _asset(match: re.Match[str]) -> Path | None:
    try:
        return engine.content({"models": "model", "data": "data"}[match["kind"]], match["name"], match["version"])
    except UserError:
        return None


def _split(store: str | None, name: str) -> tuple[str, str] | None:
    """(run, rest) of the name of a run's file."""
    head = {STORE: "azureml/", ARTIFACTS: "ExperimentRun/dcid."}.get(str(store))
    if head is None or not name.startswith(head):
        return None
    run, slash, rest = name.removeprefix(head).partition("/")
    return (run, rest) if slash else None


def _files(run: Run, store: str) -> Iterator[tuple[str, Path]]:
    if store == ARTIFACTS:
        if run.log and run.log.is_file():
            yield LOG, run.log
        return
    for output, place in run.outputs.items():
        if place.is_file():
            yield f"{output}/{place.name}", place
        for path in place.rglob("*") if place.is_dir() else ():
            if path.is_file():
                yield f"{output}/{path.relative_to(place).as_posix()}", path

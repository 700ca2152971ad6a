"""Verbs of schedules; `run-due`, the one that `az ml` has not, does what has become due in the meantime.

Azure ML starts a job at its moment, since it is always there. A laptop is not: what was due since the last time is done
when it is asked for, one job after the other in the order of their moments, each as of its own (an input that is
`${{creation_context.trigger_time}}` has it). Each is done once: a `run-due` that was killed goes on with the job that
it was killed in.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from amlspec import triggers
from amlspec.document import Document, read_document
from amlspec.errors import UserError
from host.state import home, read_json, write_json
from localml import records, specs, verbs_jobs
from localml.specs import Spec
from localml.view import View, quiet

Record = dict[str, Any]
TRIGGER_TIME = "${{creation_context.trigger_time}}"
_SECOND = timedelta(seconds=1)
# What the service never shows: from when on a moment is still to come.
_OURS = frozenset({"since", "folder"})


def create(spec: Spec, *, name: str | None = None, settings: Sequence[str] = (), no_wait: bool = False) -> Record:
    """Make a schedule, or replace the one of that name, which is then enabled; --no-wait changes nothing here."""
    return make(specs.load(spec, settings, name=name), _now())


def make(document: Document, created: datetime) -> Record:
    """The same of a parsed spec, as if it were done at that moment: what is due after it is still to come."""
    data = document.data
    if not data.get("name"):
        raise UserError(f"{document.where()}: a schedule needs a name: add `name:` or give --name")
    _read_trigger(document, data.get("trigger") or {})
    if "create_monitor" not in data:
        _job(document)  # a schedule of a job that there is not is refused now
    shown: Record = {key: data.get(key) for key in ("name", "display_name", "description")}
    target: Record = {key: data[key] for key in ("create_job", "import_data", "create_monitor") if key in data}
    record: Record = {
        **shown,
        "tags": data.get("tags") or {},
        "trigger": {key: str(value) if "time" in key else value for key, value in dict(data["trigger"]).items()},
        **target,
        "is_enabled": True,
        "creation_context": {"created_at": created.isoformat()},
        "since": created.isoformat(),
        "folder": str(document.path.parent.absolute()),
    }
    _save(record)
    return _shown(record)


def show(name: str) -> Record:
    """One schedule."""
    return _shown(_load(name))


def list_(
    *, include_disabled: bool = False, disabled_only: bool = False, max_results: int | None = None
) -> list[Record]:
    """Those that are enabled, or with the flags the disabled ones, too, or alone."""
    chosen = [each for each in _all() if include_disabled or each["is_enabled"] != disabled_only]
    return [_shown(each) for each in chosen][:max_results]


def enable(name: str, *, no_wait: bool = False) -> Record:
    """Let a schedule start jobs again, from now on: what was due while it was disabled is not made up for."""
    return _switch(name, True)


def disable(name: str, *, no_wait: bool = False) -> Record:
    """Keep a schedule from starting jobs."""
    return _switch(name, False)


def _switch(name: str, on: bool) -> Record:
    record = _load(name)
    since = record["since"] if record["is_enabled"] else _now().isoformat()
    _save(record | {"is_enabled": on, "since": since})
    return _shown(_load(name))


def delete(name: str, *, no_wait: bool = False) -> None:
    """Remove a schedule; the jobs that it has started stay."""
    _load(name)
    _path(name).unlink(missing_ok=True)


def trigger(name: str) -> Record:
    """Start the job of a schedule now, whether or not it is enabled."""
    record = _load(name)
    now = _now()
    job = verbs_jobs.create(_due_job(record, now), name=_free_name(_job_name(name, now)))
    return {"job_name": job["name"], "schedule_action_type": "CreateJob"}


def run_due(*, now: str | None = None, screen: Callable[[str], View] = quiet) -> list[Record]:
    """Run what has become due by --now, an ISO time (default: the clock's), each job to its end.

    A job that fails keeps no other from its turn; the call then ends with 1.
    """
    done = list(each_due(now, screen))
    failed = [each["job"] for each in done if each["status"] != "Completed"]
    if failed:
        raise UserError(f"of {len(done)} jobs that were due, these failed: {', '.join(failed)}", 1)
    return done


def each_due(now: str | None, screen: Callable[[str], View]) -> Iterator[Record]:
    """The same one by one, for a caller who does something between two jobs: schedule, time, job, status, spec."""
    until = _asked(now)
    for record, moment in iter(lambda: _next(until), None):
        yield {"schedule": record["name"], "time": moment.isoformat(), **_run(record, moment, screen)}
        _save(_load(record["name"]) | {"since": (moment + _SECOND).isoformat()})
    for record in _all():
        if datetime.fromisoformat(record["since"]) <= until:
            _save(record | {"since": (until + _SECOND).isoformat()})


def _next(until: datetime) -> tuple[Record, datetime] | None:
    """The schedule and the moment that come first."""
    runs = [each for each in _all() if each["is_enabled"] and "create_monitor" not in each]
    waiting = ((next(_moments(each, until), None), each["name"], each) for each in runs)
    due = sorted((moment, name, record) for moment, name, record in waiting if moment is not None)
    return (due[0][2], due[0][0]) if due else None


def _moments(record: Record, until: datetime) -> Iterator[datetime]:
    created = datetime.fromisoformat(record["creation_context"]["created_at"])
    return triggers.read(record["trigger"]).due(created, datetime.fromisoformat(record["since"]), until)


def _run(record: Record, moment: datetime, screen: Callable[[str], View]) -> Record:
    """The job of a moment; one that an earlier call has brought to its end is not run again."""
    first = _job_name(record["name"], moment)
    ended = next((name for name in _names(first) if _has_completed(name)), None)
    done: Record = {"job": ended or _free_name(first), "spec": "", "status": "Completed"}
    try:
        job = _due_job(record, moment)
        done["spec"] = str(job.path)
        if not ended:
            verbs_jobs.create(job, name=done["job"], stream=True, screen=screen)
    except UserError as error:
        return {**done, "status": "Failed", "error": str(error)}
    return done


def _has_completed(name: str) -> bool:
    before = read_json(records.folder(name) / "job.json")
    return bool(before) and before["status"] == "Completed"


def _job_name(schedule: str, moment: datetime) -> str:
    return f"{schedule}-{moment.astimezone(UTC):%Y%m%d-%H%M%S}"


def _free_name(name: str) -> str:
    """The name, or with a number what an attempt before it has left free."""
    return next(each for each in _names(name, 1000) if not records.folder(each).exists())


def _names(name: str, attempts: int = 10) -> Iterator[str]:
    return (name if number == 1 else f"{name}-{number}" for number in range(1, attempts))


def _due_job(record: Record, moment: datetime) -> Document:
    """The job as it is at a moment."""
    if "create_monitor" in record:
        raise UserError(f"{record['name']} is a monitor that Azure ML runs itself; here `make monitor` watches", 1)
    document = _job(Document(Path(record["folder"]) / record["name"], dict(record), {}, record["name"]))
    inputs = document.data.get("inputs") or {}
    moment_text = f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    document.data["inputs"] = {name: moment_text if value == TRIGGER_TIME else value for name, value in inputs.items()}
    return document


def _job(document: Document) -> Document:
    """The job that a schedule starts: the file that it names, with what the schedule changes in it."""
    if "import_data" in document.data:
        raise UserError(f"{document.where('import_data')}: Azure ML has retired imports: schedule a pipeline instead")
    given = document.data.get("create_job")
    changes = given if isinstance(given, dict) else {"job": given}
    reference = changes.get("job")
    if not isinstance(reference, str) or reference.startswith("azureml:"):
        raise UserError(f"{document.where('create_job')}: localml starts jobs of a file: create_job: ./train.yml")
    path = document.path.parent / reference.removeprefix("file:")
    job = read_document(path)
    merged = _merged(job.data, {key: value for key, value in changes.items() if key != "job"})
    unknown = sorted(set(merged.get("inputs") or {}) - set(job.data.get("inputs") or {}))
    if unknown:
        raise UserError(f"{document.where('create_job', 'inputs')}: {path.name} has no input {unknown[0]}")
    return replace(job, data=merged)


def _merged(base: Any, changes: Any) -> Any:
    """As azure-ai-ml merges them (`_utils.utils.merge_dict`): mappings key by key, anything else is replaced."""
    if not (isinstance(base, dict) and isinstance(changes, dict)):
        return copy.deepcopy(changes)
    return {**copy.deepcopy(base), **{key: _merged(base.get(key), value) for key, value in changes.items()}}


def _read_trigger(document: Document, trigger: Mapping[str, Any]) -> None:
    try:
        if not trigger:
            raise triggers.TriggerError("a schedule needs a trigger: type cron or recurrence")
        triggers.read(trigger)
    except triggers.TriggerError as error:
        raise UserError(f"{document.where('trigger', *error.path)}: {error}") from None


def _asked(now: str | None) -> datetime:
    if now is None:
        return _now()
    try:
        moment = datetime.fromisoformat(now)
    except ValueError:
        raise UserError(f"--now {now}: write a time such as 2027-01-01T05:00Z") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).replace(microsecond=0)


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _all() -> list[Record]:
    return [read_json(path) for path in sorted((home() / "schedules").glob("*.json"))]


def _load(name: str) -> Record:
    record: Record | None = read_json(_path(name))
    if record is None:
        raise UserError(f"schedule {name} does not exist here: `localml schedule list` shows what does")
    return record


def _save(record: Record) -> None:
    write_json(_path(record["name"]), record)


def _path(name: str) -> Path:
    return home() / "schedules" / f"{Path(name).name}.json"


def _shown(record: Record) -> Record:
    return {key: value for key, value in record.items() if key not in _OURS}

"""Verbs of jobs: create, show, list, stream, cancel, download; and `data import`, which is a job here."""

import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from amlspec.document import Document
from amlspec.errors import UserError
from host import process
from localml import children, log_warnings, planner, records, recovery, runner, specs, strict
from localml.plan import Plan
from localml.specs import Spec
from localml.view import View, quiet

Record = dict[str, Any]
# Makes the view of a job by its name.
Screen = Callable[[str], View]


def create(
    spec: Spec,
    *,
    name: str | None = None,
    settings: Sequence[str] = (),
    stream: bool = False,
    screen: Screen = quiet,
) -> Record:
    """Run a job: to its end with --stream, in the background without."""
    document = specs.load(spec, settings)
    planned, record = _planned(document, name)
    return _run(planned, record, screen) if stream else _detach(document, record)


def begin(spec: Spec, *, name: str | None = None, settings: Sequence[str] = ()) -> Record:
    """Run a job in a forked process while the caller goes on: `job create` without a second interpreter's start.

    Not for a caller with threads: a fork takes one of them along, and whatever locks the others held.
    """
    planned, record = _planned(specs.load(spec, settings), name)
    if os.fork() == 0:
        _run_forked(planned, record)
    return _shown(record)


def _planned(document: Document, name: str | None) -> tuple[Plan, Record]:
    recovery.recover()
    planned = planner.make(specs.load(document))  # planning rewrites nodes, and another process may plan it once more
    record = records.create(name or document.data.get("name"), planned.display_name, planned.experiment, "pipeline")
    record["inputs"] = planned.inputs
    record["description"] = document.data.get("description")
    record["tags"] = document.data.get("tags") or {}
    record["spec"] = str(document.path)
    return planned, record


def _run_forked(planned: Plan, record: Record) -> NoReturn:
    """The engine, out of reach of the terminal's Ctrl-C; the record tells how it went, engine.log what it said."""
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with (records.folder(record["name"]) / "engine.log").open("ab") as log:
            for stream in (1, 2):
                os.dup2(log.fileno(), stream)
        record["engine"] = process.process_mark(os.getpid())
        _run(planned, record, View)
        code = 0
    except (UserError, KeyboardInterrupt):
        pass  # the record says so
    except BaseException:  # nothing above this frame is the engine's
        traceback.print_exc()
    finally:
        os._exit(code)


def _run(planned: Plan, record: Record, screen: Screen) -> Record:
    with screen(record["name"]) as shown:
        done = runner.Runner(planned, record, shown).run()
        for line in log_warnings.lines(done):
            shown.say(line)
    if done["status"] == "Failed":
        failed = [name for name, step in done["jobs"].items() if step["status"] == "Failed"]
        message = f"job {done['name']} failed in {', '.join(failed)}; finished steps are kept for the next run"
        raise UserError(message, 1)
    return _shown(done)


def _detach(document: Document, record: Record) -> Record:
    """Hand the job to a process of its own, which plans it again under the same name."""
    specs.save(document, _handed_over(record["name"]))
    command = [sys.executable, "-m", "localml", "_run", record["name"]]
    with (records.folder(record["name"]) / "engine.log").open("ab") as log:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    record["engine"] = process.process_mark(child.pid)
    records.save(record)
    return _shown(record)


def _handed_over(name: str) -> Path:
    return records.folder(name) / "spec.yml"


def run_detached(name: str, *, screen: Screen = quiet) -> Record:
    """The other end of `_detach`."""
    record = records.load(name)
    record["engine"] = process.process_mark(os.getpid())
    try:
        return _run(planner.make(specs.restore(_handed_over(name))), record, screen)
    except UserError as error:
        if record["status"] not in records.FINAL:
            record.update(status="Failed", error=str(error))
            records.save(record)
        raise


def show(name: str) -> Record:
    """One job, or one step of it as `<job>/<step>`."""
    record, step = children.find(name)
    if record["status"] not in records.FINAL and not process.is_alive(record["engine"]):
        recovery.recover()
        record, step = children.find(name)
    return children.shown(record, step) if step else _shown(record)


def list_(*, max_results: int | None = None, parent_job_name: str | None = None) -> list[Record]:
    """Jobs, the newest first; with --parent-job-name the steps of one."""
    if parent_job_name:
        return children.of(records.load(parent_job_name))[:max_results]
    recovery.recover()
    keys = ("name", "type", "display_name", "experiment_name", "status", "seconds", "creation_context")
    return [{key: record[key] for key in keys} for record in records.load_all()][:max_results]


def stream(name: str, *, say: Callable[[str], None] = lambda _: None) -> Record:
    """Follow a job to its end, a line to `say` for each change; exit code 1 where it failed."""
    seen: dict[str, str] = {}
    while True:
        recovery.recover()
        record = records.load(name)
        for line in _changes(record, seen):
            say(line)
        if record["status"] in records.FINAL:
            break
        time.sleep(0.1)
    for line in log_warnings.lines(record):
        say(line)
    if record["status"] != "Completed":
        reason = record["error"] or "see its steps above"
        raise UserError(f"job {record['name']} {record['status'].lower()}: {reason}", 1)
    return _shown(record)


def _changes(record: Record, seen: dict[str, str]) -> Iterator[str]:
    """A line for each step whose status is not the one in `seen`, which is brought up to date."""
    for name, step in record["jobs"].items():
        if step["status"] == seen.get(name, "NotStarted"):
            continue
        seen[name] = step["status"]
        yield f"  {name}: {step['status'].lower()}"
        if step["status"] == "Failed":
            yield from (f"    {line}" for line in process.tail(Path(step["log"])))


def cancel(name: str) -> None:
    """End a running job and its steps."""
    record = records.load(name)
    if record["status"] in records.FINAL or not process.is_alive(record["engine"]):
        raise UserError(f"job {name} does not run: it is {record['status']}")
    os.kill(record["engine"]["pid"], signal.SIGTERM)


def download(name: str, *, output_name: str | None = None, all: bool = False, download_path: str | Path = ".") -> None:
    """Copy one output (--output-name) or all (--all) to <download-path>/named-outputs/<name>, as the CLI lays them;
    of a step, `<job>/<step>`, its log too."""
    target = Path(download_path)
    record, step = children.find(name)
    if step:
        return children.download(record, step, output_name, target)
    if strict.is_on():
        return None  # azure-ai-ml 1.35 finds no named output of a pipeline, and says nothing
    names = [output_name] if output_name else sorted(record["outputs"])
    if not output_name and not all:
        raise UserError("job download needs --output-name or --all")
    for each in names:
        if each not in record["outputs"]:
            known = ", ".join(record["outputs"]) or "none, it did not end well"
            raise UserError(f"job {name} has no output {each}: it has {known}")
        children.copy(Path(record["outputs"][each]["path"]), target / "named-outputs" / each)
    return None


def data_import(spec: str | Path, *, settings: Sequence[str] = (), screen: Screen = quiet) -> Record:
    """Execute a DataImport spec. Azure ML has retired its own; the repo's import pipeline does it on both engines."""
    path = Path(spec).resolve()
    pipelines = (parent / "pipelines" / "import.yml" for parent in path.parents)
    pipeline = next((each for each in pipelines if each.is_file()), None)
    if pipeline is None:
        raise UserError(f"{spec}: no pipelines/import.yml above it, which is what executes an import spec")
    return create(pipeline, settings=[f"inputs.import_spec.path={path}", *settings], stream=True, screen=screen)


def _shown(record: Record) -> Record:
    """The record without what is the engine's own."""
    return {key: value for key, value in record.items() if key != "engine"}

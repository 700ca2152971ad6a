"""Verbs of jobs: create, show, list, stream, cancel, download; and `data import`, which is a job here."""

import os
import signal
import subprocess
import sys
import time
import traceback
from argparse import Namespace
from pathlib import Path
from typing import Any, NoReturn

from amlspec.document import read_document
from amlspec.errors import UserError
from host import process
from localml import children, log_warnings, overrides, plan, records, runner, strict, view
from localml.plan import Plan


def create(args: Namespace) -> Any:
    """Run a job: to its end with --stream, in the background without."""
    planned, record = _planned(args)
    if args.stream:
        return _run(planned, record)
    return _detach(args, record)


def begin(args: Namespace) -> None:
    """Run a job in a forked process while the caller goes on: `job create` without a second interpreter's start."""
    planned, record = _planned(args)
    if os.fork() == 0:
        _run_forked(planned, record)


def _planned(args: Namespace) -> tuple[Plan, dict[str, Any]]:
    runner.recover()
    document = read_document(Path(args.file))
    overrides.apply(document, args.set or [])
    planned = plan.make(document)
    name = args.name or document.data.get("name")
    record = records.create(name, planned.display_name, planned.experiment, "pipeline")
    record["inputs"] = planned.inputs
    record["description"] = document.data.get("description")
    record["tags"] = document.data.get("tags") or {}
    record["spec"] = str(Path(args.file))
    return planned, record


def _run_forked(planned: Plan, record: dict[str, Any]) -> NoReturn:
    """The engine, out of reach of the terminal's Ctrl-C; the record tells how it went, engine.log what it said."""
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with (records.folder(record["name"]) / "engine.log").open("ab") as log:
            for stream in (1, 2):
                os.dup2(log.fileno(), stream)
        record["engine"] = process.process_mark(os.getpid())
        _run(planned, record)
        code = 0
    except (UserError, KeyboardInterrupt):
        pass  # the record says so
    except BaseException:  # nothing above this frame is the engine's
        traceback.print_exc()
    finally:
        os._exit(code)


def _run(planned: Plan, record: dict[str, Any]) -> dict[str, Any]:
    with view.of_job(record["name"]) as shown:
        done = runner.Runner(planned, record, shown).run()
        for line in log_warnings.lines(done):
            shown.say(line)
    if done["status"] == "Failed":
        failed = [name for name, step in done["jobs"].items() if step["status"] == "Failed"]
        message = f"job {done['name']} failed in {', '.join(failed)}; finished steps are kept for the next run"
        raise UserError(message, 1)
    return _shown(done)


def _detach(args: Namespace, record: dict[str, Any]) -> dict[str, Any]:
    """Hand the job to a process of its own, which plans it again under the same name."""
    command = [sys.executable, "-m", "localml", "_run", record["name"], "--file", args.file]
    for setting in args.set or []:
        command += ["--set", setting]
    with (records.folder(record["name"]) / "engine.log").open("ab") as log:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    record["engine"] = process.process_mark(child.pid)
    records.save(record)
    return _shown(record)


def run_detached(args: Namespace) -> Any:
    """The other end of `_detach`."""
    record = records.load(args.name)
    record["engine"] = process.process_mark(os.getpid())
    document = read_document(Path(args.file))
    overrides.apply(document, args.set or [])
    try:
        return _run(plan.make(document), record)
    except UserError as error:
        if record["status"] not in records.FINAL:
            record.update(status="Failed", error=str(error))
            records.save(record)
        raise


def show(args: Namespace) -> Any:
    """One job, or one step of it as `<job>/<step>`."""
    record, step = children.find(args.name)
    if record["status"] not in records.FINAL and not process.is_alive(record["engine"]):
        runner.recover()
        record, step = children.find(args.name)
    return children.shown(record, step) if step else _shown(record)


def list_(args: Namespace) -> Any:
    """Jobs, the newest first; with --parent-job-name the steps of one."""
    if args.parent_job_name:
        return children.of(records.load(args.parent_job_name))[: args.max_results]
    runner.recover()
    keys = ("name", "type", "display_name", "experiment_name", "status", "seconds", "creation_context")
    found = [{key: record[key] for key in keys} for record in records.load_all()]
    return found[: args.max_results] if args.max_results is not None else found


def stream(args: Namespace) -> Any:
    """Follow a job to its end; exit code 1 where it failed."""
    told: dict[str, str] = {}
    while True:
        runner.recover()
        record = records.load(args.name)
        for name, step in record["jobs"].items():
            if step["status"] != told.get(name, "NotStarted"):
                told[name] = step["status"]
                sys.stderr.write(f"  {name}: {step['status'].lower()}\n")
                if step["status"] == "Failed":
                    sys.stderr.writelines(f"    {line}\n" for line in process.tail(Path(step["log"])))
        if record["status"] in records.FINAL:
            break
        time.sleep(0.1)
    sys.stderr.writelines(f"{line}\n" for line in log_warnings.lines(record))
    if record["status"] != "Completed":
        reason = record["error"] or "see its steps above"
        raise UserError(f"job {record['name']} {record['status'].lower()}: {reason}", 1)
    return _shown(record)


def cancel(args: Namespace) -> Any:
    """End a running job and its steps."""
    record = records.load(args.name)
    if record["status"] in records.FINAL or not process.is_alive(record["engine"]):
        raise UserError(f"job {args.name} does not run: it is {record['status']}")
    os.kill(record["engine"]["pid"], signal.SIGTERM)
    return None


def download(args: Namespace) -> Any:
    """Copy one output (--output-name) or all (--all) to <download-path>/named-outputs/<name>, as the CLI lays them;
    of a step, `<job>/<step>`, its log too."""
    record, step = children.find(args.name)
    if step:
        return children.download(record, step, args.output_name, Path(args.download_path))
    if strict.is_on():
        return None  # azure-ai-ml 1.35 finds no named output of a pipeline, and says nothing
    names = [args.output_name] if args.output_name else sorted(record["outputs"])
    if not args.output_name and not args.all:
        raise UserError("job download needs --output-name or --all")
    for name in names:
        if name not in record["outputs"]:
            known = ", ".join(record["outputs"]) or "none, it did not end well"
            raise UserError(f"job {args.name} has no output {name}: it has {known}")
        children.copy(Path(record["outputs"][name]["path"]), Path(args.download_path) / "named-outputs" / name)
    return None


def data_import(args: Namespace) -> Any:
    """Execute a DataImport spec. Azure ML has retired its own; the repo's import pipeline does it on both engines."""
    spec = Path(args.file).resolve()
    for parent in spec.parents:
        pipeline = parent / "pipelines" / "import.yml"
        if pipeline.is_file():
            break
    else:
        raise UserError(f"{args.file}: no pipelines/import.yml above it, which is what executes an import spec")
    settings = [f"inputs.import_spec.path={spec}", *(args.set or [])]
    return create(Namespace(file=str(pipeline), set=settings, name=None, stream=True))


def _shown(record: dict[str, Any]) -> dict[str, Any]:
    """The record without what is the engine's own."""
    return {key: value for key, value in record.items() if key != "engine"}

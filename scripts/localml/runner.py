"""Runs a plan: steps whose inputs are there, side by side; outputs kept whole or not at all; every state recorded."""

import contextlib
import datetime as dt
import os
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from amlspec.bindings import FromJob, Value
from amlspec.errors import UserError
from amlspec.schema import Output
from host import hashing, process
from host.state import home
from localml import assets, cache, packages, records, runs, tracking, workdir
from localml.environments import Resolved
from localml.plan import Plan, Step
from localml.refusals import check_process
from localml.values import Data
from localml.view import View

_POLL_SECONDS = 0.02
_RUN_STATUS = {"Completed": runs.FINISHED, "Failed": runs.FAILED, "Canceled": runs.KILLED}


@dataclass
class Running:
    """A step under way."""

    process: subprocess.Popen[bytes]
    key: str
    lock: FileLock | None
    started: float
    attempt: str
    run: str


@dataclass
class State:
    """What is known of each step while the job runs."""

    running: dict[str, Running] = field(default_factory=dict)
    outputs: dict[str, dict[str, Data]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


class Runner:
    """One job from its first step to its last."""

    def __init__(self, plan: Plan, record: dict[str, Any], view: View) -> None:
        self.plan = plan
        self.record = record
        self.view = view
        self.folder = records.folder(record["name"])
        self.root = ""
        self.state = State()
        self.slots = int(os.environ.get("LOCALML_MAX_PARALLEL", max(2, os.cpu_count() or 2)))
        self.keep_going = plan.settings.continue_on_step_failure
        self.noted: set[str] = set()
        for name in plan.steps:
            record["jobs"][name] = {"status": "NotStarted", "seconds": None, "log": str(self.folder / name / "log.txt")}

    def run(self) -> dict[str, Any]:
        """Run to the end; the job's record. An interrupt or a kill request ends the steps and is raised again."""
        started = time.monotonic()
        self._save()
        try:
            tracking.prepare(self.plan.experiment)
            self.root = tracking.start_job(self.plan.experiment, self.record["name"])
            self._loop()
            if not self.state.failed:
                self._register_outputs()
            self.record["status"] = "Failed" if self.state.failed else "Completed"
        except BaseException as error:
            self._cancel_running("Canceled")
            interrupted = isinstance(error, KeyboardInterrupt)
            self.record["status"] = "Canceled" if interrupted else "Failed"
            self.record["error"] = "interrupted" if interrupted else str(error) or type(error).__name__
            raise
        finally:
            self.record["seconds"] = round(time.monotonic() - started, 3)
            with contextlib.suppress(UserError):
                runs.finish(self.root, _RUN_STATUS[self.record["status"]])
            self._save()
        return self.record

    def _loop(self) -> None:
        while True:
            while self._start_ready():
                pass  # a reused step may have made others ready
            self.view.tick(self.record)
            if not self.state.running and not self._waiting():
                return
            time.sleep(_POLL_SECONDS)
            for name in list(self.state.running):
                if name in self.state.running:  # one that failed cancels the others
                    self._poll(name)

    def _waiting(self) -> list[str]:
        """Steps that may still start: their sources are done or may get done."""
        if self.state.failed and not self.keep_going:
            return []
        open_steps = []
        for name, step in self.plan.steps.items():
            lost = any(self._status(source) in ("Failed", "Canceled", "NotRun") for source in step.waits_for)
            if self._status(name) == "NotStarted" and lost:
                self._update(name, status="NotRun")
            elif self._status(name) == "NotStarted":
                open_steps.append(name)
        return open_steps

    def _start_ready(self) -> bool:
        """Start or reuse what can be; whether anything was reused."""
        known = len(self.state.outputs)
        for name in self._waiting():
            step = self.plan.steps[name].of_job(self.record["name"])
            if step.waits_for <= self.state.outputs.keys() and len(self.state.running) < self.slots:
                self._start(name, step)
        return len(self.state.outputs) > known

    def _start(self, name: str, step: Step) -> None:
        inputs = {key: self._value(bound) for key, bound in step.inputs.items()}
        reusable = self.plan.reuses and cache.is_reusable(step)
        key = cache.key_of(step, inputs) if reusable else cache.unique_key()
        if reusable and (entry := cache.lookup(key)):
            return self._reuse(name, key, entry)
        lock = self._lock(key) if reusable else None
        if reusable and lock is None:
            return None  # another run makes the same outputs now; look again at the next turn
        if reusable and (entry := cache.lookup(key)):  # that run ended between the look and the lock
            if lock:
                lock.release()
            return self._reuse(name, key, entry)
        return self._spawn(name, step, inputs, key, lock)

    def _lock(self, key: str) -> FileLock | None:
        path = home() / "locks" / key
        path.parent.mkdir(exist_ok=True)
        lock = FileLock(path)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return None
        return lock

    def _value(self, bound: Any) -> Value | Data:
        if not isinstance(bound, FromJob):
            given: Value | Data = bound
            return given
        outputs = self.state.outputs[bound.job]
        if bound.output not in outputs:
            raise UserError(f"step {bound.job} wrote nothing to ./outputs, which another step reads", 1)
        return outputs[bound.output]

    def _reuse(self, name: str, key: str, entry: dict[str, Any]) -> None:
        self.state.outputs[name] = cache.outputs_of(key, entry)
        paths = {output: str(data.path) for output, data in self.state.outputs[name].items()}
        log = records.folder(entry["job"]) / entry["step"] / "log.txt"
        self._update(name, status="Completed", reused_from=entry["job"], seconds=0.0, outputs=paths, log=str(log))
        self.view.reused(name, entry)

    def _spawn(self, name: str, step: Step, inputs: dict[str, Value | Data], key: str, lock: FileLock | None) -> None:
        environment = step.environment
        python = packages.interpreter(environment.name, environment.packages, self.view.say)
        self._note(environment)
        place = workdir.make(step, self.folder / name, inputs)
        mlflow = tracking.start_step(self.plan.experiment, self.root, self.record["name"], name)
        variables = process.environment(name, python, place.tmp, {**step.variables, **mlflow})
        variables = process.of_packages(place.packages, variables)
        check_process(name, place.command, variables)
        child = process.spawn(place.command, place.code, variables, place.folder / "log.txt", place.mounts)
        attempt = f"{self.record['name']}/{name}"
        self.state.running[name] = Running(child, key, lock, time.monotonic(), attempt, mlflow["MLFLOW_RUN_ID"])
        now, mark = dt.datetime.now(dt.UTC).isoformat(), process.process_mark(child.pid)
        self._update(name, status="Running", started=now, process=mark, command=place.command)
        self.view.started(name)

    def _note(self, environment: Resolved) -> None:
        """Say once what of an environment is not imitated."""
        if environment.packages.note and environment.name not in self.noted:
            self.noted.add(environment.name)
            self.view.say(f"  environment {environment.name}: {environment.packages.note}")

    def _poll(self, name: str) -> None:
        running, step = self.state.running[name], self.plan.steps[name].of_job(self.record["name"])
        seconds = time.monotonic() - running.started
        code = running.process.poll()
        if code is None:
            if step.timeout and seconds > step.timeout:
                process.terminate(running.process.pid)
                self._fail(name, None, f"ran longer than its limit of {step.timeout} s")
            return
        self.record["jobs"][name]["seconds"] = round(seconds, 3)
        if code:
            reason = f"ended with exit code {code}" if code > 0 else f"was killed by signal {-code}"
            self._fail(name, code, reason + _disk_note())
        else:
            self._finish(name, step, running, round(seconds, 3))

    def _finish(self, name: str, step: Step, running: Running, seconds: float) -> None:
        about = {"job": self.record["name"], "step": name, "seconds": seconds}
        workdir.release(self.folder / name)
        workdir.keep_artifacts(step, self.folder / name)
        try:
            outputs = cache.commit(step, running.key, self.folder / name / "outputs", about)
        except FileNotFoundError as error:
            return self._fail(name, 0, f"did not write its output {error.args[0]}")
        except OSError as error:
            return self._fail(name, 0, f"its outputs could not be kept: {error.strerror}")
        self.state.outputs[name] = outputs
        runs.finish(self._release(name).run, runs.FINISHED)
        for folder in ("code", "tmp", "inputs"):
            shutil.rmtree(self.folder / name / folder, ignore_errors=True)
        paths = {output: str(data.path) for output, data in outputs.items()}
        self._update(name, status="Completed", exit_code=0, outputs=paths)
        self.view.finished(name, seconds)
        return None

    def _fail(self, name: str, code: int | None, reason: str) -> None:
        running = self._release(name)
        self.state.failed.append(name)
        self._discard(name, running)
        self._update(name, status="Failed", exit_code=code, error=reason)
        self.view.failed(name, reason, Path(self.record["jobs"][name]["log"]))
        if not self.keep_going:
            self._cancel_running("Canceled")

    def _cancel_running(self, status: str) -> None:
        for name in list(self.state.running):
            process.terminate(self.state.running[name].process.pid)
            self._discard(name, self._release(name))
            self._update(name, status=status)

    def _release(self, name: str) -> Running:
        running = self.state.running.pop(name)
        if running.lock:
            running.lock.release()
        return running

    def _discard(self, name: str, running: Running) -> None:
        """A step that died leaves no output, no asset and no model; its code and log stay to be looked at."""
        workdir.release(self.folder / name)
        for folder in ("outputs", "tmp", "inputs"):
            shutil.rmtree(self.folder / name / folder, ignore_errors=True)
        with contextlib.suppress(UserError):
            tracking.rollback(running.attempt)

    def _register_outputs(self) -> None:
        for output, (source, declared) in self.plan.outputs.items():
            data = self.state.outputs[source.job][source.output]
            shown = {"type": declared.type, "path": str(self._named(output, data.path))}
            if declared.name:
                shown["asset"] = self._register(output, declared, data)
            self.record["outputs"][output] = shown
        for source, declared in self.plan.named:
            self._register(f"{source.job}.{source.output}", declared, self.state.outputs[source.job][source.output])

    def _register(self, output: str, declared: Output, data: Data) -> str:
        """Make an asset of an output: a model of a model's, else data; `azureml:<name>:<version>`."""
        name = str(declared.name)
        if declared.type.endswith("_model"):
            version = tracking.register(name, data.path, {"job": self.record["name"]}, declared.description)
            return f"azureml:{name}:{version}"
        record: dict[str, Any] = {"name": name, "version": declared.version, "type": declared.type}
        record["properties"] = {"job": self.record["name"], "output": output}
        sha256 = hashing.of_data({"type": declared.type, "content": data.sha256})
        return f"azureml:{name}:{assets.register('data', record, sha256, link=data.path).version}"

    def _named(self, output: str, path: Path) -> Path:
        """A path that a person can read: jobs/<job>/outputs/<output>."""
        link = self.folder / "outputs" / output
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(os.path.relpath(path, link.parent))
        return link

    def _status(self, name: str) -> str:
        return str(self.record["jobs"][name]["status"])

    def _update(self, name: str, **changes: Any) -> None:
        self.record["jobs"][name].update(changes)
        self._save()

    def _save(self) -> None:
        records.save(self.record)


def _disk_note() -> str:
    """Where the disk is full the step's log may be cut off before it says so."""
    full = shutil.disk_usage(home()).free < 1 << 20
    return f" (No space left on device: free space below {home()} or set LOCALML_HOME)" if full else ""


def recover() -> None:
    """Take back what jobs left whose engine was killed: processes, half outputs, runs, models."""
    for record in records.load_all():
        if record["status"] in records.FINAL or process.is_alive(record["engine"]):
            continue
        for name, step in record["jobs"].items():
            if step["status"] != "Running":
                continue
            if process.is_alive(step.get("process")):
                process.terminate(step["process"]["pid"])
            shutil.rmtree(records.folder(record["name"]) / name / "outputs", ignore_errors=True)
            shutil.rmtree(records.folder(record["name"]) / name / "tmp", ignore_errors=True)
            tracking.rollback(f"{record['name']}/{name}")
            step.update(status="Canceled", error="the engine was killed")
        record.update(status="Failed", error="the engine was killed; run the job again, finished steps are reused")
        records.save(record)

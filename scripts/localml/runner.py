"""Runs a plan: steps whose inputs are there, side by side; outputs kept whole or not at all; every state recorded.

One thread does it all: it starts what can start, looks at what runs, and sleeps a moment. The record of the job is
written by this process alone, whole, at each change of state; other processes read it, and recovery.py goes by it
where this one was killed. Runs of other processes are met in one place, the store of outputs (cache.py): whoever holds
the lock of a key makes that key's outputs.
"""

import contextlib
import datetime as dt
import os
import shutil
import time
from pathlib import Path
from typing import Any

from filelock import FileLock

from amlspec.bindings import FromJob, Value
from amlspec.errors import UserError
from host import process
from host.state import home
from localml import attempt, cache, job_outputs, records, runs, schema_guard, tracking, warm
from localml.attempt import Attempt, JobRun, NotKeptError
from localml.environments import Resolved
from localml.plan import Plan, Step
from localml.values import Data
from localml.view import View

_POLL_SECONDS = 0.02
_RUN_STATUS = {"Completed": runs.FINISHED, "Failed": runs.FAILED, "Canceled": runs.KILLED}


class Runner:
    """One job from its first step to its last."""

    def __init__(self, plan: Plan, record: dict[str, Any], view: View) -> None:
        self.plan = plan
        self.record = record
        self.view = view
        self.folder = records.folder(record["name"])
        self.job = JobRun(record["name"], plan.experiment, "")
        self.running: dict[str, Attempt] = {}
        self.outputs: dict[str, dict[str, Data]] = {}
        self.failed: list[str] = []
        self.slots = int(os.environ.get("LOCALML_MAX_PARALLEL", max(2, os.cpu_count() or 2)))
        self.keeps_going = plan.settings.continue_on_step_failure
        self.noted: set[str] = set()
        for name in plan.steps:
            record["jobs"][name] = {"status": "NotStarted", "seconds": None, "log": str(self.folder / name / "log.txt")}

    def run(self) -> dict[str, Any]:
        """Run to the end; the job's record. An interrupt or a kill request ends the steps and is raised again."""
        started = time.monotonic()
        self._save()
        try:
            tracking.prepare(self.plan.experiment)
            run = tracking.start_job(self.plan.experiment, self.job.name)
            self.job = JobRun(self.job.name, self.job.experiment, run)
            self._loop()
            if not self.failed:
                self.record["outputs"] = job_outputs.register(self.plan, self.job.name, self.outputs)
            self.record["status"] = "Failed" if self.failed else "Completed"
        except BaseException as error:
            self._cancel_running()
            interrupted = isinstance(error, KeyboardInterrupt)
            self.record["status"] = "Canceled" if interrupted else "Failed"
            self.record["error"] = "interrupted" if interrupted else str(error) or type(error).__name__
            raise
        finally:
            self.record["seconds"] = round(time.monotonic() - started, 3)
            with contextlib.suppress(UserError):
                runs.finish(self.job.run, _RUN_STATUS[self.record["status"]])
            self._save()
        return self.record

    def _loop(self) -> None:
        while True:
            while self._start_ready():
                pass  # a reused step may have made others ready
            self.view.tick(self.record)
            if not self.running and not self._waiting():
                return
            process.wait([each.process for each in self.running.values()], _POLL_SECONDS)
            for name in list(self.running):
                if name in self.running:  # one that failed cancels the others
                    self._poll(name)

    def _waiting(self) -> list[str]:
        """Steps that may still start: their sources are done or may get done."""
        if self.failed and not self.keeps_going:
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
        known = len(self.outputs)
        for name in self._waiting():
            step = self.plan.steps[name].of_job(self.job.name)
            if step.waits_for <= self.outputs.keys() and len(self.running) < self.slots:
                self._start(name, step)
        return len(self.outputs) > known

    def _start(self, name: str, step: Step) -> None:
        inputs = {key: self._value(bound) for key, bound in step.inputs.items()}
        if not (self.plan.reuses and cache.is_reusable(step)):
            return self._begin(name, step, inputs, cache.unique_key(), None)
        key = cache.key_of(step, inputs)
        if entry := cache.lookup(key):
            return self._reuse(name, key, entry)
        lock = cache.claim(key)
        if lock is None:
            # Another run makes the same outputs now. The step stays as it is: the next turn finds them, or the lock
            # free where that run failed.
            return None
        if entry := cache.lookup(key):  # that run ended between the look and the lock
            lock.release()
            return self._reuse(name, key, entry)
        return self._begin(name, step, inputs, key, lock)

    def _value(self, bound: Any) -> Value | Data:
        if not isinstance(bound, FromJob):
            given: Value | Data = bound
            return given
        outputs = self.outputs[bound.job]
        if bound.output not in outputs:
            raise UserError(f"step {bound.job} wrote nothing to ./outputs, which another step reads", 1)
        return outputs[bound.output]

    def _reuse(self, name: str, key: str, entry: dict[str, Any]) -> None:
        self.outputs[name] = cache.outputs_of(key, entry)
        log = records.folder(entry["job"]) / entry["step"] / "log.txt"
        paths = _paths(self.outputs[name])
        self._update(name, status="Completed", reused_from=entry["job"], seconds=0.0, outputs=paths, log=str(log))
        self.view.reused(name, entry)

    def _begin(self, name: str, step: Step, inputs: dict[str, Value | Data], key: str, lock: FileLock | None) -> None:
        self._note(step.environment)
        try:
            more = any(self._status(other) == "NotStarted" for other in self.plan.steps if other != name)
            folder, say = self.folder / name, self.view.say
            begun = attempt.begin(step, self.job, folder, inputs, key, lock, say, more_follow=more)
        except BaseException:
            if lock:
                lock.release()
            raise
        # An interrupt between the process's start and this line loses sight of it; on Linux it ends with the engine.
        self.running[name] = begun
        now, mark = dt.datetime.now(dt.UTC).isoformat(), process.process_mark(begun.process.pid)
        # The mark is what recovery ends the step by, should this process be killed.
        forked = {"forked": True} if isinstance(begun.process, warm.Child) else {}
        self._update(name, status="Running", started=now, process=mark, command=begun.command, **forked)
        self.view.started(name)

    def _note(self, environment: Resolved) -> None:
        """Say once what of an environment is not imitated."""
        if environment.packages.note and environment.name not in self.noted:
            self.noted.add(environment.name)
            self.view.say(f"  environment {environment.name}: {environment.packages.note}")

    def _poll(self, name: str) -> None:
        running, step = self.running[name], self.plan.steps[name].of_job(self.job.name)
        seconds, code = round(running.seconds, 3), running.process.poll()
        if code is None:
            if step.timeout and seconds > step.timeout:
                process.terminate(running.process.pid)
                self._fail(name, None, f"ran longer than its limit of {step.timeout} s")
            return
        self.record["jobs"][name]["seconds"] = seconds
        if code:
            reason = f"ended with exit code {code}" if code > 0 else f"was killed by signal {-code}"
            said = process.tail(Path(self.record["jobs"][name]["log"]))
            self._fail(name, code, reason + _disk_note() + schema_guard.note(said))
        else:
            self._finish(name, step, seconds)

    def _finish(self, name: str, step: Step, seconds: float) -> None:
        try:
            self.outputs[name] = attempt.keep(self.running[name], step, self.job.name, seconds)
        except NotKeptError as error:
            return self._fail(name, 0, str(error))
        del self.running[name]
        self._update(name, status="Completed", exit_code=0, outputs=_paths(self.outputs[name]))
        self.view.finished(name, seconds)
        return None

    def _fail(self, name: str, code: int | None, reason: str) -> None:
        self.failed.append(name)
        attempt.discard(self.running.pop(name))
        self._update(name, status="Failed", exit_code=code, error=reason)
        self.view.failed(name, reason, Path(self.record["jobs"][name]["log"]))
        if not self.keeps_going:
            self._cancel_running()

    def _cancel_running(self) -> None:
        for name in list(self.running):
            attempt.cancel(self.running.pop(name))
            self._update(name, status="Canceled")

    def _status(self, name: str) -> str:
        return str(self.record["jobs"][name]["status"])

    def _update(self, name: str, **changes: Any) -> None:
        self.record["jobs"][name].update(changes)
        self._save()

    def _save(self) -> None:
        records.save(self.record)


def _paths(outputs: dict[str, Data]) -> dict[str, str]:
    return {name: str(data.path) for name, data in outputs.items()}


def _disk_note() -> str:
    """Where the disk is full the step's log may be cut off before it says so."""
    full = shutil.disk_usage(home()).free < 1 << 20
    return f" (No space left on device: free space below {home()} or set LOCALML_HOME)" if full else ""

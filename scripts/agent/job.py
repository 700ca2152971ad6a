"""One job: its steps, one after the other, in a fresh checkout."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from agent import contexts, functions, logging_commands, screen, tasks
from agent.contexts import CANCELED, FAILED, GOOD, ISSUES, SKIPPED, SUCCEEDED, Ended
from agent.model import Job, Step
from agent.project import Project
from agent.variables import Variables
from agent.workspace import Workspace
from amlspec.errors import UserError

# What belongs to the call of `make ci` itself, and must not reach the verbs of its steps.
OURS = frozenset({
    *("DEMAND_GIVEN", "DEMAND_GOALS", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "ENV", "VENV", "AZ_ML"),
    *("LOCALML_HOME", "MODEL_SIGNING_KEY", "APPROVE", "REJECT", "FAIL", "PIPELINE", "BRANCH", "SYSTEM_ACCESSTOKEN"),
})  # fmt: skip
_PATIENCE_SECONDS = 10.0


class Cancel:
    """Ctrl-C: seen by every step, which is told to end."""

    def __init__(self) -> None:
        self.is_asked = False
        self._process: subprocess.Popen[str] | None = None

    def ask(self) -> None:
        """Cancel the run; the step that runs gets an interrupt, and is killed where that does not end it."""
        self.is_asked = True
        self.interrupt()

    def interrupt(self) -> None:
        """End the step that runs."""
        process = self._process
        if process is not None:
            _signal(process, signal.SIGINT)
            timer = threading.Timer(_PATIENCE_SECONDS, self._kill, (process,))
            timer.daemon = True
            timer.start()

    def _kill(self, process: "subprocess.Popen[str]") -> None:
        if self._process is process:
            _signal(process, signal.SIGKILL)

    def watch(self, process: "subprocess.Popen[str] | None") -> None:
        """The process that an interrupt goes to."""
        self._process = process


def _signal(process: "subprocess.Popen[str]", number: int) -> None:
    """To the whole group: what a step left in the background may hold its output open after its shell has ended."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


class JobRun:
    """What happens while one job runs; the place that tasks work in."""

    def __init__(
        self,
        job: Job,
        label: str,
        variables: Variables,
        workspace: Workspace,
        project: Project,
        environment: Mapping[str, str],
        cancel: Cancel,
        fail: str | None,
    ) -> None:
        self.job, self.label, self.variables = job, label, variables
        self.workspace, self.project, self.cancel, self.fail = workspace, project, cancel, fail
        self.base = {name: value for name, value in os.environ.items() if name not in OURS} | dict(environment)
        self.ended = Ended(SUCCEEDED)
        self._paths: list[str] = []
        self._last: list[Callable[[], None]] = []
        self._log = Path(os.devnull)
        self._said: str | None = None
        self._step: Step | None = None
        self._until: float | None = None

    def run(self) -> Ended:
        """All steps; how the job ended."""
        self.workspace.begin_job()
        end = time.monotonic() + self.job.minutes * 60 if self.job.minutes else None
        steps = list(self.job.steps)
        has = {step.kind for step in steps}
        # A job gets the sources first, a deployment job the run's artifacts, unless a step says otherwise.
        if self.job.environment is None and "checkout" not in has:
            self.workspace.check_out()
        if self.job.environment is not None and "download" not in has:
            for artifact in self.workspace.artifacts.iterdir():
                self.workspace.download(artifact.name, self.workspace.work / artifact.name)
        for place, step in enumerate(steps):
            self._one(place, step, end)
        if self.ended.result in GOOD:
            for action in self._last:
                action()
        self.workspace.end_orphans()
        if self.ended.result == FAILED and self.job.may_fail:
            self.ended.result = ISSUES
        return self.ended

    def _one(self, place: int, step: Step, end: float | None) -> None:
        status = CANCELED if self.cancel.is_asked else self.ended.result
        self.variables.set("Agent.JobStatus", status)
        runs = step.kind != "none" and contexts.holds(
            step.condition, step.where, {"variables": self.variables}, contexts.of_step(status)
        )
        if status == CANCELED:
            self.ended.result = CANCELED
        title = self.variables.put_in(step.title)
        if not runs:
            screen.ended(2, title, SKIPPED)
            return
        began = time.monotonic()
        self._log = self.workspace.logs / f"{self.label}.{place + 1:02d}.log"
        self._log.touch()
        self._step, self._said = step, None
        result = self._tried(step, end)
        screen.ended(2, title, result, time.monotonic() - began)
        if result == FAILED:
            screen.tail(self._log)
        self._count(result)

    def _count(self, result: str) -> None:
        if self.cancel.is_asked:
            self.ended.result = CANCELED
        elif result == FAILED or (result == ISSUES and self.ended.result == SUCCEEDED):
            self.ended.result = result

    def _tried(self, step: Step, end: float | None) -> str:
        """A step's result, after as many further tries as it may have."""
        for _ in range(step.retries + 1):
            code = self._code(step, end)
            if code == 0 or self.cancel.is_asked:
                break
        if self.cancel.is_asked and code:
            return CANCELED
        said = self._said if self._said else SUCCEEDED if code == 0 else FAILED
        return ISSUES if said == FAILED and step.may_fail else said

    def _code(self, step: Step, end: float | None) -> int:
        if self.fail and self.fail in (step.name, step.title, f"{self.label}.{step.name}"):
            self.note(f"FAIL={self.fail}: this step was made to fail")
            return 1
        try:
            return self._did(step, end)
        except UserError as error:
            self.note(f"##[error]{error}")
            return 1

    def _did(self, step: Step, end: float | None) -> int:
        inputs = {name: self.variables.put_in(value) for name, value in step.inputs.items()}
        self._limit(step, end)
        if step.kind == "task":
            return tasks.run(step.subject, inputs, self)
        if step.kind == "checkout":
            if step.subject != "none":
                self.workspace.check_out()
            return 0
        if step.kind == "publish":
            path = self.variables.put_in(step.subject)
            return tasks.run("PublishPipelineArtifact@1", {"targetPath": path, **inputs}, self)
        if step.kind == "download" and step.subject == "none":
            return 0
        if step.kind == "download":
            return tasks.run("DownloadPipelineArtifact@2", {"source": step.subject, **inputs}, self)
        folder = self.workspace.sources / inputs.get("workingDirectory", ".")
        return self.script(self.variables.put_in(step.subject), {}, folder)

    def _limit(self, step: Step, end: float | None) -> None:
        own = time.monotonic() + step.minutes * 60 if step.minutes else None
        given = [each for each in (own, end) if each]
        self._until = min(given) if given else None

    def script(self, text: str, env: Mapping[str, str], folder: Path) -> int:
        """Run a text with bash; its exit code. Its output goes to the log, what it says to the agent is done."""
        assert self._step is not None  # noqa: S101 - a step runs
        file = self.workspace.temp / "script.sh"
        file.write_text(text, encoding="utf-8")
        mapped = {name: self.variables.put_in(value) for name, value in self._step.env.items()}
        path = os.pathsep.join([*reversed(self._paths), self.base.get("PATH", "")])
        everything = {**self.base, **self.variables.environment(), **env, "PATH": path, **mapped}
        process = subprocess.Popen(
            ["bash", "--noprofile", "--norc", str(file)],  # noqa: S607
            cwd=folder, env=everything, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            text=True, errors="replace", start_new_session=True,
        )  # fmt: skip
        self.cancel.watch(process)
        timer = self._timer(process)
        try:
            self._read(process)
            return process.wait()
        finally:
            self.cancel.watch(None)
            if timer:
                timer.cancel()

    def _timer(self, process: "subprocess.Popen[str]") -> threading.Timer | None:
        if self._until is None:
            return None

        def late() -> None:
            self.note("##[error]the time is over: the step is ended")
            _signal(process, signal.SIGKILL)

        timer = threading.Timer(max(self._until - time.monotonic(), 0.0), late)
        timer.daemon = True
        timer.start()
        return timer

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None  # noqa: S101 - a pipe
        problem: UserError | None = None
        for line in process.stdout:
            try:
                if command := logging_commands.read(line):
                    self._obey(command)
            except UserError as error:  # the step is heard out first, or it would block on a full pipe
                problem = error
            self.note(line.rstrip("\n"))
        if problem:
            process.wait()
            raise problem

    def _obey(self, command: logging_commands.Command) -> None:
        if command.name == "task.setvariable":
            self._set_variable(command)
        elif command.name == "task.prependpath":
            self._paths.append(command.text)
        elif command.name == "task.complete":
            self._said = {each.lower(): each for each in (SUCCEEDED, ISSUES, FAILED)}.get(
                command.fields.get("result", "").lower()
            )
        elif command.name == "task.logissue":
            screen.say(f"      {command.fields.get('type', 'warning')}: {self.variables.masked(command.text)}")

    def _set_variable(self, command: logging_commands.Command) -> None:
        name = command.fields.get("variable", "")
        if command.is_set("issecret"):
            self.variables.secrets.add(name.lower())
        if command.is_set("isoutput"):
            step = self._step.name if self._step else ""
            if not step:
                raise UserError(f"the output variable {name} is set by a step without a name", 1)
            self.ended.outputs[f"{step}.{name}"] = command.text
            self.variables.set(f"{step}.{name}", command.text)
        else:
            self.variables.set(name, command.text)

    def set(self, name: str, value: str) -> None:
        """Set a variable for the steps to come."""
        self.variables.set(name, functions.text(value))

    def note(self, line: str) -> None:
        """A line of the step's log."""
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"{self.variables.masked(line)}\n")

    def at_end(self, action: Callable[[], None]) -> None:
        """Done after the last step of a job that went well."""
        self._last.append(action)

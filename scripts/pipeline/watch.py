"""Follows a job on either engine by asking for its state and for its steps', which are its child jobs."""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from amlspec.errors import UserError
from host.state import home
from localml import log_warnings, records, view
from pipeline import answers, azml, components, usual

# One question to the service takes some two seconds, one to this machine a thousandth of one.
_SERVICE_SECONDS, _LOCAL_SECONDS = 10.0, 0.1
# So many questions in a row may stay without an answer: a network that is away for a minute ends no job.
_UNANSWERED = 6
_WORDS = {"completed": "Completed", "finished": "Completed", "failed": "Failed", "canceled": "Canceled",
          "notstarted": "NotStarted", "queued": "Queued", "preparing": "Preparing"}  # fmt: skip
_RUNNING = ("running", "finalizing", "starting", "provisioning")


def until_final(job: str, spec: Path, repeats_warnings: bool = True, minutes: float | None = None) -> None:
    """Follow a job to its end, or for so many minutes. Raises UserError with exit code 1 where it did not complete.

    Without `repeats_warnings` the caller says them after a job that completed; of one that failed they are said here.
    """
    names = list(components.nodes(spec))
    began = time.monotonic()
    with view.of_job(job, usual.seconds(job)) as shown:
        watch = _Watch(job, names, shown)
        while not watch.turn():
            if minutes is not None and time.monotonic() - began > minutes * 60:
                shown.say(f"  {job} goes on: `make watch JOB={job}` follows it further")
                return
            time.sleep(_pause())
        if answers.state(watch.record.get("status")) == "completed":
            usual.remember(job, watch.steps, time.monotonic() - began)
        if repeats_warnings or answers.state(watch.record.get("status")) != "completed":
            for line in _warnings(job):
                shown.say(line)
    watch.judge()


def _warnings(job: str) -> list[str]:
    """Warnings of the steps' logs, which lie here; those of a service's run come with its verdict."""
    return log_warnings.lines(records.load(job)) if azml.is_local() else []


def interrupted(job: str) -> str:
    """End the watching. On this machine the job ends too; a service goes on with it, and the words say how to."""
    if not azml.is_local():
        ml, env = os.environ["AZ_ML"], os.environ.get("ENV", "")
        more = f"`make watch JOB={job} ENV={env}` follows it, `{ml} job cancel --name {job}` ends it"
        return f"interrupted; the job {job} goes on: {more}"
    try:
        azml.run("job", "cancel", name=job)
        while answers.state(azml.call("job", "show", name=job).get("status")) not in answers.FINAL:
            time.sleep(_LOCAL_SECONDS)
    except UserError:
        pass  # it had ended already, or never began
    return "interrupted; nothing half-written is kept, finished steps are reused"


def _pause() -> float:
    given = os.environ.get("WATCH_SECONDS")
    return float(given) if given else _LOCAL_SECONDS if azml.is_local() else _SERVICE_SECONDS


class _Watch:
    """What is known of one job, and what was said of it."""

    def __init__(self, job: str, names: list[str], shown: view.View) -> None:
        self.job, self.names, self.view = job, names, shown
        self.record: dict[str, Any] = {}
        self.steps: dict[str, dict[str, Any]] = {}
        self.seen: dict[str, str] = {}
        self.began: dict[str, float] = {}
        self.unanswered = 0

    def turn(self) -> bool:
        """Ask once and say what has changed; whether the job has ended."""
        try:
            record = azml.call("job", "show", name=self.job) or {}
            children = azml.listed("job", "list", parent_job_name=self.job)
        except UserError as error:
            self._no_answer(error)
            return False
        self.unanswered = 0
        self._page(record)
        self.record = record
        self.steps = _by_name(children, self.names)
        for name, step in self.steps.items():
            self._say(name, step)
        self.view.tick({"jobs": self.steps})
        return answers.state(record.get("status")) in answers.FINAL

    def _no_answer(self, error: UserError) -> None:
        self.unanswered += 1
        if self.unanswered < _UNANSWERED and not azml.is_local():
            return
        again = f"make watch JOB={self.job} ENV={os.environ.get('ENV', 'local')}"
        raise UserError(f"the job {self.job} can't be followed, and may go on: {error}; `{again}` tries again", 1)

    def _page(self, record: dict[str, Any]) -> None:
        """The job's page in Azure ML studio, once."""
        page = ((record.get("services") or {}).get("Studio") or {}).get("endpoint")
        if page and not self.record:
            self.view.say(f"  {page}")

    def _say(self, name: str, step: dict[str, Any]) -> None:
        now, before = step["status"], self.seen.get(name, "NotStarted")
        if now == before:
            return
        self.seen[name] = now
        if now == "Running":
            self.began[name] = time.monotonic()
            self.view.started(name)
        elif now == "Completed":
            self._ended_well(name, step)
        elif now == "Failed":
            log = step["log"] or _fetched_log(step["job"])
            self.view.failed(name, step["error"] or "failed", Path(log) if log else None)
            if not log:
                self.view.say(f"    its log: {os.environ['AZ_ML']} job download --name {step['job']}")

    def _ended_well(self, name: str, step: dict[str, Any]) -> None:
        if step["reused_from"]:
            self.view.reused(name, {"job": step["reused_from"]})
            return
        if name not in self.began and azml.is_local():
            self.view.started(name)  # began and ended between two questions
        if step["seconds"] is None and name in self.began:
            # The service names no times: what passed between two questions.
            step["seconds"] = round(time.monotonic() - self.began[name])
        self.view.finished(name, step["seconds"])

    def judge(self) -> None:
        """Raises UserError where the job did not complete."""
        state = answers.state(self.record.get("status"))
        if state == "completed":
            return
        failed = [name for name, step in self.steps.items() if step["status"] == "Failed"]
        if failed:
            message = f"job {self.job} failed in {', '.join(failed)}; finished steps are kept for the next run"
            raise UserError(message, 1)
        raise UserError(f"job {self.job} is {state}: {self.record.get('error') or 'see its page'}", 1)


def _by_name(children: list[dict[str, Any]], names: list[str]) -> dict[str, dict[str, Any]]:
    """Steps by their node's name, in the spec's order; a node that has not begun has no child."""
    known = {str(each.get("display_name") or each["name"]): _step(each) for each in children}
    order = [*names, *(name for name in known if name not in names)]
    return {name: known.get(name) or _step({"status": "NotStarted"}) for name in order}


def _step(child: dict[str, Any]) -> dict[str, Any]:
    state = answers.state(child.get("status"))
    reused = (child.get("properties") or {}).get("azureml.isreused") == "true"
    source = (child.get("properties") or {}).get("azureml.reusedrunid") or "an earlier run"
    return {
        "job": child.get("name"),
        "status": "Running" if state in _RUNNING else _WORDS.get(state, state.capitalize()),
        "seconds": child.get("seconds"),
        "error": child.get("error"),
        "log": child.get("log") or "",
        "reused_from": (child.get("reused_from") or source) if reused else None,
    }


def _fetched_log(child: str) -> str:
    """The log of a step that failed, brought here; empty where it cannot be had."""
    folder = home() / "logs"
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        try:
            azml.run("job", "download", name=child, download_path=place)
        except UserError as error:
            sys.stderr.write(f"    no log: {error}\n")
            return ""
        logs = sorted(Path(place).rglob("std_log.txt")) or sorted(Path(place).rglob("*.txt"))
        if not logs:
            return ""
        kept = folder / f"{child.replace('/', '.')}.txt"
        logs[0].replace(kept)
        return str(kept)

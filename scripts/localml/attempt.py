"""One attempt at a step: begun with a folder, a process and an MLflow run of its own, then kept or taken back."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from amlspec.bindings import Value
from amlspec.errors import UserError
from host import process
from localml import cache, packages, runs, tracking, warm, workdir
from localml.plan import Step
from localml.refusals import check_process
from localml.values import Data


@dataclass(frozen=True)
class JobRun:
    """The job that steps run for: its name, its experiment, and the MLflow run above theirs."""

    name: str
    experiment: str
    run: str


@dataclass(frozen=True)
class Attempt:
    """A step under way. `started` is on the monotonic clock; `lock` is held until its outputs are kept or gone."""

    name: str
    folder: Path
    command: str
    process: subprocess.Popen[bytes] | warm.Child
    run: str
    key: str
    lock: FileLock | None
    started: float

    @property
    def seconds(self) -> float:
        """How long it runs."""
        return time.monotonic() - self.started


class NotKeptError(Exception):
    """A step ended well and its outputs cannot be kept; the message says why."""


def begin(
    step: Step,
    job: JobRun,
    folder: Path,
    inputs: Mapping[str, Value | Data],
    key: str,
    lock: FileLock | None,
    say: Callable[[str], None],
    *,
    more_follow: bool,
) -> Attempt:
    """Start a step in `folder`; where `more_follow`, a warm interpreter is worth its loading.

    Raises UserError where its environment cannot be made or its command not be filled.
    """
    environment = step.environment
    python = packages.interpreter(environment.name, environment.packages, say)
    if more_follow:
        warm.begin(python)
    place = workdir.make(step, folder, dict(inputs))
    mlflow = tracking.start_step(job.experiment, job.run, job.name, step.name)
    variables = process.environment(step.name, python, place.tmp, {**step.variables, **mlflow})
    variables = process.of_packages(place.packages, variables)
    check_process(step.name, place.command, variables)
    child = warm.spawn(python, place.command, place.code, variables, folder / "log.txt", place.mounts)
    run = mlflow["MLFLOW_RUN_ID"]
    return Attempt(f"{job.name}/{step.name}", folder, place.command, child, run, key, lock, time.monotonic())


def keep(attempt: Attempt, step: Step, job: str, seconds: float) -> dict[str, Data]:
    """Keep the outputs of an attempt that ended well. Raises NotKeptError where there is nothing to keep.

    The store has them, whole, before the lock is released: another run that waits for the same outputs then finds them,
    and does not make them again. An engine that is killed in between leaves outputs that the next run reuses.
    """
    workdir.release(attempt.folder)
    workdir.keep_artifacts(step, attempt.folder)
    about = {"job": job, "step": step.name, "seconds": seconds}
    try:
        outputs = cache.commit(step, attempt.key, attempt.folder / "outputs", about)
    except FileNotFoundError as error:
        raise NotKeptError(f"did not write its output {error.args[0]}") from None
    except OSError as error:
        raise NotKeptError(f"its outputs could not be kept: {error.strerror}") from None
    _unlock(attempt)
    runs.finish(attempt.run, runs.FINISHED)
    _remove(attempt.folder, "code", "tmp", "inputs")
    return outputs


def discard(attempt: Attempt) -> None:
    """A step that died leaves no output, no asset and no model; its code and log stay to be looked at."""
    workdir.release(attempt.folder)
    _remove(attempt.folder, "outputs", "tmp", "inputs")
    with contextlib.suppress(UserError):  # what made the step fail may be the store itself
        tracking.rollback(attempt.name)
    # Only now may another run try: it would have seen this one's runs and models as its own.
    _unlock(attempt)


def cancel(attempt: Attempt) -> None:
    """End the step with its children, and take it back."""
    process.terminate(attempt.process.pid)
    discard(attempt)


def _unlock(attempt: Attempt) -> None:
    if attempt.lock:
        attempt.lock.release()


def _remove(folder: Path, *names: str) -> None:
    for name in names:
        shutil.rmtree(folder / name, ignore_errors=True)

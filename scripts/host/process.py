"""Processes of steps: started in a session of their own, ended with all their children."""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from host.mounts import Mounts


class Process(Protocol):
    """A child process, or one of a child."""

    pid: int


# What a step sees of the caller's environment. Credentials and PYTHONPATH of the shell are not among it.
_PASSED = frozenset(
    "MODEL_SIGNING_KEY HOME USER LANG LC_ALL TZ SSL_CERT_FILE REQUESTS_CA_BUNDLE "  # noqa: SIM905 - one line reads better
    "HTTPS_PROXY HTTP_PROXY NO_PROXY https_proxy http_proxy no_proxy".split()
)
_PASSED_PREFIXES = ("SNOWFLAKE_", "MLFLOW_", "OPENBLAS_", "OMP_")
# By these a shell's clients come to a workspace. azureml-mlflow, which every import of mlflow loads, asks the address
# that they name, and that workspace may have ended.
_OF_CLIENTS = frozenset({"ARM_CLOUD_METADATA_URL", "AZUREML_CURRENT_CLOUD", "IDENTITY_ENDPOINT", "IDENTITY_HEADER"})
_GRACE_SECONDS = 5.0


def environment(step: str, python: Path, tmp: Path, extra: dict[str, str]) -> dict[str, str]:
    """Environment variables of a step: `python` first on PATH, and nothing that only this shell has."""
    kept = {key: value for key, value in os.environ.items() if key in _PASSED or key.startswith(_PASSED_PREFIXES)}
    path = f"{python.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**kept, "PATH": path, "TMPDIR": str(tmp), "LOCALML_STEP": step, "PYTHONUNBUFFERED": "1", **extra}


def inherited() -> dict[str, str]:
    """This process's variables, for one of the engine's own: it is nobody's step, and no client of a workspace."""
    return {key: value for key, value in os.environ.items() if key != "LOCALML_STEP" and key not in _OF_CLIENTS}


def of_packages(folder: Path, variables: dict[str, str]) -> dict[str, str]:
    """`variables`, with which `pip install` goes into `folder` and never where another step would see it."""
    paths = [str(folder), *filter(None, [variables.get("PYTHONPATH")])]
    more = {"PIP_TARGET": str(folder), "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONPATH": os.pathsep.join(paths)}
    return {**variables, **more, "PATH": f"{folder / 'bin'}{os.pathsep}{variables['PATH']}"}


def spawn(
    command: str, cwd: Path, variables: dict[str, str], log: Path, mounts: Mounts | None = None
) -> subprocess.Popen[bytes]:
    """Start `command` in bash, as Azure ML does, with mounts of its own; stdout and stderr go to `log`."""

    def prepare() -> None:
        if mounts:
            mounts.enter()
        die_with_parent()  # last, since a change of credentials takes it back

    with log.open("ab") as stream:
        return subprocess.Popen(
            ["/bin/bash", "-c", command],
            cwd=cwd,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=prepare if sys.platform == "linux" else None,  # noqa: PLW1509 - one thread only
        )


def die_with_parent() -> None:
    """A step must not outlive an engine that was killed. PR_SET_PDEATHSIG is 1."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def wait(children: Iterable[Process], seconds: float) -> None:
    """Return when one of `children` ends, after `seconds` at the latest.

    pidfd_open(2) came with Linux 5.3; elsewhere the whole time is slept.
    """
    watched: list[int] = []
    try:
        watched.extend(os.pidfd_open(child.pid) for child in children)
        select.select(watched, [], [], seconds)
    except (AttributeError, OSError):  # no such call here, or no such child any more
        time.sleep(seconds)
    finally:
        for each in watched:
            os.close(each)


def terminate(pid: int) -> None:
    """End a step's whole session: ask first, then kill."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)
        if _gone(pid, _GRACE_SECONDS):
            return


def _gone(group: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(group, os.WNOHANG)
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def tail(log: Path, lines: int = 12) -> list[str]:
    """Last lines of a log; reads no more than its last 16 KiB."""
    if not log.exists():
        return []
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - 16384))
        return stream.read().decode("utf-8", "replace").splitlines()[-lines:]


def process_mark(pid: int) -> dict[str, Any]:
    """A process, told apart from a later one that was given the same number."""
    import psutil  # noqa: PLC0415 - 30 ms that most verbs need not pay

    return {"pid": pid, "started": psutil.Process(pid).create_time()}


def is_alive(mark: dict[str, Any] | None) -> bool:
    """Whether the marked process still runs."""
    import psutil  # noqa: PLC0415

    if not mark:
        return False
    try:
        process = psutil.Process(mark["pid"])
        return bool(abs(process.create_time() - mark["started"]) < 1 and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False

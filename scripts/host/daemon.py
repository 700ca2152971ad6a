"""The one server of a folder: started, found, stopped. It outlives the command that started it.

A server announces itself in a state file when it serves: pid, time of its start (another process may get its pid later)
and port. Whoever starts or stops one holds a lock of the folder, which is the caller's.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from amlspec.errors import UserError
from host import process
from host.state import read_json, write_json


@dataclass(frozen=True)
class Server:
    """One run of a server; `started` in seconds since 1970."""

    pid: int
    started: float
    port: int

    def is_alive(self) -> bool:
        """Whether this very process still runs."""
        return process.is_alive({"pid": self.pid, "started": self.started})


@dataclass(frozen=True)
class Daemon:
    """How the server of a folder is started and known: `name` for messages, `module` with `argument` to run, and
    `answers` where a process that runs may yet not serve, under the interpreter `python`."""

    name: str
    module: str
    argument: str
    state: Path
    log: Path
    start_seconds: float = 60.0
    stop_seconds: float = 60.0
    answers: Callable[[Server], bool] = lambda _: True
    python: str = sys.executable


def announce(state: Path, port: int) -> None:
    """Note that this very process serves on `port`."""
    write_json(state, {**process.process_mark(os.getpid()), "port": port})


def read(state: Path) -> Server | None:
    """The server that a state file names, whether or not it runs; None without a readable one."""
    try:
        content = read_json(state)
        return Server(int(content["pid"]), float(content["started"]), int(content["port"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def find(daemon: Daemon) -> Server | None:
    """The server that runs and answers, or None."""
    server = read(daemon.state)
    return server if server and server.is_alive() and daemon.answers(server) else None


def start(daemon: Daemon, variables: dict[str, str] | None = None) -> Server:
    """Start one where none runs. Raises UserError with the last line of its log where it does not come up."""
    daemon.state.unlink(missing_ok=True)
    ours = {"PYTHONDONTWRITEBYTECODE": "", **(variables or {})}
    with daemon.log.open("ab") as log:
        offset = log.tell()
        child = subprocess.Popen(
            [daemon.python, "-m", daemon.module, daemon.argument],
            cwd=daemon.state.parent,
            env={**process.inherited(), **ours},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return _wait_until_up(daemon, child, offset)


def _wait_until_up(daemon: Daemon, child: "subprocess.Popen[bytes]", offset: int) -> Server:
    deadline = time.monotonic() + daemon.start_seconds
    while time.monotonic() < deadline:
        server = find(daemon)
        if server and server.pid == child.pid:
            child.returncode = 0  # it is meant to live on; Popen must not warn about it
            return server
        if child.poll() is not None:
            last = _last_line(daemon.log, offset)
            raise UserError(f"{daemon.name} did not start: {last}; its log: {daemon.log}", 1)
        time.sleep(0.02)
    process.terminate(child.pid)
    raise UserError(f"{daemon.name} did not answer within {daemon.start_seconds:.0f} s; its log: {daemon.log}", 1)


def _last_line(log: Path, offset: int) -> str:
    text = log.read_bytes()[offset:].decode(errors="replace").strip()
    return text.splitlines()[-1] if text else "it said nothing"


def stop(daemon: Daemon) -> bool:
    """End the server, which may tidy up first; False where none runs. A process that only has its pid is left alone."""
    server = read(daemon.state)
    if server is None or not server.is_alive():
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(server.pid, signal.SIGTERM)
    deadline = time.monotonic() + daemon.stop_seconds
    while server.is_alive() and time.monotonic() < deadline:
        time.sleep(0.02)
    if server.is_alive():
        process.terminate(server.pid)
    return True

"""One server process of a deployment: started, probed, restarted with growing pauses, ended."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from host import process
from localml.serving import container
from localml.serving.store import HOST

log = logging.getLogger("localml.router")
STARTING, READY, SUSPECT, DOWN, STOPPED = "Starting", "Ready", "Suspect", "Down", "Stopped"
_PAUSE_SECONDS, _MAX_PAUSE, _CALM_SECONDS = 0.2, 10.0, 60.0
_PROBE_SECONDS, _GRACE_SECONDS = 0.1, 5.0
_LOG_BYTES = 20 << 20


@dataclass(frozen=True)
class Serve:
    """How a deployment is served; seconds are seconds."""

    command: tuple[str, ...]
    port: int
    folder: str
    variables: dict[str, str]
    replicas: int
    timeout_seconds: float
    queue_seconds: float
    concurrent: int
    start_seconds: float
    probe_period: float
    probe_timeout: float
    probe_failures: int

    @classmethod
    def of(cls, kept: dict[str, Any]) -> "Serve":
        """From a deployment's file; one of an engine before this one names interpreter and script."""
        if "command" not in kept:
            python, script = kept.pop("python"), kept.pop("script")
            command = (python, "-P", str(container.LAUNCH), "--entry_script", script, "--port", "5001")
            return cls(command=command, port=container.DEFAULT_PORT, **kept)
        return cls(**{**kept, "command": tuple(kept["command"])})


class Replica:
    """Use `run` as a task; `state` tells what became of it."""

    def __init__(self, name: str, serve: Serve, log_file: Path, ready: Callable[[], None]) -> None:
        self.name, self.serve, self.log_file, self._on_ready = name, serve, log_file, ready
        self.state = STARTING
        self.port = 0
        self.in_flight = self.restarts = self.failed_starts = 0
        self.last_error: str | None = None
        self._child: asyncio.subprocess.Process | None = None
        self._doubt, self._stopping = asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        """Keep one server alive until `stop`."""
        pause = _PAUSE_SECONDS
        while self.state != STOPPED:
            began = time.monotonic()
            await self._live()
            if self.state == STOPPED:
                break
            self.state = DOWN
            pause = _PAUSE_SECONDS if time.monotonic() - began > _CALM_SECONDS else min(pause * 2, _MAX_PAUSE)
            log.warning("%s: %s; starting again in %.1f s", self.name, self.last_error, pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            self.restarts += 1
            if self.state == DOWN:
                self.state = STARTING

    async def _live(self) -> None:
        """One life of the server, from its start to its end."""
        child = await self._spawn()
        try:
            ready = await self._until_ready(child)
            if ready:
                await self._watch(child)
            elif self.state != STOPPED:
                self.failed_starts += 1
        finally:
            await self._end(child)

    async def _spawn(self) -> asyncio.subprocess.Process:
        self.port = free_port()
        command = container.on_port(self.serve.command, self.serve.port, self.port)
        with self.log_file.open("ab") as stream:
            self._child = await asyncio.create_subprocess_exec(
                *command,
                cwd=self.serve.folder,
                env=self.serve.variables,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
                preexec_fn=process.die_with_parent if sys.platform == "linux" else None,
            )
        log.info("%s: started, pid %d, port %d", self.name, self._child.pid, self.port)
        return self._child

    async def _until_ready(self, child: asyncio.subprocess.Process) -> bool:
        deadline = time.monotonic() + self.serve.start_seconds
        while self.state != STOPPED and time.monotonic() < deadline:
            if child.returncode is not None:
                self.last_error = f"the server ended with code {child.returncode}: {self._last_line()}"
                return False
            if await self._healthy(timeout=1.0):
                self._ready()
                log.info("%s: ready", self.name)
                return True
            await asyncio.sleep(_PROBE_SECONDS)
        self.last_error = f"the server was not ready within {self.serve.start_seconds:.0f} s"
        return False

    async def _watch(self, child: asyncio.subprocess.Process) -> None:
        """Until the process ends, or its probe fails too often in a row."""
        failures, ended = 0, asyncio.create_task(child.wait())
        try:
            while self.state != STOPPED:
                doubt = asyncio.create_task(self._doubt.wait())
                await asyncio.wait({ended, doubt}, timeout=self.serve.probe_period, return_when="FIRST_COMPLETED")
                doubt.cancel()
                self._doubt.clear()
                if ended.done():
                    self.last_error = f"the server ended with code {child.returncode}: {self._last_line()}"
                    return
                failures = 0 if await self._healthy(self.serve.probe_timeout) else failures + 1
                if failures == 0:
                    self._ready()
                elif failures >= self.serve.probe_failures:
                    self.last_error = f"the server did not answer {failures} probes in a row"
                    return
                self._trim_log()
        finally:
            ended.cancel()

    def _ready(self) -> None:
        if self.state in (STARTING, SUSPECT):
            self.state, self.failed_starts = READY, 0
            self._on_ready()

    def suspect(self) -> None:
        """A connection was refused: give it no request until the next probe, which comes at once."""
        if self.state == READY:
            self.state = SUSPECT
            self._doubt.set()

    async def _healthy(self, timeout: float) -> bool:
        limit = aiohttp.ClientTimeout(total=timeout)
        try:
            async with aiohttp.ClientSession(timeout=limit) as client, client.get(f"http://{HOST}:{self.port}/") as got:
                return got.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    async def stop(self) -> None:
        """End the server; no request is with it any more."""
        self.state = STOPPED
        self._stopping.set()
        if self._child and self._child.returncode is None:
            await self._end(self._child)

    async def _end(self, child: asyncio.subprocess.Process) -> None:
        """Ask, then kill, the whole session of the server."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, number)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(child.wait(), _GRACE_SECONDS)
                return

    def _last_line(self) -> str:
        lines = [line for line in process.tail(self.log_file, 40) if line.strip()]
        telling = [line for line in lines if "Error" in line and "Encountered" not in line]
        return (telling or lines or ["it said nothing"])[-1].strip()

    def _trim_log(self) -> None:
        """Keep the log small: its last quarter goes to .1; the server appends, so it may go on meanwhile."""
        if self.log_file.exists() and self.log_file.stat().st_size > _LOG_BYTES:
            with self.log_file.open("rb+") as stream:
                stream.seek(-_LOG_BYTES // 4, os.SEEK_END)
                self.log_file.with_suffix(".log.1").write_bytes(stream.read())
                stream.truncate(0)

    def shown(self) -> dict[str, Any]:
        """State as `show` tells it."""
        pid = self._child.pid if self._child else None
        shown = {"name": self.name, "state": self.state, "pid": pid, "port": self.port, "in_flight": self.in_flight}
        return {**shown, "restarts": self.restarts, "last_error": self.last_error}


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])

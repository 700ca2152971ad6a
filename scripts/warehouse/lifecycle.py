"""Start, find and stop the one server of a warehouse folder."""

import contextlib
import logging
import os
import subprocess
import sys
import time

import psutil
from filelock import FileLock

from demand.errors import UserError
from warehouse.state import HOST, REPO, Home, Server, ensure_password, process_of, read_state, running

START_SECONDS = 60.0
STOP_SECONDS = 10.0
log = logging.getLogger("warehouse")


def start(home: Home) -> Server:
    """The server of `home`: the one that runs, else a new one that outlives its caller.

    Raises:
        UserError: it did not come up; says why and where its log lies.
    """
    with FileLock(home.lock):
        found = running(home)
        if found:
            return found
        _end_silent_one(home)
        ensure_password(home)
        home.state.unlink(missing_ok=True)
        return _spawn(home)


def _end_silent_one(home: Home) -> None:
    """A server that runs but does not answer holds the data; it has to go before the next."""
    server = read_state(home)
    process = process_of(server) if server else None
    if process:
        log.warning("The warehouse (pid %d) does not answer; starting another", process.pid)
        _end(process)


def _spawn(home: Home) -> Server:
    paths = [str(REPO / "scripts"), str(REPO / "src")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": ""}
    environment.pop("LOCALML_STEP", None)
    command = [sys.executable, "-m", "warehouse.server", str(home.folder)]
    with home.log.open("ab") as output:
        offset = output.tell()
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=home.folder,
            env=environment,
            start_new_session=True,
        )
    return _wait_until_up(home, child, offset)


def _wait_until_up(home: Home, child: subprocess.Popen[bytes], offset: int) -> Server:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        server = running(home)
        if server and server.pid == child.pid:
            child.returncode = 0  # it is meant to live on; Popen must not warn about it
            return server
        if child.poll() is not None:
            raise UserError(f"the warehouse did not start: {_last_line(home, offset)}; its log: {home.log}")
        time.sleep(0.05)
    child.kill()
    child.wait()
    raise UserError(f"the warehouse did not answer within {START_SECONDS:.0f} s; its log: {home.log}")


def _last_line(home: Home, offset: int) -> str:
    text = home.log.read_bytes()[offset:].decode(errors="replace").strip()
    return text.splitlines()[-1] if text else "it said nothing"


def stop(home: Home) -> bool:
    """End the server of `home`; False when none runs. A state file that names no server of ours is removed."""
    with FileLock(home.lock):
        server = read_state(home)
        process = process_of(server) if server else None
        if process:
            _end(process)
        home.state.unlink(missing_ok=True)
        return process is not None


def _end(process: psutil.Process) -> None:
    """SIGTERM, and SIGKILL for one that does not listen."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
        if not _ended(process):
            process.kill()
            _ended(process)


def _ended(process: psutil.Process) -> bool:
    """Wait up to STOP_SECONDS; one that its parent has not yet collected (a zombie) has ended, too."""
    deadline = time.monotonic() + STOP_SECONDS
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def connection_environment(home: Home) -> dict[str, str]:
    """The SNOWFLAKE_* variables that lead a step to the server of `home`, its password among them.

    Raises:
        UserError: no server runs.
    """
    server = running(home)
    if not server:
        raise UserError("the local warehouse does not run; start it with: make start-warehouse")
    return {
        "SNOWFLAKE_HOST": HOST,
        "SNOWFLAKE_PORT": str(server.port),
        "SNOWFLAKE_PROTOCOL": "http",
        "SNOWFLAKE_PASSWORD": ensure_password(home),
    }

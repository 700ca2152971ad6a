"""The verbs' side of a router: start it, tell it that files changed, ask it, end it."""

import contextlib
import http.client
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from amlspec.errors import UserError
from host import process
from host.state import home, read_json
from localml.serving import store
from localml.serving.store import HOST

_START_SECONDS = 30.0
_CALL_SECONDS = 30.0
_STOP_SECONDS = 60.0


def ensure(endpoint: str) -> int:
    """The port of an endpoint's router, which is started where none runs. The port outlives the router."""
    folder = store.folder(endpoint)
    with store.lock(endpoint):
        record = store.load(endpoint)
        if port := running(folder):
            return port
        port = _start(folder)
        if record.get("port") != port:
            store.save({**record, "port": port})
    for name, state in status(endpoint)["deployments"].items():
        wait_for(endpoint, name, state["generation"])
    return port


def running(folder: Path) -> int | None:
    """The port of the router that runs for a folder."""
    mark = read_json(folder / "router.json")
    return int(mark["port"]) if mark and process.is_alive(mark) else None


def _start(folder: Path) -> int:
    (folder / "router.json").unlink(missing_ok=True)
    store.keys(folder)
    scripts = str(Path(__file__).parents[2])
    variables = {**os.environ, "LOCALML_HOME": str(home()), "PYTHONPATH": scripts, "PYTHONDONTWRITEBYTECODE": ""}
    with (folder / "router.log").open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "localml.serving.router", str(folder)],
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if port := running(folder):
            child.returncode = 0  # it is meant to live on; Popen must not warn about it
            return port
        if child.poll() is not None:
            break
        time.sleep(0.02)
    process.terminate(child.pid)
    last = (process.tail(folder / "router.log", 1) or ["it said nothing"])[0]
    raise UserError(f"the router of {folder.name} did not start: {last}; its log: {folder / 'router.log'}", 1)


def call(endpoint: str, method: str, path: str) -> dict[str, Any]:
    """One call of the router's own verbs."""
    status, text = request(endpoint, method, path, key="control")
    if status != 200:
        raise UserError(f"the router of {endpoint} answered {status}: {text[:200]}", 1)
    found: dict[str, Any] = json.loads(text)
    return found


def request(
    endpoint: str, method: str, path: str, key: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, str]:
    """(status, text) of a request to an endpoint. Not urllib, which would ask a proxy for it."""
    given = {"Authorization": f"Bearer {store.keys(store.folder(endpoint))[key]}", **(headers or {})}
    port = ensure(endpoint)
    try:
        with contextlib.closing(http.client.HTTPConnection(HOST, port, timeout=_CALL_SECONDS)) as connection:
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        log = store.folder(endpoint) / "router.log"
        reason = str(error) or type(error).__name__
        raise UserError(f"the router of {endpoint} does not answer ({reason}); its log: {log}", 1) from None


def sync(endpoint: str) -> dict[str, Any]:
    """Tell the router that files changed; its status."""
    return call(endpoint, "POST", "/-/sync")


def status(endpoint: str) -> dict[str, Any]:
    """What the router's deployments do."""
    return call(endpoint, "GET", "/-/status")


def wait_for(endpoint: str, deployment: str, generation: str) -> dict[str, Any]:
    """Wait until a generation serves or has failed; its state. Servers have the time that their probes allow."""
    while True:
        state = status(endpoint)["deployments"].get(deployment)
        if state is None or state["generation"] != generation:
            raise UserError(f"deployment {deployment} was changed or deleted by another command meanwhile", 1)
        if state["state"] != "Updating":
            return dict(state)
        time.sleep(0.1)


def wait_gone(endpoint: str, deployment: str) -> None:
    """Wait until a deployment has drained and stopped."""
    while deployment in status(endpoint)["draining"]:
        time.sleep(0.05)


def stop(folder: Path) -> bool:
    """End the router of a folder with its servers; False where none runs."""
    mark = read_json(folder / "router.json")
    if not mark or not process.is_alive(mark):
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(mark["pid"], 15)
    deadline = time.monotonic() + _STOP_SECONDS
    while process.is_alive(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    if process.is_alive(mark):
        process.terminate(mark["pid"])
    return True

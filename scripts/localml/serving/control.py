"""The verbs' side of a router: start it, tell it that files changed, ask it, end it."""

import contextlib
import http.client
import json
import time
from pathlib import Path
from typing import Any

from amlspec.errors import UserError
from host import daemon
from host.daemon import Daemon
from host.state import home
from localml.serving import store
from localml.serving.store import HOST

_START_SECONDS = 30.0
_CALL_SECONDS = 30.0


def ensure(endpoint: str) -> int:
    """The port of an endpoint's router, which is started where none runs. The port outlives the router."""
    folder = store.folder(endpoint)
    with store.lock(endpoint):
        record = store.load(endpoint)
        if port := running(folder):
            return port
        store.keys(folder)
        port = daemon.start(_router(folder), {"LOCALML_HOME": str(home())}).port
        if record.get("port") != port:
            store.save({**record, "port": port})
    for name, state in status(endpoint)["deployments"].items():
        wait_for(endpoint, name, state["generation"])
    return port


def _router(folder: Path) -> Daemon:
    state, log = folder / "router.json", folder / "router.log"
    return Daemon(f"the router of {folder.name}", "localml.serving.router", str(folder), state, log, _START_SECONDS)


def running(folder: Path) -> int | None:
    """The port of the router that runs for a folder."""
    server = daemon.find(_router(folder))
    return server.port if server else None


def call(endpoint: str, method: str, path: str) -> dict[str, Any]:
    """One call of the router's own verbs."""
    status, text = request(endpoint, method, path, key="control")
    if status != 200:
        raise UserError(f"the router of {endpoint} answered {status}: {text[:200]}", 1)
    answer: dict[str, Any] = json.loads(text)
    return answer


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
    """End the router of a folder with its servers, which drain first; False where none runs."""
    return daemon.stop(_router(folder))

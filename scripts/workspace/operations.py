"""Long-running operations: begun with an answer at once, asked for by the client until they have ended.

Each is a file, so that a server that was started anew knows what became of those before it. One that is asked for
twice, since an answer got lost, is the same operation as long as it runs.
"""

import json
import logging
import os
import threading
import uuid
from collections.abc import Callable
from typing import Any

from amlspec.errors import UserError
from host.process import is_alive, process_mark
from host.state import read_json, write_json
from workspace import engine
from workspace.messages import Answer, ServiceError, not_found
from workspace.site import PROVIDER, Site

log = logging.getLogger("workspace")
# How long a client waits until it asks again. The service says nothing, and the SDK then waits 5 s, or 30.
RETRY_SECONDS = 1
_running: dict[str, str] = {}
_lock = threading.Lock()


def begin(site: Site, target: str, body: Any, work: Callable[[], object]) -> dict[str, str]:
    """Do `work` on `target` (a resource's path) in the background; headers that tell the client where to ask."""
    key = f"{target} {json.dumps(body, sort_keys=True)}"
    with _lock:
        operation = _running.get(key)
        if operation is None:
            operation = _running[key] = str(uuid.uuid4())
            _write(site, operation, {"status": "InProgress", "target": target, "server": process_mark(os.getpid())})
            threading.Thread(target=_run, args=(site, operation, key, work), name=operation, daemon=True).start()
    return {"Azure-AsyncOperation": _address(site, operation), "Retry-After": str(RETRY_SECONDS)}


def show(site: Site, operation: str) -> Answer:
    """How an operation goes (Azure-AsyncOperation of Resource Manager: id, status, error)."""
    state = _read(site, operation)
    if state["status"] == "InProgress" and not is_alive(state["server"]):
        state |= {"status": "Failed", "error": _error("The local workspace was stopped meanwhile: ask for it again.")}
    body = {"id": operation, "name": operation, "status": state["status"]}
    body |= {"error": state["error"]} if state.get("error") else {}
    waits = {"Retry-After": str(RETRY_SECONDS)} if state["status"] == "InProgress" else {}
    return Answer(200, body, waits)


def is_running(target: str) -> bool:
    """Whether something is done to a resource now."""
    return any(key.split(" ", 1)[0] == target for key in list(_running))


def _run(site: Site, operation: str, key: str, work: Callable[[], object]) -> None:
    end: dict[str, Any] = {"status": "Succeeded"}
    try:
        work()
    except (UserError, ServiceError) as error:
        reason = engine.said(error) if isinstance(error, UserError) else error.message
        log.warning("%s: %s", key.split(" ", 1)[0], reason)
        end = {"status": "Failed", "error": _error(reason)}
    except Exception:  # whatever it was, the client has to hear of an end
        log.exception("%s", key.split(" ", 1)[0])
        end = {"status": "Failed", "error": _error("The local workspace made a mistake: its log says which.")}
    _write(site, operation, {**_read(site, operation), **end})
    with _lock:
        _running.pop(key, None)


def _error(message: str) -> dict[str, Any]:
    return {"code": "UserError", "message": message, "details": []}


def _address(site: Site, operation: str) -> str:
    base = f"/subscriptions/{site.names.subscription}/providers/{PROVIDER}/locations/local"
    return f"{site.url}{base}/mfeOperationsStatus/{operation}?api-version=2023-04-01-preview"


def _read(site: Site, operation: str) -> dict[str, Any]:
    result: dict[str, Any] | None = read_json(site.folder / "operations" / f"{operation}.json")
    if result is None:
        raise not_found(f"Operation {operation}")
    return result


def _write(site: Site, operation: str, state: dict[str, Any]) -> None:
    write_json(site.folder / "operations" / f"{operation}.json", state)

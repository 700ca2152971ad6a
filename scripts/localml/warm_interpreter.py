"""A step's interpreter with its packages loaded: `python warm_interpreter.py FD` forks one process for each step asked.

Loading pandas, scikit-learn and MLflow takes two to three seconds, most of what a small step takes. Standard library
alone, since it runs in the environment of the steps; `localml.warm` is the other end.
"""

import ctypes
import importlib
import json
import logging
import os
import random
import runpy
import select
import signal
import socket
import sys
import tempfile
import time
from contextlib import suppress
from typing import Any

# What the steps of this repo load, of what their environment has.
LOADED = (
    *("numpy", "pandas", "duckdb", "pyarrow.parquet", "yaml", "scipy.stats", "threadpoolctl", "jinja2", "onnx"),
    *("sklearn.compose", "sklearn.ensemble", "sklearn.impute", "sklearn.inspection", "sklearn.pipeline"),
    *("sklearn.preprocessing", "mlflow", "mlflow.sklearn", "mlflow.models", "mlflow.artifacts"),
    *("mlflow.store.tracking.sqlalchemy_store", "mlflow.store.model_registry.sqlalchemy_store"),
)
_PDEATHSIG = 1
_POLL_SECONDS = 0.01


def load() -> None:
    """Import what can be; a package that the environment lacks, or that fails, is the step's own matter."""
    for name in LOADED:
        with suppress(Exception):
            importlib.import_module(name)


def serve(server: socket.socket) -> dict[str, Any] | None:
    """Answer until the other end closes; in a forked child, what that child must run."""
    server.send(b'{"ready": true}')
    running: set[int] = set()
    while True:
        readable, _, _ = select.select([server], [], [], _POLL_SECONDS if running else None)
        for pid in list(running):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                running.remove(pid)
                server.send(json.dumps({"pid": pid, "code": os.waitstatus_to_exitcode(status)}).encode())
        if not readable:
            continue
        message = server.recv(1 << 20)
        if not message:
            return None
        request: dict[str, Any] = json.loads(message)
        pid = os.fork()
        if pid == 0:
            server.close()
            return request
        running.add(pid)
        server.send(json.dumps({"forked": pid}).encode())


def become(request: dict[str, Any]) -> None:
    """What a new process of the step would be: its session, log, mounts, folder and variables."""
    os.setsid()
    log = os.open(request["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.close(log)
    os.close(nothing)
    os.chdir(request["folder"])
    if request["mounts"]:
        _enter(request["mounts"], request["scripts"])
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)  # last, since a change of credentials takes it back
    os.environ.clear()
    os.environ.update({**request["variables"], "PWD": request["folder"]})
    time.tzset()
    tempfile.tempdir = None
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(write_through=True)  # type: ignore[union-attr]
    logging.root.handlers.clear()


def _enter(folders: dict[str, list[str]], scripts: str) -> None:
    """The step's own mounts, as `host.mounts` makes them; the step must not see that module."""
    sys.path.insert(0, scripts)
    try:
        from pathlib import Path  # noqa: PLC0415

        from host.mounts import Mounts  # noqa: PLC0415

        Mounts(tuple(map(Path, folders["outputs"])), tuple(map(Path, folders["inputs"]))).enter()
    finally:
        sys.path.remove(scripts)
        for name in [name for name in sys.modules if name == "host" or name.startswith("host.")]:
            del sys.modules[name]


def main() -> None:
    """The server, or the step that it has forked."""
    server = socket.socket(fileno=int(sys.argv[1]))
    base = sys.path[1:]
    load()
    request = serve(server)
    if request is None:
        return
    become(request)
    added = [path for path in request["variables"].get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:] = [request["folder"], *added, *base]
    sys.argv = [request["module"], *request["arguments"]]
    runpy.run_module(request["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

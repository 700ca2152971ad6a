"""Steps forked from an interpreter that has loaded their packages, with LOCALML_WARM=1: for many small jobs in a row.

Off by default: a step would not notice that it uses a submodule which it never imports, as it would on Azure. Only a
step whose command is `python -m module` and words is forked; every other one, and one that begins before the packages
are loaded, starts as ever.
"""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from host import process
from host.mounts import Mounts

SCRIPT = Path(__file__).with_name("warm_interpreter.py")
_MODULE = re.compile(r"[A-Za-z_][\w.]*")
# What a shell would do something with.
_SHELL = re.compile(r"[;&|<>`$*?~#(){}\[\]\n\\!]")


def is_on() -> bool:
    """Whether steps may be forked."""
    return os.environ.get("LOCALML_WARM") == "1" and sys.platform == "linux"


def module_of(command: str) -> tuple[str, list[str]] | None:
    """(module, arguments) of a command that a shell would only split into words; None for any other."""
    if _SHELL.search(command):
        return None
    words = shlex.split(command)
    if words[:2] != ["python", "-m"] or len(words) < 3 or not _MODULE.fullmatch(words[2]):
        return None
    return words[2], words[3:]


class Child:
    """A forked step, as `subprocess.Popen` shows one."""

    def __init__(self, interpreter: "Interpreter", pid: int) -> None:
        self._interpreter, self.pid = interpreter, pid

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        return self._interpreter.code(self.pid)

    def wait(self) -> int:
        """The exit code, waited for."""
        while (code := self.poll()) is None:
            time.sleep(0.01)
        return code


class Interpreter:
    """The server of one environment, started at once and ready when its packages are loaded."""

    def __init__(self, python: Path) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        variables = process.environment("warm", python, Path("/tmp"), {"MLFLOW_DISABLE_TELEMETRY": "true"})  # noqa: S108
        self._process = subprocess.Popen(
            [str(python), str(SCRIPT), str(theirs.fileno())],
            env=variables,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=process.die_with_parent,  # noqa: PLW1509 - one thread only
        )
        theirs.close()
        self.owner = os.getpid()
        self._socket, self._ready, self._codes = ours, False, dict[int, int]()
        self._forked: list[int] = []

    def is_ready(self) -> bool:
        """Whether it can fork at once."""
        self._read()
        return self._ready

    def _read(self) -> None:
        self._socket.setblocking(False)
        with suppress(BlockingIOError, ConnectionError):
            while message := self._socket.recv(1 << 16):
                self._note(json.loads(message))

    def _note(self, message: dict[str, Any]) -> None:
        if "ready" in message:
            self._ready = True
        elif "forked" in message:
            self._forked.append(int(message["forked"]))
        else:
            self._codes[int(message["pid"])] = int(message["code"])

    def code(self, pid: int) -> int | None:
        """The exit code of a forked step; as killed where the server itself is gone."""
        self._read()
        if pid in self._codes:
            return self._codes[pid]
        return None if self._process.poll() is None else -9

    def fork(
        self, module: tuple[str, list[str]], cwd: Path, variables: dict[str, str], log: Path, mounts: Mounts | None
    ) -> Child:
        """Start a step. Raises OSError where the server is gone."""
        folders = mounts and {"outputs": [*map(str, mounts.outputs)], "inputs": [*map(str, mounts.inputs)]}
        request = {
            "module": module[0],
            "arguments": module[1],
            "folder": str(cwd),
            "variables": variables,
            "log": str(log),
            "mounts": folders,
            "scripts": str(SCRIPT.parents[1]),
        }
        self._socket.setblocking(True)
        self._socket.send(json.dumps(request).encode())
        while not self._forked:
            message = self._socket.recv(1 << 16)
            if not message:
                raise ConnectionError("the warm interpreter has ended")
            self._note(json.loads(message))
        return Child(self, self._forked.pop())


_interpreters: dict[Path, Interpreter] = {}


def begin(python: Path) -> None:
    """Have an interpreter load its packages, beside whatever runs."""
    if is_on() and _own(python) is None:
        _interpreters[python] = Interpreter(python)


def _own(python: Path) -> Interpreter | None:
    """This process's interpreter: an engine that was forked has those of the process before it, which are not its."""
    known = _interpreters.get(python)
    return known if known and known.owner == os.getpid() else None


def spawn(
    python: Path, command: str, cwd: Path, variables: dict[str, str], log: Path, mounts: Mounts | None
) -> "subprocess.Popen[bytes] | Child":
    """Start a step's command, forked where that is possible now."""
    interpreter, module = _own(python), module_of(command)
    if interpreter and module and interpreter.is_ready():
        with suppress(OSError):
            return interpreter.fork(module, cwd, variables, log, mounts)
        del _interpreters[python]
    return process.spawn(command, cwd, variables, log, mounts)

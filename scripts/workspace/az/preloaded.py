"""python -m workspace.az.preloaded SOCKET: an interpreter that has imported azure-ai-ml, and forks for every call.

The SDK's imports take three to eight seconds, and a recipe makes some twenty calls. A call runs in a process of its
own, with the caller's variables, folder and streams, so that it prints and ends as it would without this; and it ends
when its caller does.
"""

import json
import os
import signal
import socket
import sys
import threading
from pathlib import Path

from host import daemon
from workspace.az import __main__ as az
from workspace.az import verbs  # noqa: F401 - loaded here, once

KILLED = 137


def serve(path: Path) -> None:
    """Take calls until a signal ends it; only the owner reaches the socket."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    os.chdir(path.parent)  # the path of a socket may have some hundred characters only
    Path(path.name).unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listening:
        old = os.umask(0o177)
        listening.bind(path.name)
        os.umask(old)
        listening.listen(16)
        daemon.announce(path.with_suffix(".json"), 0)
        while True:
            connection, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                _run(connection)
            connection.close()


def _run(connection: socket.socket) -> None:
    """One call, in this process, which then ends."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        words = _take(connection)
        threading.Thread(target=_end_with_caller, args=(connection,), daemon=True).start()
        code = az.main(words)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        connection.sendall(str(code).encode())
        os._exit(0)


def _take(connection: socket.socket) -> list[str]:
    """The call's words; its streams, variables and folder are this process's from here on."""
    head, streams, _, _ = socket.recv_fds(connection, 4, 3)
    body, size = b"", int.from_bytes(head, "big")
    while len(body) < size:
        part = connection.recv(size - len(body))
        if not part:
            os._exit(KILLED)
        body += part
    call = json.loads(body)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(call["variables"])
    os.chdir(call["folder"])
    words: list[str] = call["words"]
    return words


def _end_with_caller(connection: socket.socket) -> None:
    """A caller that was killed, or interrupted, leaves no call behind."""
    if not connection.recv(1):
        os._exit(KILLED)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))

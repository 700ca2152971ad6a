"""Hands a call of `az` to the preloaded interpreter: arguments, variables, folder, and the three streams themselves.

Run as a script with nothing but the standard library, so that it starts in some 30 ms. Where nobody takes the call,
it is made here.
"""

import json
import os
import socket
import sys
from pathlib import Path


def main(path: Path, words: list[str]) -> int:
    """The call's exit code."""
    folder = str(Path.cwd())
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            os.chdir(path.parent)  # the path of a socket may have some hundred characters only
            connection.connect(path.name)
        except OSError:
            os.chdir(folder)
            os.execv(sys.executable, [sys.executable, "-m", "workspace.az", *words])  # noqa: S606 - this is az itself
        call = {"words": words, "variables": dict(os.environ), "folder": folder}
        body = json.dumps(call).encode()
        socket.send_fds(connection, [len(body).to_bytes(4, "big")], [0, 1, 2])
        connection.sendall(body)
        return int(connection.recv(16) or b"1")


if __name__ == "__main__":
    try:
        raise SystemExit(main(Path(sys.argv[1]), sys.argv[2:]))
    except KeyboardInterrupt:
        raise SystemExit(130) from None

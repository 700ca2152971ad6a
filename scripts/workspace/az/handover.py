"""Hands a call of `az` to the preloaded interpreter: arguments, variables, folder, and the three streams themselves.

Run as a script with nothing but the standard library, so that it starts in some 30 ms.
"""

import json
import os
import socket
import sys
from pathlib import Path


def main(path: str, words: list[str]) -> int:
    """The call's exit code."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        call = {"words": words, "variables": dict(os.environ), "folder": str(Path.cwd())}
        body = json.dumps(call).encode()
        socket.send_fds(connection, [len(body).to_bytes(4, "big")], [0, 1, 2])
        connection.sendall(body)
        return int(connection.recv(16) or b"1")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], sys.argv[2:]))

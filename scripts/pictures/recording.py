"""A command in a terminal of its own, as an asciicast (version 2, https://docs.asciinema.org/manual/asciicast/v2/)."""

import json
import os
import pty
import select
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from fcntl import ioctl
from pathlib import Path

COLUMNS, ROWS = 100, 26
# A longer pause tells nobody anything.
MAX_PAUSE_SECONDS = 1.5
# A live view draws ten times a second; a recording needs fewer pictures.
FRAME_SECONDS = 0.5


def record(command: Sequence[str], variables: Mapping[str, str], path: Path) -> str:
    """Run the command, write its recording; what it printed. Raises RuntimeError where it failed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(command[0], list(command), dict(variables))  # noqa: S606
    ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    events, printed = _read(terminal, " ".join(command))
    _, status = os.waitpid(pid, 0)
    if code := os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"{' '.join(command)} ended with {code}:\n{printed}")
    head = {"version": 2, "width": COLUMNS, "height": ROWS}
    lines = [head, *events]
    path.write_text("".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines), encoding="utf-8")
    return printed


def _read(terminal: int, command: str) -> tuple[list[list[object]], str]:
    began = last = time.monotonic()
    shown, skipped, text = f"$ {command}\r\n", 0.0, ""
    events: list[list[object]] = []
    while True:
        ready, _, _ = select.select([terminal], [], [], FRAME_SECONDS)
        try:
            part = os.read(terminal, 65536).decode(errors="replace") if ready else ""
        except OSError:  # the command has ended
            break
        shown, text = shown + part, text + part
        now = time.monotonic()
        if shown and now - last >= FRAME_SECONDS:
            skipped += max(0.0, now - last - MAX_PAUSE_SECONDS)
            events.append([round(now - began - skipped, 2), "o", shown])
            shown, last = "", now
    events.append([round(time.monotonic() - began - skipped, 2), "o", shown])
    return events, text

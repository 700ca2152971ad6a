"""What a run says on the screen: a line a step, the end of a log that failed."""

import sys
from pathlib import Path

LAST_LINES = 25
MARKS = {"Succeeded": "ok", "SucceededWithIssues": "warning", "Failed": "failed", "Skipped": "skipped",
         "Canceled": "canceled"}  # fmt: skip


def say(line: str) -> None:
    """One line, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def ended(depth: int, title: str, result: str, seconds: float | None = None, why: str = "") -> None:
    """How a step, a job or a stage ended."""
    took = f" ({seconds:.1f} s)" if seconds is not None and seconds >= 0.05 else ""
    say(f"{'  ' * depth}{MARKS[result]:<8} {title}{took}{': ' + why if why else ''}")


def tail(log: Path) -> None:
    """The last lines of a log, and where it is."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    for line in lines[-LAST_LINES:]:
        say(f"        | {line}")
    say(f"        log: {log}")

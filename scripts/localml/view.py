"""What a person sees while a job runs: a live table on a terminal, plain lines elsewhere. All of it on stderr."""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlspec.document import display
from host import process

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live
    from rich.table import Table

_REFRESH_SECONDS = 0.1
# The job as a whole, among the usual seconds of its steps.
WHOLE = "*"
STYLES = {"running": "cyan", "completed": "green", "reused": "blue", "failed": "bold red", "canceled": "yellow"}


class View:
    """Plain lines, one for each change."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> "View":
        self.say(f"job {self.name}")
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def say(self, line: str) -> None:
        """One line, now."""
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    def tick(self, record: dict[str, Any]) -> None:
        """Called at every turn of the engine."""

    def started(self, name: str) -> None:
        """A step began."""
        self.say(f"  {name}: started")

    def finished(self, name: str, seconds: float | None) -> None:
        """A step ended well; whole seconds are about as many."""
        spent = "" if seconds is None else f" in {'about ' if isinstance(seconds, int) else ''}{round(seconds, 1)} s"
        self.say(f"  {name}: done{spent}")

    def reused(self, name: str, entry: dict[str, Any]) -> None:
        """A step was not needed."""
        self.say(f"  {name}: reused from {entry['job']}")

    def failed(self, name: str, reason: str, log: Path | None) -> None:
        """A step failed: which, why, its last lines, where the rest is."""
        if log is None:
            return self.say(f"  {name}: {reason}")
        lines = [f"  {name}: {reason}; its last lines:", *(f"    {line}" for line in process.tail(log))]
        self.say("\n".join([*lines, f"    log: {display(log)}"]))


class QuietView(View):
    """Nothing: for a caller who asks for the job's record instead."""

    def say(self, line: str) -> None:
        """Says nothing."""


class LiveView(View):
    """A table that follows the steps."""

    def __init__(self, name: str, usual: Mapping[str, float] | None = None) -> None:
        super().__init__(name)
        self.usual = usual or {}
        self.began = time.monotonic()
        self.live: Live | None = None
        self.drawn = 0.0
        self.since: dict[str, float] = {}
        self.spinners: dict[str, RenderableType] = {}

    def __enter__(self) -> "LiveView":
        from rich.console import Console  # noqa: PLC0415 - only a terminal pays for rich
        from rich.live import Live  # noqa: PLC0415

        self.live = Live(console=Console(stderr=True), auto_refresh=False, transient=False)
        self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.live.stop()

    def say(self, line: str) -> None:
        if self.live:
            self.live.console.print(line, highlight=False, markup=False)

    def started(self, name: str) -> None:
        self.since[name] = time.monotonic()

    def finished(self, name: str, seconds: float | None) -> None:
        self.drawn = 0.0

    def reused(self, name: str, entry: dict[str, Any]) -> None:
        self.drawn = 0.0

    def tick(self, record: dict[str, Any]) -> None:
        if self.live and time.monotonic() - self.drawn > _REFRESH_SECONDS:
            self.drawn = time.monotonic()
            self.live.update(self._table(record), refresh=True)

    def _table(self, record: dict[str, Any]) -> "Table":
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        table = Table(title=f"job {self.name}", title_justify="left", box=None, padding=(0, 2, 0, 0), expand=True)
        # Only the last line gives way on a narrow terminal; the others keep their widest text.
        for column, width in (("step", max(map(len, record["jobs"]))), ("state", len("notstarted")), ("seconds", 7)):
            table.add_column(column, min_width=width, no_wrap=True)
        if self.usual:
            table.add_column("usual", no_wrap=True)
        table.add_column("last line", ratio=1, no_wrap=True, overflow="ellipsis")
        for name, step in record["jobs"].items():
            state, seconds, last = self._cells(name, step)
            table.add_row(name, state, seconds, *self._usual_cell(name, step), Text(last))
        table.caption = self._total(record)
        table.caption_justify = "left"
        return table

    def _cells(self, name: str, step: dict[str, Any]) -> "tuple[RenderableType, str, str]":
        from rich.spinner import Spinner  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        if step["status"] == "Running":
            seconds = time.monotonic() - self.since.get(name, time.monotonic())
            last = process.tail(Path(step["log"]), 1) if step["log"] else []
            spinner = self.spinners.setdefault(name, Spinner("dots", "running", style=STYLES["running"]))
            return spinner, f"{seconds:.1f}", last[0] if last else ""
        if step.get("reused_from"):
            return Text("reused", STYLES["reused"]), "", f"from {step['reused_from']}"
        seconds_text = "" if step["seconds"] is None else f"{step['seconds']:.1f}"
        state = step["status"].lower()
        return Text(state, STYLES.get(state, "")), seconds_text, step.get("error") or ""

    def _usual_cell(self, name: str, step: dict[str, Any]) -> list[str]:
        """Seconds that the step took the last time that it ran; nothing of one that is reused."""
        if not self.usual:
            return []
        return [f"{self.usual[name]:.0f}" if name in self.usual and not step.get("reused_from") else ""]

    def _total(self, record: dict[str, Any]) -> str:
        """How long the job runs, and how long it took the last time."""
        spent = f"{time.monotonic() - self.began:.0f} s"
        is_whole = all(name in self.usual for name in record["jobs"]) and WHOLE in self.usual
        reused = any(step.get("reused_from") for step in record["jobs"].values())
        return f"{spent} of about {self.usual[WHOLE]:.0f} s" if is_whole and not reused else spent


def of_job(name: str, usual: Mapping[str, float] | None = None) -> View:
    """The view that suits stderr; `usual` are the seconds of each step, and of WHOLE, the last time."""
    return LiveView(name, usual) if sys.stderr.isatty() else View(name)


def quiet(name: str) -> View:
    """The view of a caller who wants no words."""
    return QuietView(name)

"""replay.html: the table, and the errors through the time."""

from pathlib import Path
from typing import Any

from host.state import write_text
from pages import page as pages
from replay.table import HEAD, Summary

FOLDER = Path(__file__).parent
NAMES = {"own": "this repo", "once": "train once", "naive": "seasonal naive"}
WIDTH, HEIGHT, LEFT = 640.0, 220.0, 44.0


def write(done: Summary, folder: Path) -> Path:
    """Write the page; its path."""
    path = folder / "replay.html"
    rows = list(done.rows())
    page = pages.render(
        FOLDER, "replay.html.jinja", head=HEAD, months=rows[:-1], whole=rows[-1], seen=done.seen, chart=_chart(done)
    )
    write_text(path, page)
    return path


def _chart(done: Summary) -> dict[str, Any]:
    """Points of each line, in a box of WIDTH x HEIGHT; WAPE in percent from 0 up."""
    months = [each.month for each in done.played]
    known = {name: [getattr(done.errors[month], name) for month in months] for name in NAMES}
    top = max((value for line in known.values() for value in line if value is not None), default=0.1) * 1.1
    step = (WIDTH - LEFT) / max(1, len(months) - 1)

    def points(line: list[float | None]) -> str:
        placed = (
            (LEFT + at * step, HEIGHT - HEIGHT * value / top) for at, value in enumerate(line) if value is not None
        )
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)

    grid = [(round(HEIGHT - HEIGHT * share, 1), f"{100 * top * share:.0f} %") for share in (0.25, 0.5, 0.75)]
    lines = [{"name": NAMES[name], "key": name, "points": points(line)} for name, line in known.items()]
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "lines": lines,
        "grid": grid,
        "first": months[0],
        "last": months[-1],
    }

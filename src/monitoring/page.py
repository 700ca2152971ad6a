"""monitor.html: one glance says healthy, or what is wrong since when."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monitoring.words import WORDS, shown
from pages import page as pages

FOLDER = Path(__file__).parent
ORDER = {"breached": 0, "unknown": 1, "ok": 2}
# Of a small chart of a signal's months.
WIDTH, HEIGHT = 120.0, 28.0


def render(report: Mapping[str, Any], events: Sequence[Any] = ()) -> str:
    """The page of signals.json, with what happened lately (at, what, text, good) where the caller knows it."""
    rows = sorted((_row(each) for each in report["signals"]), key=lambda row: ORDER[row["state"]])
    return pages.render(
        FOLDER,
        "monitor.html.jinja",
        report=report,
        events=events,
        alarms=[row for row in rows if row["state"] == "breached"],
        rows=rows,
        width=WIDTH,
        height=HEIGHT,
    )


def _row(signal: Mapping[str, Any]) -> dict[str, Any]:
    name = signal["name"]
    return {
        **signal,
        "title": WORDS[name].title,
        "todo": WORDS[name].todo,
        "shown": shown(name, signal["value"]),
        "shown_limit": shown(name, signal["limit"]),
        "points": _points(signal["values"], signal["limit"]),
        "line": _height(signal["limit"], _top(signal["values"], signal["limit"])),
    }


def _top(values: list[float | None], limit: float) -> float:
    return max([limit, *(value for value in values if value is not None)]) or 1.0


def _points(values: list[float | None], limit: float) -> list[tuple[float, float, bool]]:
    """Places of the known values in the chart, and whether each is above the limit."""
    top, step = _top(values, limit), WIDTH / max(1, len(values))
    return [
        (round((place + 0.5) * step, 1), _height(value, top), value > limit)
        for place, value in enumerate(values)
        if value is not None
    ]


def _height(value: float, top: float) -> float:
    return round(HEIGHT - 3 - (HEIGHT - 6) * value / top, 1)

"""The short table at the end of a run."""

from pathlib import Path

from amlspec.document import display
from demand import health
from forecasting.verdict import HEAD, Verdict
from pipeline import closing


def lines(verdict: Verdict, report: Path, champion_before: str | None = None) -> list[str]:
    """Candidates, champion and baselines with their one-step and multi-step errors, then verdict and seconds.

    `champion_before` is the version that was the champion when the run started.
    """
    rows = [[row.kind, f"{row.name} *" if row.is_selected else row.name, *row.cells] for row in verdict.table()]
    closing_lines = [*_verdict(verdict, champion_before), *_rest(verdict, report), *closing.of_verdict(verdict)]
    return ["", *_aligned([["", "", *HEAD], *rows]), "", *closing_lines]


def _aligned(table: list[list[str]]) -> list[str]:
    widths = [max(len(row[index]) for row in table) for index in range(len(table[0]))]
    pad = [str.ljust, str.ljust, *[str.rjust] * (len(widths) - 2)]
    return [
        "  ".join(fit(cell, width) for fit, cell, width in zip(pad, row, widths, strict=True)).rstrip() for row in table
    ]


def _verdict(verdict: Verdict, champion_before: str | None) -> list[str]:
    """What the gate decided and what it changed; then what else a reader has to know."""
    return [
        *_decision(verdict, champion_before),
        *(f"Note: {note}" for note in verdict.notes),
        *_live(verdict),
    ]


def _decision(verdict: Verdict, champion_before: str | None) -> list[str]:
    if not verdict.promoted:
        return ["Not promoted:", *(f"  - {reason}" for reason in verdict.reasons)]
    model = verdict.model or {}
    label = f"{model['name']} version {model['version']}"
    if champion_before == model["version"]:
        return [f"Unchanged: {verdict.selected} is {label}, which was the champion before this run"]
    return [f"Promoted: {verdict.selected} is {label}"]


def _live(verdict: Verdict) -> list[str]:
    live = verdict.live or {}
    said = health.sentence(str(live.get("name")), str(live.get("version")), live)
    if not said or verdict.promoted:
        return []
    return [f"Warning: {said}; until a better model is promoted, `make forecast` does not publish its forecasts"]


def _rest(verdict: Verdict, report: Path) -> list[str]:
    spent = "  ".join(
        f"{step} {seconds:.1f}" for step, seconds in (verdict.seconds or {}).items() if seconds is not None
    )
    times = [f"Seconds: {spent}"] if spent else []  # Azure ML's records name none
    named = {"read": "read", "quarantined": "quarantined", "train": "to train", "holdout": "held out"}
    counted = ", ".join(f"{verdict.rows.get(key) or 0:,} {name}" for key, name in named.items())
    return [f"Rows: {counted}", *times, f"Report: {display(report / 'report.html')}"]

"""The short table at the end of a run."""

from pathlib import Path
from typing import Any

from amlspec.document import display
from demand import health
from pipeline import closing

METRICS = ("wape", "mae", "rmse", "r2")


def lines(verdict: dict[str, Any], report: Path, champion_before: str | None = None) -> list[str]:
    """Candidates, champion and baselines with their one-step and multi-step errors, then verdict and seconds.

    `champion_before` is the version that was the champion when the run started.
    """
    groups = [("candidate", verdict["candidates"]), ("baseline", verdict["baselines"])]
    if verdict.get("champion"):
        groups.insert(1, ("champion", {_champion(verdict["champion"]): verdict["champion"]}))
    head = ["", "", "WAPE", "MAE", "RMSE", "R2", "WAPE all months"]
    table = [head, *(row for kind, members in groups for row in _rows(kind, members, verdict["selected"]))]
    told = [*_verdict(verdict, champion_before), *_rest(verdict, report), *closing.of_verdict(verdict)]
    return ["", *_aligned(table), "", *told]


def _rows(kind: str, members: dict[str, Any], selected: str | None) -> list[list[str]]:
    return [
        [kind, f"{name} *" if kind == "candidate" and name == selected else name]
        + [_number(metric, each["one_step"][metric]) for metric in METRICS]
        + [_number("wape", each["multi_step"]["wape"])]
        for name, each in members.items()
    ]


def _number(metric: str, value: float | None) -> str:
    if value is None:
        return "-"
    if metric == "wape":
        return f"{value:.1%}"
    return f"{value:.3f}" if metric == "r2" else f"{value:,.1f}"


def _aligned(table: list[list[str]]) -> list[str]:
    widths = [max(len(row[index]) for row in table) for index in range(len(table[0]))]
    pad = [str.ljust, str.ljust, *[str.rjust] * (len(widths) - 2)]
    return [
        "  ".join(fit(cell, width) for fit, cell, width in zip(pad, row, widths, strict=True)).rstrip() for row in table
    ]


def _champion(entry: dict[str, Any]) -> str:
    version = f"version {entry['version']}" if "version" in entry else "champion"
    return f"{version}, refitted" if entry.get("refitted") else version


def _verdict(verdict: dict[str, Any], champion_before: str | None) -> list[str]:
    """What the gate decided and what it changed; then what else a reader has to know."""
    return [
        *_decision(verdict, champion_before),
        *(f"Note: {note}" for note in verdict.get("notes", ())),
        *_live(verdict),
    ]


def _decision(verdict: dict[str, Any], champion_before: str | None) -> list[str]:
    if not verdict["promoted"]:
        return ["Not promoted:", *(f"  - {reason}" for reason in verdict["reasons"])]
    model = verdict["model"]
    label = f"{model['name']} version {model['version']}"
    if champion_before == model["version"]:
        return [f"Unchanged: {verdict['selected']} is {label}, which was the champion before this run"]
    return [f"Promoted: {verdict['selected']} is {label}"]


def _live(verdict: dict[str, Any]) -> list[str]:
    live = verdict.get("live") or {}
    said = health.sentence(str(live.get("name")), str(live.get("version")), live)
    if not said or verdict["promoted"]:
        return []
    return [f"Warning: {said}; until a better model is promoted, `make forecast` does not publish its forecasts"]


def _rest(verdict: dict[str, Any], report: Path) -> list[str]:
    spent = "  ".join(f"{step} {seconds:.1f}" for step, seconds in verdict["seconds"].items() if seconds is not None)
    times = [f"Seconds: {spent}"] if spent else []  # Azure ML's records name none
    named = {"read": "read", "quarantined": "quarantined", "train": "to train", "holdout": "held out"}
    counted = ", ".join(f"{verdict['rows'][key]:,} {name}" for key, name in named.items())
    return [f"Rows: {counted}", *times, f"Report: {display(report / 'report.html')}"]

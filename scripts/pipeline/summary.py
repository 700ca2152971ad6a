"""The short table at the end of a run."""

from pathlib import Path
from typing import Any

from localml.yamlio import display

METRICS = ("wape", "mae", "rmse", "r2")


def lines(verdict: dict[str, Any], report: Path, rows: dict[str, Any]) -> list[str]:
    """Candidates, champion and baselines with their one-step and multi-step errors, then verdict and seconds."""
    groups = [("candidate", verdict["candidates"]), ("baseline", verdict["baselines"])]
    if verdict.get("champion"):
        groups.insert(1, ("champion", {"champion": verdict["champion"]}))
    head = ["", "", "WAPE", "MAE", "RMSE", "R2", "WAPE all months"]
    table = [head, *(row for kind, members in groups for row in _rows(kind, members, verdict["selected"]))]
    return ["", *_aligned(table), "", *_verdict(verdict), *_rest(verdict, report, rows)]


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


def _verdict(verdict: dict[str, Any]) -> list[str]:
    if verdict["promoted"]:
        model = verdict["model"]
        return [f"Promoted: {verdict['selected']} is {model['name']} version {model['version']}"]
    return ["Not promoted:", *(f"  - {reason}" for reason in verdict["reasons"])]


def _rest(verdict: dict[str, Any], report: Path, rows: dict[str, Any]) -> list[str]:
    spent = "  ".join(f"{step} {seconds:.1f}" for step, seconds in verdict["seconds"].items() if seconds is not None)
    named = {"read": "read", "quarantined": "quarantined", "train": "to train", "holdout": "held out"}
    counted = ", ".join(f"{rows[key]:,} {name}" for key, name in named.items())
    times = [f"Seconds: {spent}"] if spent else []  # Azure ML's records name none
    return [f"Rows: {counted}", *times, f"Report: {display(report / 'report.html')}"]

"""What a caller may hand in: a run's verdict and a Terraform plan."""

import importlib
import json
import math
from pathlib import Path
from typing import Any

from review.git import UserError

_FIGURES = ("wape", "mae", "rmse", "r2")


def read_verdict(path: Path) -> dict[str, Any]:
    """Candidates, champion and baselines one month ahead. Raises UserError where the file is no verdict."""
    verdict = _json(path, "VERDICT")
    if not isinstance(verdict, dict) or not {"promoted", "selected", "candidates"} <= verdict.keys():
        raise UserError(f"{path} is no verdict: make verdict > verdict.json writes one")
    word = "promoted" if verdict["promoted"] else "refused"
    rows = [_row(f"{name} (candidate)", figures) for name, figures in sorted(verdict["candidates"].items())]
    if verdict.get("champion"):
        rows.append(_row("champion", verdict["champion"]))
    rows += [_row(f"{name} (baseline)", figures) for name, figures in sorted(verdict.get("baselines", {}).items())]
    reasons = "; ".join(verdict.get("reasons", [])) or "no reason given"
    return {"sentence": f"The run's gate {word} {verdict['selected']}: {reasons}.", "rows": rows}


def _row(name: str, figures: dict[str, Any]) -> dict[str, str]:
    one_step = figures.get("one_step") or {}
    shown = {key: _figure(key, one_step.get(key)) for key in _FIGURES}
    return {"name": name, **shown}


def _figure(key: str, value: object) -> str:
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return "-"
    return f"{value:.2%}" if key == "wape" else f"{value:.3f}" if key == "r2" else f"{value:,.1f}"


def read_plan(path: Path) -> list[str]:
    """The plan guard's summary of `terraform show -json`. Raises UserError where the file is no plan."""
    text = _text(path, "PLAN")
    guard = importlib.import_module("infra.plan_guard")  # by name: only a review with a plan needs it
    try:
        changes = guard.read_plan(text)
    except Exception as error:
        raise UserError(f"{path}: {error}") from error
    verbs = [change.verb for change in changes]
    counts = [f"{verbs.count(verb)} to {verb}" for verb in ("create", "update", "replace", "delete")]
    refused = {change.address for change in guard.refused(changes, [])}
    losses = [
        f"**{change.verb}** {change.address}"
        + (" (protected: the plan guard refuses it)" * (change.address in refused))
        for change in changes
        if change.loses
    ]
    return [f"plan: {', '.join(counts)}", *losses]


def _text(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{name}={path}: {error.strerror}") from error


def _json(path: Path, name: str) -> Any:
    try:
        return json.loads(_text(path, name))
    except json.JSONDecodeError as error:
        raise UserError(f"{name}={path}: no JSON, line {error.lineno}") from error

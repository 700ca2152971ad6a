"""What a caller may hand in: a run's verdict and a Terraform plan."""

import importlib
import json
import math
from pathlib import Path
from typing import Any

from amlspec.errors import UserError

_FIGURES = ("wape", "mae", "rmse", "r2")


def read_verdict(path: Path) -> dict[str, Any]:
    """Candidates, champion and baselines one month ahead. Raises UserError where the file is no verdict."""
    verdict = _json(path, "VERDICT")
    if not isinstance(verdict, dict) or not isinstance(verdict.get("candidates"), dict):
        raise UserError(f"{path} is no verdict: make verdict > verdict.json writes one")
    word = "promoted" if verdict.get("promoted") else "refused"
    rows = [_row(f"{name} (candidate)", figures) for name, figures in _table(verdict, "candidates")]
    if verdict.get("champion"):
        rows.append(_row("champion", verdict["champion"]))
    rows += [_row(f"{name} (baseline)", figures) for name, figures in _table(verdict, "baselines")]
    reasons = "; ".join(str(reason) for reason in verdict.get("reasons") or ["no reason given"])
    return {
        "sentence": f"The run's gate {word} {verdict.get('selected') or 'every candidate'}: {reasons}.",
        "rows": rows,
    }


def _table(verdict: dict[str, Any], key: str) -> list[tuple[str, Any]]:
    found = verdict.get(key)
    return sorted(found.items()) if isinstance(found, dict) else []


def _row(name: str, figures: Any) -> dict[str, str]:
    one_step = figures.get("one_step") if isinstance(figures, dict) else None
    one_step = one_step if isinstance(one_step, dict) else {}
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
    except UnicodeDecodeError as error:
        hint = "terraform show -json makes JSON of a saved plan" if name == "PLAN" else "make verdict writes one"
        raise UserError(f"{name}={path} is no JSON: {hint}") from error


def _json(path: Path, name: str) -> Any:
    try:
        return json.loads(_text(path, name))
    except json.JSONDecodeError as error:
        raise UserError(f"{name}={path}: no JSON, line {error.lineno}") from error

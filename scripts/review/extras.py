"""What a caller may hand in: a run's verdict and a Terraform plan."""

import importlib
import json
from pathlib import Path
from typing import Any

from amlspec.errors import UserError
from forecasting.verdict import HEAD, Verdict


def read_verdict(path: Path) -> dict[str, Any]:
    """Candidates, champion and baselines one month ahead. Raises UserError where the file is not a verdict."""
    try:
        verdict = Verdict.of(_json(path, "VERDICT"))
    except ValueError as error:
        raise UserError(f"{path} is not a verdict ({error}): make verdict > verdict.json writes one") from None
    word = "promoted" if verdict.promoted else "refused"
    reasons = "; ".join(verdict.reasons or ("no reason given",))
    return {
        "sentence": f"The run's gate {word} {verdict.selected}: {reasons}.",
        "head": list(HEAD),
        "rows": [
            {"name": row.name if row.kind == row.name else f"{row.name} ({row.kind})", "cells": list(row.cells)}
            for row in verdict.table()
        ],
    }


def read_plan(path: Path) -> list[str]:
    """The plan guard's summary of `terraform show -json`. Raises UserError where the file is not a plan."""
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
        raise UserError(f"{name}={path} is not JSON: {hint}") from error


def _json(path: Path, name: str) -> Any:
    try:
        return json.loads(_text(path, name))
    except json.JSONDecodeError as error:
        raise UserError(f"{name}={path}: no JSON, line {error.lineno}") from error

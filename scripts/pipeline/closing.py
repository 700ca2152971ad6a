"""The last lines of a run: every step's warnings once more, and a count in the manner of dbt."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from amlspec.errors import UserError
from forecasting.verdict import Verdict
from pipeline import outputs

FILE = "warnings.json"


def lines(steps: int, warnings: Sequence[Mapping[str, str]]) -> list[str]:
    """Warnings, then `PASS= WARN= ERROR=`: steps that ended well, warnings, steps that failed (a run with one has no
    last lines of this kind)."""
    return [*_listed(warnings), f"PASS={steps} WARN={len(warnings)} ERROR=0"]


def of_verdict(verdict: Verdict) -> list[str]:
    """Last lines of a training run; verdicts of earlier releases hold no warnings."""
    return lines(len(verdict.seconds or {}), verdict.warnings)


def of_forecast(record: Mapping[str, Any]) -> list[str]:
    """Last lines of a batch forecast, whose warnings lie beside its forecasts on either engine."""
    try:
        warnings = _read(record)
    except (UserError, OSError, ValueError) as error:
        return [f"Its warnings could not be read ({error}): {FILE} of the output forecasts holds them"]
    return lines(len(record.get("jobs") or {}), warnings)


def _listed(warnings: Sequence[Mapping[str, str]]) -> list[str]:
    return ["Warnings:", *(f"  - {one['step']}: {one['message']}" for one in warnings)] if warnings else []


def _read(record: Mapping[str, Any]) -> list[dict[str, str]]:
    return _entries(outputs.of_forecast(dict(record)))


def _entries(folder: Path) -> list[dict[str, str]]:
    path = next(folder.rglob(FILE), None)
    if path is None:
        raise UserError(f"the output forecasts has no {FILE}")
    entries: list[dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return entries

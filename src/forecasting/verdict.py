"""verdict.json: what was compared with what, on which rows, and what the gate decided."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand.errors import UserError
from forecasting import metrics
from forecasting.backtest import Scores
from forecasting.features import TARGET, series_columns
from forecasting.gate import Decision

FILE = "verdict.json"
FloatArray = npt.NDArray[np.float64]


def figures(scores: Scores, rows: pd.DataFrame) -> dict[str, Any]:
    """Errors and coverage of the interval (None without one), one month ahead and from one origin."""
    actual = rows[TARGET].to_numpy(dtype=np.float64)
    result: dict[str, Any] = {
        "one_step": metrics.errors(actual, scores.one_step),
        "multi_step": metrics.errors(actual, scores.multi_step),
        "coverage_p10_p90": _covered(actual, scores.low, scores.high),
        "multi_step_coverage_p10_p90": _covered(actual, scores.multi_step_low, scores.multi_step_high),
    }
    if scores.recorded_weather is not None:
        result["one_step_with_recorded_weather"] = scores.recorded_weather
    return result


def _covered(actual: FloatArray, low: FloatArray | None, high: FloatArray | None) -> float | None:
    return None if low is None or high is None else metrics.coverage(actual, low, high)


def by_country(scores: Mapping[str, Scores], rows: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """country -> model or baseline -> errors; stores without a country are 'unknown'."""
    country = rows["Country"].fillna("unknown").astype(str)
    actual = rows[TARGET].to_numpy(dtype=np.float64)
    result: dict[str, dict[str, Any]] = {}
    for name in sorted(country.unique()):
        at = (country == name).to_numpy()
        result[name] = {
            label: {
                "one_step": metrics.errors(actual[at], one.one_step[at]),
                "multi_step": metrics.errors(actual[at], one.multi_step[at]),
            }
            for label, one in scores.items()
        }
    return result


def forecast_table(scores: Mapping[str, Scores], rows: pd.DataFrame) -> pd.DataFrame:
    """One row per model and held-out store-month: sales, forecasts and interval, in units."""
    tables = []
    for name, one in scores.items():
        table = rows[[*series_columns(rows), "MonthYear", "Country"]].assign(Model=name, Actual=rows[TARGET])
        empty = np.full(len(rows), np.nan)
        table = table.assign(OneStep=one.one_step, MultiStep=one.multi_step)
        tables.append(
            table.assign(P10=empty if one.low is None else one.low, P90=empty if one.high is None else one.high)
        )
    return pd.concat(tables, ignore_index=True)


def compose(
    decision: Decision,
    candidates: Mapping[str, Any],
    baselines: Mapping[str, Any],
    champion: Any,
    rows: Mapping[str, Any],
    more: Mapping[str, Any],
) -> dict[str, Any]:
    """The verdict without `seconds`, which the engine knows; `model` is null until a version is registered."""
    counts = {name: rows.get(name) for name in ("read", "quarantined", "train", "holdout")}
    return {
        "promoted": decision.promoted,
        "reasons": list(decision.reasons),
        "selected": decision.selected,
        "model": None,
        "candidates": dict(candidates),
        "baselines": dict(baselines),
        "champion": champion,
        "rows": counts,
        "warnings": list(rows.get("warnings", [])),
        **more,
    }


def write(verdict: Mapping[str, Any], folder: Path) -> None:
    """Write verdict.json; figures that are not finite become null, since JSON has none."""
    text = json.dumps(_finite(verdict), indent=2, ensure_ascii=False, allow_nan=False)
    (folder / FILE).write_text(text + "\n", encoding="utf-8")


def read(folder: Path) -> dict[str, Any]:
    """The verdict in `folder`.

    Raises:
        UserError: none there, or not a verdict.
    """
    path = folder / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: not there; give the verdict folder of the evaluate step") from error
    except json.JSONDecodeError as error:
        raise UserError(f"{path}:{error.lineno}: not JSON: {error.msg}") from error
    if not isinstance(content, dict) or not isinstance(content.get("promoted"), bool) or not content.get("selected"):
        raise UserError(f"{path}: not a verdict: `promoted` or `selected` is missing")
    return content


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

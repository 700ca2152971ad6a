"""Figures of the verdict, from what each model forecast of the held-out months."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasting import metrics
from forecasting.backtest import Backtest
from forecasting.features import TARGET, series_columns
from forecasting.verdict import Errors, Figures

FloatArray = npt.NDArray[np.float64]


def figures(backtest: Backtest, rows: pd.DataFrame) -> Figures:
    """Errors and coverage of the interval (None without one), one month ahead and from one origin."""
    actual, recorded = rows[TARGET].to_numpy(dtype=np.float64), backtest.recorded_weather
    return Figures(
        one_step=Errors(**metrics.errors(actual, backtest.one_step)),
        multi_step=Errors(**metrics.errors(actual, backtest.multi_step)),
        coverage_p10_p90=_covered(actual, backtest.low, backtest.high),
        multi_step_coverage_p10_p90=_covered(actual, backtest.multi_step_low, backtest.multi_step_high),
        one_step_with_recorded_weather=None if recorded is None else Errors(**recorded),
    )


def _covered(actual: FloatArray, low: FloatArray | None, high: FloatArray | None) -> float | None:
    return None if low is None or high is None else metrics.coverage(actual, low, high)


def by_country(backtests: Mapping[str, Backtest], rows: pd.DataFrame) -> dict[str, dict[str, Any]]:
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
            for label, one in backtests.items()
        }
    return result


def forecast_table(backtests: Mapping[str, Backtest], rows: pd.DataFrame) -> pd.DataFrame:
    """One row per model and held-out store-month: sales, forecasts and interval, in units."""
    tables = []
    for name, one in backtests.items():
        table = rows[[*series_columns(rows), "MonthYear", "Country"]].assign(Model=name, Actual=rows[TARGET])
        empty = np.full(len(rows), np.nan)
        table = table.assign(OneStep=one.one_step, MultiStep=one.multi_step)
        tables.append(
            table.assign(P10=empty if one.low is None else one.low, P90=empty if one.high is None else one.high)
        )
    return pd.concat(tables, ignore_index=True)

"""A model's error on sales of today, beside the naive forecast's; see `demand.health` for what is said of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from demand.direct import load_forecaster
from demand.everyone import Everyone
from demand.forecaster import Forecaster
from demand.health import NAIVE
from demand.months import month_name
from demand.panel import PLANNED
from forecasting import baselines, metrics
from forecasting.features import TARGET, SalesHistory, month_index, series_columns, series_keys, state_of
from forecasting.panels import Months

MONTHS = 6
KEPT = ("Country", "City")


def look_back(folder: Path, metadata: Mapping[str, Any], rows: pd.DataFrame, months: int = MONTHS) -> dict[str, Any]:
    """How the model in `folder` would have forecast the last `months` of `rows`, each from the months before it.

    `rows` are those of the prepare step, or the aggregate step's with the calendar. A model that has learned from those
    months is flattered by them: one that loses even so is unfit for these sales.
    """
    forecaster = load_forecaster(folder, metadata, state_of(rows), Months.of(rows).panel())
    return compared(looked_back(forecaster, rows, months))


def looked_back(
    forecaster: Forecaster, rows: pd.DataFrame, months: int = MONTHS, everyone: Everyone | None = None
) -> pd.DataFrame:
    """One row per series and month of the last `months`: KEYS, Month (index), Actual, Forecast and Naive in units.

    Args:
        forecaster: the model, with the sales of `rows`.
        rows: monthly rows with the calendar, all that is known today.
        months: how many of the last ones.
        everyone: where the rows are of some series, what these have to know of all.
    """
    history, last = SalesHistory.of(rows), everyone.last_month if everyone else _last(rows)
    recent = rows[month_index(rows["MonthStart"]) > last - months].reset_index(drop=True)
    naive = baselines.forecast(NAIVE, recent, history, everyone.mean_before if everyone else None)
    return pd.DataFrame(
        {
            "Key": series_keys(recent).astype(str),
            "Month": month_index(recent["MonthStart"]),
            "Actual": recent[TARGET].to_numpy(dtype=np.float64),
            "Forecast": np.array([each.sales for each in forecaster.forecast(asked_rows(recent))]),
            "Naive": naive,
        }
    )


def compared(table: pd.DataFrame) -> dict[str, Any]:
    """{"from", "until", "wape", "seasonal_naive", "is_worse"} of the rows of `looked_back`, in whatever order."""
    rows = table.sort_values(["Key", "Month"], ignore_index=True)
    actual, forecast, naive = (rows[name].to_numpy(dtype=np.float64) for name in ("Actual", "Forecast", "Naive"))
    wape, last_year = metrics.errors(actual, forecast)["wape"], metrics.errors(actual, naive)["wape"]
    span = {"from": month_name(int(rows["Month"].min())), "until": month_name(int(rows["Month"].max()))}
    is_worse = wape is not None and last_year is not None and wape > last_year
    return {**span, "wape": wape, NAIVE: last_year, "is_worse": is_worse}


def _last(rows: pd.DataFrame) -> int:
    return int(month_index(rows["MonthStart"]).max())


def asked_rows(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as a request has them: the series, the month, and what was planned; what is unknown is left out."""
    names = [name for name in (*series_columns(rows), *KEPT, *PLANNED) if name in rows]
    asked, known = rows[names].astype(object).to_numpy().tolist(), rows[names].notna().to_numpy().tolist()
    months = month_index(rows["MonthStart"])
    return [
        {"Month": int(month), **{name: values[at] for at, name in enumerate(names) if there[at]}}
        for month, values, there in zip(months, asked, known, strict=True)
    ]

"""A model's error on sales of today, beside the naive forecast's; see `demand.health` for what is said of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand.direct import load_forecaster
from demand.health import NAIVE
from demand.months import month_name
from demand.panel import PLANNED
from forecasting import baselines, metrics
from forecasting.features import TARGET, SalesHistory, month_index, series_columns, state_of
from forecasting.panels import Months

MONTHS = 6
KEPT = ("Country", "City")


def error_beside_naive(forecasts: npt.NDArray[np.float64], rows: pd.DataFrame, history: SalesHistory) -> dict[str, Any]:
    """{"wape", "seasonal_naive", "is_worse"} of one-step `forecasts` (units, shape (rows,)) for `rows`."""
    actual = rows[TARGET].to_numpy(dtype=np.float64)
    wape = metrics.errors(actual, forecasts)["wape"]
    naive = metrics.errors(actual, baselines.forecast(NAIVE, rows, history))["wape"]
    return {"wape": wape, NAIVE: naive, "is_worse": wape is not None and naive is not None and wape > naive}


def look_back(folder: Path, metadata: Mapping[str, Any], rows: pd.DataFrame, months: int = MONTHS) -> dict[str, Any]:
    """How the model in `folder` would have forecast the last `months` of `rows`, each from the months before it.

    `rows` are those of the prepare step, or the aggregate step's with the calendar. A model that has learned from those
    months is flattered by them: one that loses even so is unfit for these sales.
    """
    history, last = SalesHistory.of(rows), int(month_index(rows["MonthStart"]).max())
    recent = rows[month_index(rows["MonthStart"]) > last - months].reset_index(drop=True)
    forecaster = load_forecaster(folder, metadata, state_of(rows), Months.of(rows).panel())
    forecasts = np.array([each.sales for each in forecaster.forecast(asked_rows(recent))])
    span = {"from": str(recent["MonthYear"].min()), "until": month_name(last)}
    return {**span, **error_beside_naive(forecasts, recent, history)}


def asked_rows(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as a request has them: the series, the month, and what was planned; what is unknown is left out."""
    names = [name for name in (*series_columns(rows), *KEPT, *PLANNED) if name in rows]
    asked, known = rows[names].astype(object).to_numpy().tolist(), rows[names].notna().to_numpy().tolist()
    months = month_index(rows["MonthStart"])
    return [
        {"Month": int(month), **{name: values[at] for at, name in enumerate(names) if there[at]}}
        for month, values, there in zip(months, asked, known, strict=True)
    ]

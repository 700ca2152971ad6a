"""A model's error on sales of today, beside the naive forecast's; see `demand.health` for what is said of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand.forest import Forest
from demand.health import NAIVE
from demand.months import month_name
from demand.served_model import serving_folder
from forecasting import baselines, metrics
from forecasting.backtest import frame_of
from forecasting.features import FLAGS, TARGET, SalesHistory, add_calendar, month_index
from forecasting.packing import Packed

MONTHS = 6


def error_beside_naive(forecasts: npt.NDArray[np.float64], rows: pd.DataFrame, history: SalesHistory) -> dict[str, Any]:
    """{"wape", "seasonal_naive", "is_worse"} of one-step `forecasts` (units, shape (rows,)) for `rows`."""
    actual = rows[TARGET].to_numpy(dtype=np.float64)
    wape = metrics.errors(actual, forecasts)["wape"]
    naive = metrics.errors(actual, baselines.forecast(NAIVE, rows, history))["wape"]
    return {"wape": wape, NAIVE: naive, "is_worse": wape is not None and naive is not None and wape > naive}


def look_back(folder: Path, metadata: Mapping[str, Any], monthly: pd.DataFrame, months: int = MONTHS) -> dict[str, Any]:
    """How the model in `folder` would have forecast the last `months` of `monthly`, each from the months before it.

    A model that has learned from those months is flattered by them: one that loses even so is unfit for these sales.
    """
    rows = add_calendar(monthly)
    rows = rows.assign(**{flag: rows[flag].astype("float64") for flag in FLAGS})
    history, last = SalesHistory.of(rows), int(month_index(rows["MonthStart"]).max())
    recent = rows[month_index(rows["MonthStart"]) > last - months].reset_index(drop=True)
    frame = frame_of(Packed(None, dict(metadata)), recent, history)
    forecasts = Forest(serving_folder(folder)).of_frame(frame).mean(axis=1)
    span = {"from": str(recent["MonthYear"].min()), "until": month_name(last)}
    return {**span, **error_beside_naive(forecasts, recent, history)}

"""Naive forecasts that a model must beat. All know the same past as the models, and forecast every row."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasting.features import Past, SalesHistory

FloatArray = npt.NDArray[np.float64]
NAMES = ("seasonal_naive", "last_month", "mean_12_months")


def forecast(
    name: str, rows: pd.DataFrame, history: SalesHistory, mean_before: Mapping[int, float] | None = None
) -> FloatArray:
    """Sales of each row in units, shape (rows,), from `history` before its month.

    Where the naive value is unknown (a new store, a gap), the nearest one is used: the last month, the mean of twelve
    months, the mean of all that the store sold before, and at last the mean of all stores: that of `mean_before`, month
    (index) -> units, where the history is of some of them.
    """
    past = history.before(rows)
    candidates = {"seasonal_naive": past.lag(12), "last_month": past.lag(1), "mean_12_months": past.mean(12)}
    result = candidates[name]
    for value in (
        candidates["last_month"],
        candidates["mean_12_months"],
        *_overall(past, mean_before, history.first_month),
    ):
        result = np.where(np.isfinite(result), result, value)
    return result


def _overall(before: Past, mean_before: Mapping[int, float] | None, first_month: int) -> tuple[FloatArray, FloatArray]:
    """Means of each row's store and of all stores, over what is known before the row's month; 0 without any."""
    values, series, months = before
    of_store, of_all = np.full(len(months), np.nan), np.zeros(len(months))
    for month in np.unique(months):
        past, at = values[:, : max(0, month)], months == month
        if mean_before is not None:
            of_all[at] = mean_before[int(month) + first_month]
        known = np.isfinite(past)
        if not known.any():
            continue
        counts = known.sum(axis=1)
        means = np.divide(np.nansum(past, axis=1), counts, out=np.full(len(past), np.nan), where=counts > 0)
        of_store[at] = np.where(series[at] >= 0, means[series[at]], np.nan)
        if mean_before is None:
            of_all[at] = np.nansum(past) / known.sum()
    return of_store, of_all

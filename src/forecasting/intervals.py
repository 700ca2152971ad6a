"""P10 and P90 from the back-test: how far sales lay from the forecasts, by horizon and by the series' own error.

Distances are logarithms of (sales + offset) / (forecast + offset), so that an interval grows with its forecast and
never reaches below zero. A series' scale is its mean distance over that of all, shrunk, since a year holds few months.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand.parts import BUCKETS, Intervals
from demand.quantiles import HIGH

FloatArray = npt.NDArray[np.float64]
# Fraction of a series' usual month that is added on both sides.
OFFSET = 0.02
# Months at which a series' own error counts as much as that of all series.
PRIOR_MONTHS = 12.0
MIN_SCALE, MAX_SCALE = 0.5, 2.0
MIN_DISTANCES = 10


def distances(table: pd.DataFrame) -> FloatArray:
    """Logarithm of the ratio of sales to forecast of each row of a back-test, shape (rows,)."""
    raised = OFFSET * table["Usual"].to_numpy(dtype=np.float64)
    actual = np.clip(table["Actual"].to_numpy(dtype=np.float64), 0.0, None) + raised
    forecast = np.clip(table["Forecast"].to_numpy(dtype=np.float64), 0.0, None) + raised
    return np.asarray(np.log(np.maximum(actual, 1e-9) / np.maximum(forecast, 1e-9)))


def buckets(horizons: FloatArray) -> npt.NDArray[np.intp]:
    """Index into BUCKETS of each horizon."""
    return np.searchsorted(np.array(BUCKETS), horizons, side="right") - 1


def fit(table: pd.DataFrame) -> Intervals:
    """Intervals from a back-test with the columns Key, Month, Horizon, Actual, Forecast and Usual (units a month)."""
    far = distances(table)
    scales = _scales(table, far)
    relative = far / table["Key"].map(scales).to_numpy(dtype=np.float64)
    of_bucket = buckets(table["Horizon"].to_numpy(dtype=np.float64))
    low, high = zip(*(_bounds(relative, of_bucket, bucket) for bucket in range(len(BUCKETS))), strict=True)
    return Intervals(low, high, OFFSET, scales)


def bounds(table: pd.DataFrame, intervals: Intervals) -> tuple[FloatArray, FloatArray]:
    """(P10, P90) in units of each row."""
    at = buckets(table["Horizon"].to_numpy(dtype=np.float64))
    scale = np.array([intervals.scales.get(key, 1.0) for key in table["Key"]])
    forecast, raised = table["Forecast"].to_numpy(dtype=np.float64), intervals.offset * table["Usual"].to_numpy()
    low, high = (
        (np.clip(forecast, 0.0, None) + raised) * np.exp(np.array(bound)[at] * scale) - raised
        for bound in (intervals.low, intervals.high)
    )
    return np.clip(np.minimum(low, forecast), 0.0, None), np.maximum(high, forecast)


def held_out(table: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    """(P10, P90) of each row, from the other months alone: a month does not widen its own interval."""
    low, high = np.full(len(table), np.nan), np.full(len(table), np.nan)
    months = table["Month"].to_numpy()
    for month in np.unique(months):
        at = months == month
        if (~at).any():
            low[at], high[at] = bounds(table[at], fit(table[~at]))
    return low, high


def _scales(table: pd.DataFrame, far: FloatArray) -> dict[str, float]:
    """Each series' error over that of all series."""
    size = pd.DataFrame({"Key": table["Key"], "Month": table["Month"], "far": np.abs(far)})
    everyone = float(size["far"].mean()) or 1.0
    of_series = size.groupby("Key").agg(far=("far", "mean"), months=("Month", "nunique"))
    shrunk = (of_series["far"] / everyone * of_series["months"] + PRIOR_MONTHS) / (of_series["months"] + PRIOR_MONTHS)
    return {str(key): round(float(scale), 4) for key, scale in shrunk.clip(MIN_SCALE, MAX_SCALE).items()}


def _bounds(relative: FloatArray, of_bucket: npt.NDArray[np.intp], bucket: int) -> tuple[float, float]:
    """P10 and P90 of a bucket's distances; of all distances where the bucket has too few."""
    chosen = relative[of_bucket == bucket]
    if len(chosen) < MIN_DISTANCES:
        chosen = relative
    if not len(chosen):
        return 0.0, 0.0
    # Few distances lie closer together than those to come: the quantile of n is that of n + 1 (Lei et al. 2018).
    level = min(1.0, HIGH * (len(chosen) + 1) / len(chosen))
    return float(np.quantile(chosen, 1 - level)), float(np.quantile(chosen, level))

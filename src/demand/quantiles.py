"""How far the trees of a forest lie apart, and the interval that is made of it. NumPy alone, since serving uses it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
LOW, HIGH = 0.1, 0.9
# Trees may agree on a wrong value: no half of an interval is narrower than this fraction of the forecast.
MIN_WIDTH_FRACTION = 0.005
_TINY = float(np.finfo(float).tiny)


@dataclass(frozen=True)
class Factors:
    """What the trees' spread is stretched by, below and above the forecast.

    `low` and `high` are for the month after the last known one, the others for months further ahead.
    """

    low: float
    high: float
    low_ahead: float
    high_ahead: float

    @classmethod
    def of(cls, noted: Mapping[str, Any]) -> "Factors":
        """From a model's metadata; models of before have one pair only."""
        low, high = float(noted["low"]), float(noted["high"])
        return cls(low, high, float(noted.get("low_ahead", low)), float(noted.get("high_ahead", high)))

    def interval(self, center: float, p10: float, p90: float, ahead: bool) -> tuple[float, float]:
        """(P10, P90) of one row from the trees' mean and quantiles: `spread` and `at` without NumPy's calls."""
        min_width = max(MIN_WIDTH_FRACTION * abs(center), _TINY)
        low, high = (self.low_ahead, self.high_ahead) if ahead else (self.low, self.high)
        return center - low * max(center - p10, min_width), center + high * max(p90 - center, min_width)

    def at(self, ahead: Sequence[bool] | npt.NDArray[np.bool_]) -> tuple[FloatArray | float, FloatArray | float]:
        """(below, above) for each row; `ahead` marks rows more than one month ahead."""
        if not any(ahead):
            return self.low, self.high
        return np.where(ahead, self.low_ahead, self.low), np.where(ahead, self.high_ahead, self.high)


def spread(trees: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean over the trees, and how far their P10 and P90 lie from it, each of shape (rows,).

    Args:
        trees: forecasts of shape (rows, trees); NaN marks a tree that must not count.
    """
    ordered = np.sort(trees, axis=1)  # NaN last
    # One product for mean and both quantiles: for a single row each call of NumPy counts.
    center, low, high = mean_p10_p90(ordered).T
    if math.isnan(center.sum()):
        count = np.isfinite(ordered).sum(axis=1)
        center = np.nansum(ordered, axis=1) / count
        low, high = _quantile(ordered, count, LOW), _quantile(ordered, count, HIGH)
    min_width = np.maximum(MIN_WIDTH_FRACTION * np.abs(center), _TINY)
    return center, np.maximum(center - low, min_width), np.maximum(high - center, min_width)


def mean_p10_p90(ordered: FloatArray) -> FloatArray:
    """Mean, P10 and P90 of each row, shape (rows, 3), of forecasts (rows, trees) that are sorted and all known."""
    return np.asarray(ordered @ _weights(ordered.shape[1]))


@lru_cache(maxsize=8)
def _weights(count: int) -> FloatArray:
    """Shape (count, 3): what makes mean, P10 and P90 of `count` ordered values."""
    weights = np.zeros((count, 3))
    weights[:, 0] = 1 / count
    for column, share in ((1, LOW), (2, HIGH)):
        place = share * (count - 1)
        below = int(place)
        weights[below, column] += 1 - (place - below)
        weights[min(below + 1, count - 1), column] += place - below
    return weights


def _quantile(ordered: FloatArray, count: npt.NDArray[np.int64], share: float) -> FloatArray:
    """Interpolated quantile of the first `count` values of each row, so that few trees and many give one scale."""
    place = share * (count - 1)
    places, rows = np.floor(place).astype(int), np.arange(len(ordered))
    left, right = ordered[rows, places], ordered[rows, np.minimum(places + 1, count - 1)]
    return np.asarray(left + (place - places) * (right - left))

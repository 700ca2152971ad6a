"""P10-P90 intervals from the forest's trees.

The spread of the trees orders rows by how sure the forest is, but is too narrow or too wide in itself. It is stretched
below and above the forecast by two factors, chosen so that out of bag, on trees that did not see a row, a tenth of the
training sales lie below the interval and a tenth above it (split conformal calibration; Lei et al. 2018).
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand.model import parts, tree_predictions

FloatArray = npt.NDArray[np.float64]
LOW, HIGH = 0.1, 0.9
# Trees may agree on a wrong value: no half of an interval is narrower than this fraction of the forecast.
NARROWEST = 0.005
MOST_ROWS = 20_000


def calibrate(model: Any, x: pd.DataFrame, y: FloatArray) -> dict[str, float]:
    """Factors {"low", "high"} for `interval`, from the training rows `x` (rows, features) and sales `y` (rows,)."""
    pipeline, _, _ = parts(model, x)
    rows = np.arange(len(x))[:: max(1, len(x) // MOST_ROWS)]
    trees = tree_predictions(model, x.iloc[rows])
    for tree, samples in enumerate(pipeline["forest"].estimators_samples_):
        seen = np.zeros(len(x), dtype=bool)
        seen[samples] = True
        trees[tree, seen[rows]] = np.nan
    usable = np.isfinite(trees).sum(axis=0) > 1
    if not usable.any():
        return {"low": 1.0, "high": 1.0}
    center, below, above = _spread(trees[:, usable])
    sales = y[rows][usable]
    return {
        "low": max(0.0, float(np.quantile((center - sales) / below, HIGH))),
        "high": max(0.0, float(np.quantile((sales - center) / above, HIGH))),
    }


def interval(model: Any, x: pd.DataFrame, factors: dict[str, float]) -> tuple[FloatArray, FloatArray]:
    """(P10, P90) of each row in units, each of shape (rows,)."""
    center, below, above = _spread(tree_predictions(model, x))
    return center - factors["low"] * below, center + factors["high"] * above


def _spread(trees: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean over the trees, and how far their P10 and P90 lie from it; NaN marks a tree that must not count."""
    ordered = np.sort(trees, axis=0)  # NaN last
    count = np.isfinite(ordered).sum(axis=0)
    center = np.nansum(trees, axis=0) / count
    low, high = (_quantile(ordered, count, share) for share in (LOW, HIGH))
    narrowest = np.maximum(NARROWEST * np.abs(center), np.finfo(float).tiny)
    return center, np.maximum(center - low, narrowest), np.maximum(high - center, narrowest)


def _quantile(ordered: FloatArray, count: npt.NDArray[np.int64], share: float) -> FloatArray:
    """Interpolated quantile of the first `count` values of each column, so that few trees and many give one scale."""
    place = share * (count - 1)
    below, columns = np.floor(place).astype(int), np.arange(ordered.shape[1])
    above = np.minimum(below + 1, count - 1)
    return np.asarray(ordered[below, columns] + (place - below) * (ordered[above, columns] - ordered[below, columns]))

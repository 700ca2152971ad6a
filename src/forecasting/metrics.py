"""Forecast errors. All take sales and forecasts in units, shape (rows,)."""

import math

import numpy as np
import numpy.typing as npt
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

FloatArray = npt.NDArray[np.float64]
Metrics = dict[str, float | None]
NAMES = ("wape", "mae", "rmse", "r2")


def wape(actual: FloatArray, forecast: FloatArray) -> float:
    """sum |actual - forecast| / sum |actual|, a fraction; infinite where nothing was sold but something forecast."""
    missed, sold = float(np.abs(actual - forecast).sum()), float(np.abs(actual).sum())
    if sold == 0:
        return 0.0 if missed == 0 else math.inf
    return missed / sold


def errors(actual: FloatArray, forecast: FloatArray) -> Metrics:
    """WAPE (fraction), MAE and RMSE (units), R2; None where undefined: no rows, NaN forecasts, R2 of one row."""
    if not len(actual) or not np.isfinite(forecast).all():
        return dict.fromkeys(NAMES)
    share = wape(actual, forecast)
    return {
        "wape": share if math.isfinite(share) else None,
        "mae": float(mean_absolute_error(actual, forecast)),
        "rmse": float(root_mean_squared_error(actual, forecast)),
        "r2": float(r2_score(actual, forecast)) if len(actual) > 1 else None,
    }


def coverage(actual: FloatArray, low: FloatArray, high: FloatArray) -> float | None:
    """Fraction of sales from `low` to `high`, both included; None without rows."""
    return float(np.mean((actual >= low) & (actual <= high))) if len(actual) else None


def pinball(actual: FloatArray, quantile: FloatArray, share: float) -> float:
    """Mean pinball loss of a forecast quantile (0.1 for P10), in units (Koenker and Bassett 1978)."""
    return float(np.mean(pinball_losses(actual, quantile, share)))


def pinball_losses(actual: FloatArray, quantile: FloatArray, share: float) -> FloatArray:
    """The same of each row, shape (rows,)."""
    below = actual - quantile
    return np.asarray(np.maximum(share * below, (share - 1) * below))

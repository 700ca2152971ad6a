"""Factors that make P10-P90 intervals of the trees' spread, so that a tenth of the sales lies on either side.

Split conformal calibration (Lei et al. 2018). With two years of training months or more, the forest is fitted once more
without the last year, and that year is forecast as it will be in use: month by month, and half a year from one origin.
Sales drift from year to year, which trees that did not see a row (out of bag) cannot know; with less than two years
they are the better witness all the same, since a forest of a few months errs in ways that the final one will not.

Stores in their first year err more, and a year ago there were more of them: they are left out, so that they do not
widen the interval of every other store. Their own sales then lie outside of it more often than one time in five.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand.model import parts, tree_predictions
from demand.quantiles import HIGH, spread
from forecasting.backtest import frame_of, multi_step_frame
from forecasting.features import TARGET, SalesHistory, month_index
from forecasting.packing import Packed

FloatArray = npt.NDArray[np.float64]
YEAR, HALF_YEAR = 12, 6
MAX_ROWS = 20_000
# Fewer give no tenth to speak of.
MIN_ROWS = 50


def calibrate(rows: pd.DataFrame, packed: Packed, x: pd.DataFrame, fit: Callable[[pd.DataFrame], Packed]) -> Any:
    """Factors of `demand.quantiles.Factors` as JSON.

    Args:
        rows: training rows of the prepare step.
        packed: the model fitted on them.
        x: its input (rows, features).
        fit: fits the same model on fewer rows.
    """
    months = month_index(rows["MonthStart"])
    last = int(months.max())
    if last - int(months.min()) + 1 < 2 * YEAR:
        low, high = out_of_bag(packed.model, x, rows[TARGET].to_numpy(dtype=np.float64))
        return {"low": low, "high": high, "low_ahead": low, "high_ahead": high}
    year, before = rows[months > last - YEAR], rows[months <= last - YEAR]
    early, history = fit(before), SalesHistory.of(rows)
    settled = year["Lag12"].notna()
    year = year[settled] if settled.sum() >= MIN_ROWS else year
    low, high = _factors([_seen(early, frame_of(early, year, history), year)])
    ahead = [_half_year(early, year, history, origin) for origin in (last - YEAR, last - HALF_YEAR)]
    low_ahead, high_ahead = _factors(ahead)
    return {"low": low, "high": high, "low_ahead": low_ahead, "high_ahead": high_ahead}


def out_of_bag(model: Any, x: pd.DataFrame, y: FloatArray) -> tuple[float, float]:
    """(low, high) from trees that did not see a row; `x` (rows, features) and `y` (rows,) are the training rows."""
    pipeline, _, _ = parts(model, x)
    rows = np.arange(len(x))[:: max(1, len(x) // MAX_ROWS)]
    trees = tree_predictions(model, x.iloc[rows])
    for tree, samples in enumerate(pipeline["forest"].estimators_samples_):
        seen = np.zeros(len(x), dtype=bool)
        seen[samples] = True
        trees[tree, seen[rows]] = np.nan
    usable = np.isfinite(trees).sum(axis=0) > 1
    if not usable.any():
        return 1.0, 1.0
    return _factors([(trees[:, usable].T, y[rows][usable])])


def _half_year(early: Packed, year: pd.DataFrame, history: SalesHistory, origin: int) -> tuple[FloatArray, FloatArray]:
    """Trees and sales of the second to sixth month after `origin`, forecast from there."""
    months = month_index(year["MonthStart"])
    wanted = year[(months > origin) & (months <= origin + HALF_YEAR)]
    later = month_index(wanted["MonthStart"]) > origin + 1
    if not later.any():
        return _seen(early, frame_of(early, wanted, history), wanted)
    frame = multi_step_frame(early, wanted, history)
    return _seen(early, frame[later], wanted[later])


def _seen(packed: Packed, frame: pd.DataFrame, rows: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    return tree_predictions(packed.model, frame).T, rows[TARGET].to_numpy(dtype=np.float64)


def _factors(seen: Sequence[tuple[FloatArray, FloatArray]]) -> tuple[float, float]:
    """(low, high) from pairs of trees (rows, trees) and sales (rows,)."""
    sales = np.concatenate([pair[1] for pair in seen])
    center, below, above = map(np.concatenate, zip(*(spread(pair[0]) for pair in seen), strict=True))
    low = np.quantile((center - sales) / below, HIGH)
    high = np.quantile((sales - center) / above, HIGH)
    return max(0.0, float(low)), max(0.0, float(high))

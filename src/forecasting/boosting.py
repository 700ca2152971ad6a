"""Gradient boosting of relative sales: its training rows, the fit, and the trees as ONNX.

One booster learns all horizons, 1 to 6, from every past origin. Each training row is seen either with the plan of its
month or without it, turn by turn, so that one booster forecasts both. The loss is L1, whose minimum is the median: WAPE
is its sum. scikit-learn's HistGradientBoosting was kept over LightGBM and XGBoost, which come out the same within a few
per cent (docs/results.md) and would each be one more package in the image.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn._loss.loss import AbsoluteError
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from demand import booster_inputs
from demand.booster_inputs import COLUMNS, GROUPS, MAX_HORIZON
from demand.known import Known
from demand.profile import Profile
from forecasting.panels import Months
from forecasting.trees import Trees, tree_numbers
from forecasting.trees import as_onnx as trees_as_onnx

FloatArray = npt.NDArray[np.float64]
# Months that must be known at an origin before it is learned from.
MIN_KNOWN_MONTHS = 3
MIN_ROWS_FOR_THREADS = 200_000
# Inputs that it does not learn from: how long a series is known made the error larger on every set that was measured
# (docs/results.md, "Leaving one set out"). The inputs keep their places, so that models made before stay readable.
LEFT_OUT = ("Age",)
# Values that a column of inputs is coarsened to, which are the places where a tree may split it.
BINS = 63


class WeightedMedian(AbsoluteError):  # type: ignore[misc]  # noqa: N818  it is a loss, no exception
    """The absolute error, with the median of a leaf in plain NumPy: the same to the last bit.

    scikit-learn's own goes through the array API for each leaf, which takes more than half of a fit (1.9).
    """

    def fit_intercept_only(self, y_true: FloatArray, sample_weight: FloatArray | None = None) -> np.float64:
        """The weighted median of residuals (rows,)."""
        weight = np.ones_like(y_true) if sample_weight is None else sample_weight
        order = np.argsort(y_true)
        share = np.cumsum(weight[order])
        at = min(int(np.searchsorted(share, 0.5 * share[-1])), len(order) - 1)
        return np.float64(y_true[order[at]])


@dataclass(frozen=True)
class BoosterSettings:
    """What makes a booster; fields are those of the component `direct`."""

    base: str = "level"
    max_iter: int = 100
    learning_rate: float = 0.1
    max_leaf_nodes: int = 15
    min_samples_leaf: int = 20
    max_rows: int = 60_000
    seed: int = 7

    def estimator(self) -> HistGradientBoostingRegressor:
        """The unfitted booster."""
        given = asdict(self)
        kept = {name: given[name] for name in ("max_iter", "learning_rate", "max_leaf_nodes", "min_samples_leaf")}
        return HistGradientBoostingRegressor(
            loss=WeightedMedian(sample_weight=True), max_bins=BINS, early_stopping=False, random_state=self.seed, **kept
        )


class TrainingRows(NamedTuple):
    """Inputs (rows, COLUMNS), sales over scale (rows,), the weight of each row, its scale in units (rows,), and the
    month (index) of the sales (rows,)."""

    x: FloatArray
    y: FloatArray
    weight: FloatArray
    month: npt.NDArray[np.int64]

    def until(self, month: int) -> "TrainingRows":
        """Those of sales that are known at the end of a month."""
        at = self.month <= month
        return TrainingRows(self.x[at], self.y[at], self.weight[at], self.month[at])


def training_rows(
    months: Months, settings: BoosterSettings, profile_at: Callable[[int], Profile], known_at: Callable[[int], Known]
) -> TrainingRows:
    """Rows of every origin and horizon whose month is known, thinned evenly to `settings.max_rows`.

    Args:
        months: what may be learned from.
        settings: of the booster.
        profile_at: settings of the profile as they would have been chosen at an origin (index).
        known_at: what was known at an origin.
    """
    pairs = list(_pairs(months))
    step = max(1, -(-len(pairs) * len(months.keys) // settings.max_rows))
    parts = [_rows(months, pair, settings.base, profile_at, known_at, step) for pair in pairs]
    if not parts:
        nothing = np.empty(0)
        return TrainingRows(np.empty((0, len(COLUMNS))), nothing, nothing, nothing.astype(np.int64))
    return TrainingRows(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _pairs(months: Months) -> Iterator[tuple[int, int]]:
    for origin in range(months.first_month + MIN_KNOWN_MONTHS - 1, months.last_month):
        for month in range(origin + 1, min(origin + MAX_HORIZON, months.last_month) + 1):
            yield origin, month


def _rows(
    months: Months,
    pair: tuple[int, int],
    base: str,
    profile_at: Callable[[int], Profile],
    known_at: Callable[[int], Known],
    step: int,
) -> TrainingRows:
    origin, month = pair
    number = np.arange(len(months.keys)) + origin + month
    chosen = np.flatnonzero(number % step == 0)
    known = known_at(origin) if step == 1 else known_at(origin).of_series(chosen)
    given = booster_inputs.inputs(known, month, base, profile_at(origin))
    # Which rows see the plan, and which are kept, must not go together.
    with_plan = ((number[chosen] // step) % 2 == 0)[:, None]
    plan = {name: values[chosen] for name, values in months.plan_of(month).items()}
    x = np.where(with_plan, booster_inputs.with_plan(given, plan), given.x)
    sales = months.sales_of(month)[chosen]
    kept = np.isfinite(sales) & (given.scale > 0) & known.is_known.any(axis=1)
    of_month = np.full(int(kept.sum()), month)
    return TrainingRows(x[kept].astype(np.float64), sales[kept] / given.scale[kept], given.scale[kept], of_month)


def fit(rows: TrainingRows, settings: BoosterSettings) -> HistGradientBoostingRegressor | None:
    """The fitted booster; None where there is nothing to learn from."""
    if len(rows.y) < 2 * settings.min_samples_leaf:
        return None
    x = np.column_stack([_seen(name, column, rows.weight) for name, column in zip(COLUMNS, rows.x.T, strict=True)])
    # Its threads wait for each other at every leaf, which takes most of the time where other steps run beside it.
    with threadpool_limits(1 if len(x) < MIN_ROWS_FOR_THREADS else None, "openmp"):
        fitted = settings.estimator().fit(x, rows.y, sample_weight=rows.weight / rows.weight.mean())
    # A saved model must load where this module is not: with scikit-learn's own loss, which forecasts the same.
    fitted.loss, fitted._loss = "absolute_error", AbsoluteError(sample_weight=None)
    return fitted


def _seen(name: str, column: FloatArray, weight: FloatArray) -> FloatArray:
    return np.zeros_like(column) if GROUPS[name] in LEFT_OUT else _coarsened(column, weight)


def _coarsened(column: FloatArray, weight: FloatArray) -> FloatArray:
    """A column with at most BINS values: each value is replaced by the nearest of its weighted quantiles.

    scikit-learn splits halfway between two values, so a tree treats a value and its replacement alike. Its own weighted
    quantiles take a third of the whole fit.
    """
    known = np.isfinite(column)
    if not known.any():
        return np.zeros_like(column)  # scikit-learn finds no bins in a column without a value
    order = np.argsort(column[known], kind="stable")
    values, share = column[known][order], np.cumsum(weight[known][order])
    levels = (np.arange(BINS) + 0.5) / BINS * share[-1]
    kept = np.unique(values if len(np.unique(values)) <= BINS else values[np.searchsorted(share, levels)])
    column = column.copy()
    column[known] = kept[np.searchsorted((kept[1:] + kept[:-1]) / 2, column[known])]
    return column


def as_onnx(booster: HistGradientBoostingRegressor) -> bytes:
    """The trees as ONNX (`forecasting.trees`); their base as metadata."""
    each = [stage[0].nodes for stage in booster._predictors]
    nodes = np.concatenate(each)
    made = Trees(
        tree_numbers([len(one) for one in each]),
        nodes["feature_idx"].astype(np.int64),
        nodes["num_threshold"].astype(np.float64),
        nodes["left"].astype(np.int64),
        nodes["right"].astype(np.int64),
        nodes["missing_go_to_left"].astype(bool),
        nodes["is_leaf"].astype(bool),
        nodes["value"].astype(np.float64),
    )
    return trees_as_onnx(made, booster.n_features_in_, {"base": repr(float(np.ravel(booster._baseline_prediction)[0]))})

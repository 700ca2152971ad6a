"""The forecasting model: imputation, encoding and scaling of the features, and a Random Forest, as one estimator.

This module is packed into every saved model, since `RelativeForest` is loaded by name: keep it free of imports from
the rest of the package, and keep old models loadable.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler, TargetEncoder

# One-hot costs grow with the square of the stores: at 500 it is 25 times slower than target encoding.
MAX_ONE_HOT_CATEGORIES = 100
# A level below this fraction of the usual one is a store that hardly sold; ratios to it would say nothing.
MIN_LEVEL_FRACTION = 0.02
FloatArray = npt.NDArray[np.float64]


def build_pipeline(frame: pd.DataFrame, numbers: Sequence[str], flags: Sequence[str], **forest: Any) -> Pipeline:
    """An unfitted scikit-learn Pipeline for the columns of `frame`; what is neither number nor flag is text.

    `forest` goes to RandomForestRegressor; its `random_state` seeds the target encoding too.
    """
    texts = [name for name in frame.columns if name not in {*numbers, *flags}]
    wide = [name for name in texts if frame[name].nunique() > MAX_ONE_HOT_CATEGORIES]
    most_frequent = SimpleImputer(strategy="most_frequent", keep_empty_features=True)
    numeric = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
    one_hot = make_pipeline(clone(most_frequent), OneHotEncoder(handle_unknown="ignore", sparse_output=False))
    folds = KFold(5, shuffle=True, random_state=forest.get("random_state"))
    encoder = TargetEncoder(target_type="continuous", cv=folds)
    columns = ColumnTransformer(
        [
            ("one_hot", one_hot, [name for name in texts if name not in wide]),
            ("target", make_pipeline(clone(most_frequent), encoder), wide),
            ("flags", most_frequent, [name for name in frame.columns if name in set(flags)]),
            ("numbers", numeric, [name for name in frame.columns if name in set(numbers)]),
        ]
    )
    return Pipeline([("columns", columns), ("forest", RandomForestRegressor(**forest))])


class RelativeForest(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A pipeline that learns sales relative to a store's own level, so that one forest fits small and large stores.

    The level is the column `level` (units a month); the columns `relative` are divided by it, and so is the target.
    Each row weighs as much as its level, so that errors count in units. Unknown levels are the mean of the known.
    """

    def __init__(self, pipeline: Pipeline, level: str, relative: Sequence[str]) -> None:
        self.pipeline = pipeline
        self.level = level
        self.relative = relative

    def fit(self, x: pd.DataFrame, y: FloatArray) -> "RelativeForest":
        """Fit on features (rows, columns) and sales in units (rows,)."""
        sales = np.asarray(y, dtype=np.float64)
        known = x[self.level].dropna()
        self.usual_level_ = float(known.abs().mean()) if len(known) else float(np.abs(sales).mean())
        self.usual_level_ = self.usual_level_ or 1.0
        level = self.levels(x)
        self.pipeline_ = clone(self.pipeline)
        self.pipeline_.fit(self.scaled(x), sales / level, forest__sample_weight=level)
        return self

    def predict(self, x: pd.DataFrame) -> FloatArray:
        """Sales in units, shape (rows,)."""
        return np.asarray(self.pipeline_.predict(self.scaled(x)) * self.levels(x), dtype=np.float64)

    def levels(self, x: pd.DataFrame) -> FloatArray:
        """What each row is divided by, in units, shape (rows,), always above zero."""
        level = x[self.level].to_numpy(dtype=np.float64)
        known: FloatArray = np.where(np.isfinite(level), level, self.usual_level_)
        return np.clip(known, min_level(self), None)

    def scaled(self, x: pd.DataFrame) -> pd.DataFrame:
        """The features that the pipeline sees."""
        level = self.levels(x)
        return x.assign(**{name: x[name].to_numpy(dtype=np.float64) / level for name in self.relative})


def min_level(model: RelativeForest) -> float:
    """What a lower level counts as, in units."""
    return MIN_LEVEL_FRACTION * model.usual_level_


def parts(model: Any, x: pd.DataFrame) -> tuple[Pipeline, pd.DataFrame, FloatArray]:
    """(fitted pipeline, its input, factor to units of shape (rows,)) of a model made here."""
    if isinstance(model, RelativeForest):
        return model.pipeline_, model.scaled(x), model.levels(x)
    return model, x, np.ones(len(x))


def tree_predictions(model: Any, x: pd.DataFrame) -> FloatArray:
    """What each tree forecasts, in units, shape (trees, rows)."""
    pipeline, frame, factor = parts(model, x)
    encoded = np.asarray(pipeline["columns"].transform(frame), dtype=np.float32)
    trees = [tree.predict(encoded, check_input=False) for tree in pipeline["forest"].estimators_]
    return np.asarray(np.stack(trees) * factor, dtype=np.float64)


def set_jobs(model: Any, jobs: int) -> None:
    """Threads that the forest uses from now on."""
    pipeline = getattr(model, "pipeline_", model.pipeline) if isinstance(model, RelativeForest) else model
    pipeline["forest"].n_jobs = jobs

"""The Random Forest candidates: what makes one, and its fit on monthly rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand.errors import StepError
from demand.model import RelativeForest, build_pipeline, parts, set_jobs
from forecasting.features import CATEGORICAL, FLAGS, HISTORY, TARGET, feature_names, model_frame

FEATURE_SETS = ("contextual", "history")
LEVEL = "RollingMean12"
MIN_ROWS_FOR_THREADS = 20_000


@dataclass(frozen=True)
class Settings:
    """What makes a candidate; the fields are those of the component train_forest."""

    candidate: str
    features: str = "history"
    n_estimators: int = 100
    min_samples_leaf: int = 5
    max_features: float = 0.5
    max_rows: int = 20_000
    seed: int = 7

    def forest(self) -> dict[str, Any]:
        """Arguments of RandomForestRegressor."""
        return {
            "n_estimators": self.n_estimators,
            "min_samples_leaf": self.min_samples_leaf,
            "max_features": self.max_features,
            "random_state": self.seed,
        }


def unfitted(settings: Settings, frame: pd.DataFrame) -> Any:
    """The estimator of a candidate: a Pipeline, inside a RelativeForest where the history is known."""
    numbers = [name for name in frame.columns if name not in CATEGORICAL | FLAGS]
    pipeline = build_pipeline(frame, numbers, sorted(FLAGS), **settings.forest())
    if settings.features == "contextual":
        return pipeline
    return RelativeForest(pipeline, LEVEL, [name for name in HISTORY if name != LEVEL])


def predict(model: Any, frame: pd.DataFrame) -> npt.NDArray[np.float64]:
    """What `model.predict` gives, to the last bit, shape (rows,), tree by tree in this thread.

    scikit-learn hands each tree to joblib, which costs more than the tree itself for the few rows of a month.
    """
    pipeline, x, factor = parts(model, frame)
    forest = pipeline[-1]
    inputs = forest._validate_X_predict(pipeline[:-1].transform(x))
    total = np.zeros(len(frame))
    for tree in forest.estimators_:
        total += tree.tree_.predict(inputs).ravel()
    return np.asarray(total / len(forest.estimators_) * factor, dtype=np.float64)


def thinned(rows: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """`settings.max_rows` of the rows, drawn with the seed, or all where there are not more."""
    if len(rows) <= settings.max_rows:
        return rows
    return rows.sample(n=settings.max_rows, random_state=settings.seed).sort_index()


def fit(settings: Settings, rows: pd.DataFrame) -> tuple[Any, dict[str, Any]]:
    """(fitted model, metadata) from training rows; equal rows and settings give an equal model.

    Raises:
        StepError: no training rows.
    """
    if rows.empty:
        raise StepError("train.parquet holds no rows: import more months or lower holdout_months")
    names = feature_names(settings.features, rows)
    frame, sales = model_frame(rows, names), rows[TARGET].to_numpy(dtype=np.float64)
    model = unfitted(settings, frame)
    # Threads cost more than they give for few rows; other candidates are fitted at the same time.
    set_jobs(model, -1 if len(rows) > MIN_ROWS_FOR_THREADS else 1)
    model.fit(frame, sales)
    set_jobs(model, 1)  # one row is forecast three times as fast without threads
    metadata = {
        "candidate": settings.candidate,
        "features": names,
        "target": TARGET,
        "trained_from": str(rows["MonthYear"].min()),
        "trained_until": str(rows["MonthYear"].max()),
        "trained_rows": len(rows),
        "parameters": settings.forest(),
    }
    return model, metadata

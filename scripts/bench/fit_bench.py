"""Fitting our candidate against what a first attempt does: a dense one-hot encoding and a default forest."""

import time
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from forecasting.features import CATEGORICAL, TARGET, feature_names, model_frame
from forecasting.forests import Settings, fit
from forecasting.metrics import wape
from forecasting.prepare import add_features, split

STORES, MONTHS, TREES = 500, 36, 100


def fit_vs_default_forest_speedup(stores: int = STORES) -> dict[str, Any]:
    """Seconds of the default forest over ours, one after the other on the same rows and features."""
    train, holdout = split(add_features(monthly_sales(stores)), 6)
    names = feature_names("history", train)
    ours, mine = _timed(lambda: fit(Settings("history", n_estimators=TREES), train)[0])
    default, theirs = _timed(lambda: _default().fit(model_frame(train, names), train[TARGET]))
    actual = holdout[TARGET].to_numpy(dtype=np.float64)
    scores = {
        name: wape(actual, _forecast(model, holdout, names)) for name, model in (("ours", ours), ("default", default))
    }
    detail: dict[str, Any] = {"stores": stores, "rows": len(train), "trees": TREES, "seconds": round(mine, 2)}
    detail |= {"default_seconds": round(theirs, 2), "wape": {key: round(value, 4) for key, value in scores.items()}}
    return {
        "value": round(theirs / mine, 1),
        "unit": "x",
        "goal": "> 5",
        "peer": "dense one-hot and RandomForestRegressor() as it comes, on all cores",
        "detail": detail,
    }


def _timed(work: Any) -> tuple[Any, float]:
    started = time.monotonic()
    return work(), time.monotonic() - started


def _forecast(model: Any, rows: pd.DataFrame, names: list[str]) -> npt.NDArray[np.float64]:
    return np.asarray(model.predict(model_frame(rows, names)), dtype=np.float64)


def _default() -> Pipeline:
    """What a tutorial would write."""
    text = make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    )
    number = make_pipeline(SimpleImputer(), StandardScaler())
    columns = ColumnTransformer(
        [("text", text, lambda x: [name for name in x if name in CATEGORICAL])],
        remainder=number,
    )
    return make_pipeline(columns, RandomForestRegressor(n_estimators=TREES, random_state=7, n_jobs=-1))


def monthly_sales(stores: int) -> pd.DataFrame:
    """Store-months with level, trend and season of each store, seeded."""
    random = np.random.default_rng(7)
    month = np.tile(np.arange(MONTHS), stores)
    store = np.repeat(np.arange(stores), MONTHS)
    level, trend = random.normal(8, 0.6, stores)[store], random.normal(0.004, 0.004, stores)[store]
    promotion = random.random(len(store)) < 0.3
    season = 0.2 * np.cos(2 * np.pi * (month % 12) / 12 + random.normal(0, 0.4, stores)[store])
    log = level + trend * month + season + 0.08 * promotion + random.normal(0, 0.05, len(store))
    starts = pd.date_range("2022-01-01", periods=MONTHS, freq="MS")
    return pd.DataFrame(
        {
            "StoreID": pd.Series(store).map("S{:04d}".format),
            "Category": None,
            "Product": None,
            "MonthStart": starts[month],
            "Country": np.array(["United States", "Canada", "Mexico"])[store % 3],
            "City": pd.Series(store % 60).map("City {}".format),
            "Price": random.normal(4.5, 0.3, len(store)),
            "Weather": random.choice(["Sunny", "Rainy", "Snowy"], len(store)),
            "Promotion": promotion,
            "Holiday": random.random(len(store)) < 0.15,
            "IsWeekend": 8 / starts.days_in_month.to_numpy()[month],
            TARGET: np.round(np.exp(log)),
        }
    )

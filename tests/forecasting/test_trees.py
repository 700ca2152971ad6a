"""Trees as ONNX split as scikit-learn's do, at every threshold and for unknown values."""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor

from forecasting.boosting import as_onnx
from forecasting.export import forest_as_onnx

Floats = npt.NDArray[np.float32]


def run(model: bytes, x: Floats) -> Floats:
    """What each tree says of each row, shape (rows, trees)."""
    (trees,) = onnxruntime.InferenceSession(model).run(None, {"x": x})
    return np.asarray(trees)


@pytest.fixture(scope="module")
def learned() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    random = np.random.default_rng(5)
    x = random.normal(size=(400, 3)).astype(np.float32).astype(np.float64)
    return x, x[:, 0] * 3 + np.where(x[:, 1] > 0.1, 5.0, 0.0) + random.normal(size=400)


def beside(thresholds: npt.NDArray[np.float64], columns: int) -> Floats:
    """Rows whose values are a threshold in float32, the next one below, or the next one above."""
    near = thresholds.astype(np.float32)
    values = np.concatenate([near, np.nextafter(near, np.float32(-9)), np.nextafter(near, np.float32(9))])
    return np.repeat(values[:, None], columns, axis=1)


def test_a_forest_splits_at_every_threshold_as_scikit_learn_does(learned: Any) -> None:
    forest = RandomForestRegressor(12, min_samples_leaf=3, random_state=1).fit(*learned)
    x = beside(np.concatenate([each.tree_.threshold for each in forest.estimators_]), 3)
    wanted = np.stack([each.predict(x) for each in forest.estimators_], axis=1)
    np.testing.assert_array_equal(run(forest_as_onnx(forest), x), wanted.astype(np.float32))


def test_a_booster_splits_at_every_threshold_and_unknown_values_go_their_learned_way(learned: Any) -> None:
    x, y = learned
    x = np.where(np.random.default_rng(6).random(x.shape) < 0.2, np.nan, x)
    booster = HistGradientBoostingRegressor(max_iter=9, max_leaf_nodes=6, random_state=1).fit(x, y)
    thresholds = np.concatenate([stage[0].nodes["num_threshold"] for stage in booster._predictors])
    rows = np.concatenate([beside(thresholds[np.isfinite(thresholds)], 3), np.full((1, 3), np.nan, np.float32)])
    base = float(np.ravel(booster._baseline_prediction)[0])
    served = run(as_onnx(booster), rows).sum(axis=1, dtype=np.float64) + base
    np.testing.assert_allclose(served, booster.predict(rows.astype(np.float64)), rtol=1e-6)

"""P10-P90 intervals: calibrated out of bag, never upside down."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from demand.intervals import calibrate, interval
from demand.model import build_pipeline, tree_predictions


def noisy(rows: int, spread: float, seed: int = 0) -> tuple[pd.DataFrame, Any]:
    random = np.random.default_rng(seed)
    x = pd.DataFrame({"StoreID": random.choice(list("abcdef"), rows), "Price": random.uniform(1, 9, rows)})
    return x, 1000 + 100 * x["Price"].to_numpy() + spread * random.normal(0, 1, rows)


def fitted(x: pd.DataFrame, y: Any) -> Any:
    return build_pipeline(x, ["Price"], [], n_estimators=100, min_samples_leaf=5, random_state=1).fit(x, y)


@pytest.mark.parametrize("spread", [10.0, 300.0])
def test_interval_covers_about_four_in_five_of_unseen_sales_whatever_the_noise(spread: float) -> None:
    x, y = noisy(800, spread)
    model = fitted(x, y)
    unseen, sales = noisy(800, spread, seed=1)
    low, high = interval(model, unseen, calibrate(model, x, y))
    assert 0.74 <= np.mean((sales >= low) & (sales <= high)) <= 0.86
    assert 0.05 <= np.mean(sales < low) <= 0.15


def test_more_noise_makes_a_wider_interval() -> None:
    widths = []
    for spread in (10.0, 300.0):
        x, y = noisy(400, spread)
        model = fitted(x, y)
        low, high = interval(model, x, calibrate(model, x, y))
        assert (low <= high).all()
        widths.append(float(np.mean(high - low)))
    assert widths[1] > 3 * widths[0]


def test_trees_average_to_the_forecast() -> None:
    x, y = noisy(200, 50.0)
    model = fitted(x, y)
    np.testing.assert_allclose(tree_predictions(model, x).mean(axis=0), model.predict(x))


def test_sales_that_never_vary_still_give_an_interval_around_them() -> None:
    x, _ = noisy(50, 0.0)
    y = np.full(50, 100.0)
    model = fitted(x, y)
    low, high = interval(model, x, calibrate(model, x, y))
    assert (low <= 100).all() and (high >= 100).all() and np.isfinite(high - low).all()

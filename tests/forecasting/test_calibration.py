"""P10-P90 intervals: calibrated on the last year or out of bag, never upside down."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from demand.model import build_pipeline, tree_predictions
from forecasting.backtest import interval
from forecasting.calibration import calibrate, out_of_bag
from forecasting.features import model_frame
from forecasting.packing import Packed
from forecasting.prepare import add_features
from forecasting.train import Settings, fit, fit_with_interval
from helpers_sales import monthly_sales


def noisy(rows: int, spread: float, seed: int = 0) -> tuple[pd.DataFrame, Any]:
    random = np.random.default_rng(seed)
    x = pd.DataFrame({"StoreID": random.choice(list("abcdef"), rows), "Price": random.uniform(1, 9, rows)})
    return x, 1000 + 100 * x["Price"].to_numpy() + spread * random.normal(0, 1, rows)


def fitted(x: pd.DataFrame, y: Any) -> Any:
    return build_pipeline(x, ["Price"], [], n_estimators=100, min_samples_leaf=5, random_state=1).fit(x, y)


def calibrated(model: Any, x: pd.DataFrame, y: Any) -> Packed:
    low, high = out_of_bag(model, x, y)
    return Packed(model, {"interval": {"low": low, "high": high}})


@pytest.mark.parametrize("spread", [10.0, 300.0])
def test_interval_covers_about_four_in_five_of_unseen_sales_whatever_the_noise(spread: float) -> None:
    x, y = noisy(800, spread)
    model = fitted(x, y)
    unseen, sales = noisy(800, spread, seed=1)
    low, high = interval(calibrated(model, x, y), unseen)
    assert 0.74 <= np.mean((sales >= low) & (sales <= high)) <= 0.86
    assert 0.05 <= np.mean(sales < low) <= 0.15


def test_more_noise_makes_a_wider_interval() -> None:
    widths = []
    for spread in (10.0, 300.0):
        x, y = noisy(400, spread)
        model = fitted(x, y)
        low, high = interval(calibrated(model, x, y), x)
        assert (low <= high).all()
        widths.append(float(np.mean(high - low)))
    assert widths[1] > 3 * widths[0]


def test_trees_average_to_the_forecast() -> None:
    x, y = noisy(200, 50.0)
    model = fitted(x, y)
    np.testing.assert_allclose(tree_predictions(model, x).mean(axis=0), model.predict(x))


def test_sales_that_never_vary_still_give_an_interval_that_holds_them() -> None:
    x, _ = noisy(50, 0.0)
    y = np.full(50, 100.0)
    model = fitted(x, y)
    low, high = interval(calibrated(model, x, y), x)
    assert (low <= 100).all() and (high >= 100).all() and np.isfinite(high - low).all()


def test_two_years_are_calibrated_on_the_last_and_less_out_of_bag() -> None:
    for months, refits in ((23, 0), (24, 1)):
        rows = add_features(monthly_sales(stores=6, months=months))
        packed, seen = Packed(*fit(Settings("c", "contextual", n_estimators=20), rows)), []

        def refit(part: pd.DataFrame, seen: list[str] = seen) -> Packed:
            seen.append(str(part["MonthYear"].max()))
            return Packed(*fit(Settings("c", "contextual", n_estimators=20), part))

        factors = calibrate(rows, packed, model_frame(rows, packed.features), refit)
        assert all(np.isfinite(value) and value >= 0 for value in factors.values())
        assert seen == ["2022-12"] * refits


def test_the_interval_is_wider_where_further_months_were_harder() -> None:
    packed = fit_with_interval(Settings("history", n_estimators=20), add_features(monthly_sales(stores=6, months=30)))
    frame = model_frame(add_features(monthly_sales(stores=6, months=30)).tail(6), packed.features)
    near, far = (np.subtract(*interval(packed, frame, np.full(6, ahead))[::-1]) for ahead in (False, True))
    factors = packed.metadata["interval"]
    wider = factors["low_ahead"] + factors["high_ahead"] > factors["low"] + factors["high"]
    assert (far > near).all() == wider

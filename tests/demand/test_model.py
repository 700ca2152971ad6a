"""The relative forest: one shape for small and large stores."""

import numpy as np
import pandas as pd
import pytest

from demand.model import RelativeForest, build_pipeline, set_jobs

COLUMNS = ("StoreID", "Lag1", "Level")


def rows(stores: int = 12, months: int = 15, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(seed)
    level = np.repeat(np.exp(random.normal(6, 1, stores)), months)
    lag = level * random.uniform(0.5, 1.5, len(level))
    x = pd.DataFrame({"StoreID": np.repeat([f"s{n}" for n in range(stores)], months), "Lag1": lag, "Level": level})
    return x, 0.4 * level + 0.6 * lag


def fitted(x: pd.DataFrame, y: np.ndarray) -> RelativeForest:
    pipeline = build_pipeline(x, ["Lag1", "Level"], [], n_estimators=20, random_state=3)
    return RelativeForest(pipeline, "Level", ["Lag1"]).fit(x, y)


def test_all_stores_ten_times_as_large_sell_ten_times_as_much() -> None:
    x, y = rows()
    large = x.assign(Lag1=x["Lag1"] * 10, Level=x["Level"] * 10)
    np.testing.assert_allclose(fitted(large, y * 10).predict(large), fitted(x, y).predict(x) * 10, rtol=0.01)


def test_a_store_larger_than_any_in_training_is_not_cut_off() -> None:
    x, y = rows()
    giant = x.head(15).assign(Lag1=x["Lag1"].head(15) * 1000, Level=x["Level"].head(15) * 1000)
    forecast = fitted(x, y).predict(giant)
    np.testing.assert_allclose(forecast, y[:15] * 1000, rtol=0.2)
    assert forecast.min() > 10 * y.max()


@pytest.mark.parametrize("level", [np.nan, 0.0, -5.0])
def test_an_unknown_or_idle_level_gives_a_finite_forecast(level: float) -> None:
    x, y = rows()
    assert np.isfinite(fitted(x, y).predict(x.head(3).assign(Level=level, Lag1=level))).all()


def test_stores_without_any_history_can_be_learned_from() -> None:
    x, y = rows()
    unknown = x.assign(Lag1=np.nan, Level=np.nan)
    assert np.corrcoef(fitted(unknown, y).predict(unknown), y)[0, 1] > 0.9  # by StoreID alone


def test_fitting_leaves_its_input_as_it_was() -> None:
    x, y = rows()
    before = x.copy()
    fitted(x, y).predict(x)
    pd.testing.assert_frame_equal(x, before)


def test_threads_do_not_change_forecasts() -> None:
    x, y = rows()
    model = fitted(x, y)
    alone = model.predict(x)
    set_jobs(model, 2)
    assert model.pipeline_["forest"].n_jobs == 2
    np.testing.assert_allclose(model.predict(x), alone)

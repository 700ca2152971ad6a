"""The candidates as trained: deterministic, honest, robust to missing and unseen values."""

import numpy as np
import pandas as pd
import pytest

from forecasting import backtest, evaluate
from forecasting.champion import Champion
from forecasting.features import SalesHistory, model_frame
from forecasting.packing import Packed, fingerprint, load, save
from forecasting.prepare import add_features, split
from forecasting.train import Settings, fit, fit_with_interval
from helpers_sales import monthly_sales

pytestmark = pytest.mark.slow  # fits real forests

SMALL = {"n_estimators": 30}


@pytest.fixture(scope="module")
def parts():
    return split(add_features(monthly_sales(stores=30, months=36)), 6)


@pytest.fixture(scope="module")
def candidates(parts):
    return {name: fit_with_interval(Settings(name, name, **SMALL), parts[0]) for name in ("contextual", "history")}


def test_history_beats_the_baselines_and_is_promoted(parts, candidates):
    decision, backtests, _ = evaluate.evaluate(*parts, candidates, None)
    assert (decision.selected, decision.promoted) == ("history", True)
    assert backtests["history"].leaks == []


@pytest.mark.parametrize("column", ["Lag1", "RollingMean3"])
def test_a_history_feature_that_holds_the_months_own_sales_is_a_leak_and_refused(parts, candidates, column):
    train, holdout = parts
    poisoned = holdout.assign(**{column: holdout["TotalSales"]})
    decision, backtests, _ = evaluate.evaluate(train, poisoned, {"history": candidates["history"]}, None)
    assert backtests["history"].leaks == [column]
    assert not decision.promoted


def test_a_model_trained_on_the_hold_out_is_refused(parts):
    both = pd.concat(parts, ignore_index=True)
    seen = Packed(*fit(Settings("seen", **SMALL), both))
    decision, _, _ = evaluate.evaluate(*parts, {"seen": seen}, None)
    assert not decision.promoted
    assert "saw the hold-out" in decision.reasons[0]


def test_the_same_champion_is_not_beaten_by_itself(parts, candidates):
    champion = Champion("demand-forecast", "1", candidates["history"], candidates["history"], months_seen=0)
    decision, _, _ = evaluate.evaluate(*parts, candidates, champion)
    assert not decision.promoted
    assert decision.reasons[-1].startswith("history is the same model as champion version 1")


def test_weather_of_a_month_to_come_does_not_count(parts, candidates):
    holdout = parts[1]
    history = SalesHistory.of(pd.concat(parts))
    forecasts = [
        backtest.backtest_model(candidates["contextual"], holdout.assign(Weather=weather), history).one_step
        for weather in ("Sunny", "Rainy")
    ]
    np.testing.assert_array_equal(*forecasts)


def test_multi_step_forecasts_do_not_use_sales_after_the_origin(parts, candidates):
    train, holdout = parts
    changed = holdout.assign(TotalSales=holdout["TotalSales"] * 100)
    forecasts = []
    for rows in (holdout, changed):
        history = SalesHistory.of(pd.concat([train, rows]))
        forecasts.append(backtest.multi_step(backtest.model_predictor(candidates["history"]), rows, history))
    np.testing.assert_allclose(*forecasts)


def test_the_same_seed_gives_the_same_model_and_another_seed_another(parts, tmp_path):
    prints = []
    for number, seed in enumerate((7, 7, 8)):
        model, metadata = fit(Settings("history", seed=seed, **SMALL), parts[0])
        save(model, model_frame(parts[0].tail(3), metadata["features"]), metadata, tmp_path / str(number))
        prints.append(fingerprint(tmp_path / str(number)))
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize("name", ["contextual", "history"])
def test_a_saved_model_forecasts_missing_and_unseen_values_like_the_fitted_one(parts, candidates, tmp_path, name):
    packed = candidates[name]
    rows = parts[1].head(8).copy()
    rows.loc[rows.index[:4], ["Country", "City", "Price", "Promotion"]] = None
    rows.loc[rows.index[4:], "StoreID"] = "never seen"
    frame = model_frame(rows, packed.features)
    save(packed.model, frame.head(2), packed.metadata, tmp_path / "model")
    forecasts = load(tmp_path / "model").model.predict(frame)
    assert np.isfinite(forecasts).all()
    np.testing.assert_array_equal(forecasts, packed.model.predict(frame))


@pytest.mark.parametrize("constant", ["Price", "City", "Weather", "Promotion"])
@pytest.mark.parametrize("value", [None, "one"])
def test_a_column_that_is_constant_or_empty_can_be_learned_from(parts, constant, value):
    numbers = constant in ("Price", "Promotion")
    rows = parts[0].assign(**{constant: (np.nan if value is None else 1.0) if numbers else value})
    model, metadata = fit(Settings("c", "contextual", n_estimators=10), rows)
    assert np.isfinite(model.predict(model_frame(rows, metadata["features"]))).all()


def test_a_hundred_stores_are_one_hot_and_more_are_target_encoded(parts):
    for stores, encoder in ((100, "one_hot"), (101, "target")):
        rows = add_features(monthly_sales(stores=stores, months=3))
        model, _ = fit(Settings("c", "contextual", n_estimators=10), rows)
        used = {name for name, _, columns in model["columns"].transformers_ if "StoreID" in list(columns)}
        assert used == {encoder}


def test_the_interval_of_the_hold_out_covers_about_four_in_five(parts, candidates):
    holdout = parts[1]
    history = SalesHistory.of(pd.concat(parts))
    frame = backtest.frame_of(candidates["history"], holdout, history)
    low, high = backtest.interval(candidates["history"], frame)
    covered = np.mean((holdout["TotalSales"] >= low) & (holdout["TotalSales"] <= high))
    assert (low <= high).all()
    assert 0.6 <= covered <= 0.95

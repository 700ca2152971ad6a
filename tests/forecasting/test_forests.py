"""The forests as fitted: equal for an equal seed, and robust to missing, unseen and constant values."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from demand.errors import StepError
from forecasting.features import model_frame
from forecasting.forests import Settings, fit, thinned
from forecasting.packing import fingerprint, load, save
from forecasting.prepare import add_features
from helpers_sales import monthly_sales

ROWS = add_features(monthly_sales(stores=10, months=24))


def test_the_same_seed_gives_the_same_model_and_another_seed_another(tmp_path: Path) -> None:
    prints = []
    for number, seed in enumerate((7, 7, 8)):
        model, metadata = fit(Settings("history", seed=seed, n_estimators=10), ROWS)
        save(model, model_frame(ROWS.tail(3), metadata["features"]), metadata, tmp_path / str(number))
        prints.append(fingerprint(tmp_path / str(number)))
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize("features", ["contextual", "history"])
def test_a_saved_model_forecasts_missing_and_unseen_values_like_the_fitted_one(tmp_path: Path, features: str) -> None:
    model, metadata = fit(Settings("c", features, n_estimators=10), ROWS)
    rows = ROWS.tail(8).copy()
    rows.loc[rows.index[:4], ["Country", "City", "Price", "Promotion"]] = None
    rows.loc[rows.index[4:], "StoreID"] = "never seen"
    frame = model_frame(rows, metadata["features"])
    save(model, frame.head(2), metadata, tmp_path / "model")
    forecasts = load(tmp_path / "model").model.predict(frame)
    assert np.isfinite(forecasts).all()
    np.testing.assert_array_equal(forecasts, model.predict(frame))


@pytest.mark.parametrize("constant", ["Price", "City", "Weather", "Promotion"])
@pytest.mark.parametrize("value", [None, "one"])
def test_a_column_that_is_constant_or_empty_can_be_learned_from(constant: str, value: str | None) -> None:
    numbers = constant in ("Price", "Promotion")
    rows = ROWS.assign(**{constant: (np.nan if value is None else 1.0) if numbers else value})
    model, metadata = fit(Settings("c", "contextual", n_estimators=10), rows)
    assert np.isfinite(model.predict(model_frame(rows, metadata["features"]))).all()


@pytest.mark.parametrize(("stores", "encoder"), [(100, "one_hot"), (101, "target")])
def test_a_hundred_stores_are_one_hot_and_more_are_target_encoded(stores: int, encoder: str) -> None:
    rows = add_features(monthly_sales(stores=stores, months=3))
    model, _ = fit(Settings("c", "contextual", n_estimators=10), rows)
    used = {name for name, _, columns in model["columns"].transformers_ if "StoreID" in list(columns)}
    assert used == {encoder}


def test_of_many_rows_some_are_drawn_the_same_each_time_in_their_order() -> None:
    settings = Settings("c", max_rows=50)
    drawn = thinned(ROWS, settings)
    assert len(drawn) == 50 and drawn.index.is_monotonic_increasing and drawn.equals(thinned(ROWS, settings))
    assert drawn["MonthYear"].nunique() > 12 and drawn["StoreID"].nunique() == 10
    assert thinned(ROWS, Settings("c", max_rows=len(ROWS))) is ROWS


def test_no_training_rows_are_one_clear_line() -> None:
    with pytest.raises(StepError, match=r"train\.parquet holds no rows: import more months or lower holdout_months"):
        fit(Settings("c"), pd.DataFrame(columns=ROWS.columns))

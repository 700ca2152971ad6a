"""The booster learns relative sales with and without a plan, and its trees serve as ONNX."""

from pathlib import Path

import numpy as np
import pytest

from demand.booster_inputs import COLUMNS, PLAN_PLACES
from demand.ensemble import Ensemble
from forecasting import boosting
from forecasting.boosting import BoosterSettings, training_rows
from forecasting.features import prepared
from forecasting.panels import Months
from forecasting.profiling import Profiles
from helpers_sales import monthly_sales

MONTHS = Months.of(prepared(monthly_sales(stores=10, months=20)))
SETTINGS = BoosterSettings(max_iter=20, min_samples_leaf=5)


@pytest.fixture(scope="module")
def learned() -> boosting.TrainingRows:
    profiles = Profiles(MONTHS)
    return training_rows(MONTHS, SETTINGS, profiles.at, profiles.known)


def test_half_of_the_rows_see_the_plan_and_half_do_not(learned: boosting.TrainingRows) -> None:
    share = np.isfinite(learned.x[:, PLAN_PLACES["Promotion"]]).mean()
    assert 0.45 < share < 0.55


def test_targets_times_scales_are_the_sales(learned: boosting.TrainingRows) -> None:
    sold = set(np.round(MONTHS.sales[np.isfinite(MONTHS.sales)], 6))
    assert set(np.round(learned.y * learned.weight, 6)) <= sold


def test_no_row_holds_a_month_after_the_last_one() -> None:
    """Rows of cut months are those rows of all months whose own month lies before the cut."""
    cut = Months.of(prepared(monthly_sales(stores=10, months=14)))
    profiles = Profiles(cut)
    fewer = training_rows(cut, SETTINGS, profiles.at, profiles.known)
    assert np.isfinite(fewer.y).all() and len(fewer.y) == 10 * sum(min(6, 13 - origin) for origin in range(2, 13))


def test_many_rows_are_thinned_evenly() -> None:
    profiles = Profiles(MONTHS)
    thin = training_rows(MONTHS, BoosterSettings(max_rows=200), profiles.at, profiles.known)
    assert 150 <= len(thin.y) <= 200
    assert set(thin.x[:, COLUMNS.index("Horizon")]) == {1, 2, 3, 4, 5, 6}
    assert 0.3 < np.isfinite(thin.x[:, PLAN_PLACES["Promotion"]]).mean() < 0.7


def test_equal_rows_give_equal_trees_and_too_few_give_none(learned: boosting.TrainingRows) -> None:
    first, second = (boosting.as_onnx(_fitted(learned)) for _ in range(2))
    assert first == second
    few = boosting.TrainingRows(*(column[:9] for column in learned))
    assert boosting.fit(few, SETTINGS) is None


def test_coarse_inputs_have_few_values_and_fall_on_the_same_side_of_every_split(learned: boosting.TrainingRows) -> None:
    booster, x = _fitted(learned), learned.x.copy()
    coarse = np.column_stack([boosting._coarsened(column, learned.weight) for column in x.T])
    empty = ~np.isfinite(x).any(axis=0)
    x[:, empty] = 0.0
    assert max(len(np.unique(column[np.isfinite(column)])) for column in coarse.T) <= boosting.BINS
    assert (np.isfinite(coarse) == np.isfinite(x)).all()
    np.testing.assert_array_equal(booster.predict(coarse), booster.predict(x))


def test_onnx_trees_agree_on_random_inputs_with_missing_values(learned: boosting.TrainingRows, tmp_path: Path) -> None:
    booster, random = _fitted(learned), np.random.default_rng(5)
    (tmp_path / "booster.onnx").write_bytes(boosting.as_onnx(booster))
    chosen = learned.x[random.integers(0, len(learned.x), 10_000)] * random.normal(1, 0.2, (10_000, len(COLUMNS)))
    # Values that are thresholds themselves are the ones that a rounded threshold would send the other way.
    on_edge = [float(node["num_threshold"]) for stage in booster._predictors for node in stage[0].nodes[:3]]
    chosen[::7] = random.choice(on_edge, chosen[::7].shape)
    x = np.where(random.random(chosen.shape) < 0.2, np.nan, chosen).astype(np.float32)
    np.testing.assert_allclose(
        Ensemble(tmp_path / "booster.onnx").predict(x), booster.predict(x.astype(np.float64)), rtol=1e-6
    )


def _fitted(learned: boosting.TrainingRows) -> boosting.HistGradientBoostingRegressor:
    booster = boosting.fit(learned, SETTINGS)
    assert booster is not None
    return booster


def test_how_long_a_series_is_known_makes_no_difference_to_what_is_learned(learned: boosting.TrainingRows) -> None:
    age = COLUMNS.index("Age")
    older = learned.x.copy()
    older[:, age] = np.arange(len(older))
    same, other = (boosting.fit(rows, BoosterSettings()) for rows in (learned, learned._replace(x=older)))
    assert same is not None and other is not None
    np.testing.assert_array_equal(same.predict(learned.x), other.predict(older))

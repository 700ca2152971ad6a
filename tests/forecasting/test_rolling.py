"""The rolling back-test: what each origin may know, and that nothing of the future reaches a forecast."""

import numpy as np
import pandas as pd
import pytest

from demand.errors import StepError
from forecasting.boosting import BoosterSettings
from forecasting.features import HISTORY
from forecasting.forests import Settings
from forecasting.prepare import add_features
from forecasting.recipes import DirectRecipe, ForestRecipe, NaiveRecipe, asked_columns, recipe_of
from forecasting.rolling import Rolling, backtest
from helpers_sales import monthly_sales

pytestmark = pytest.mark.slow  # learns at several origins

ROWS = add_features(monthly_sales(stores=12, months=24))
LAST = 2023 * 12 + 11
SHORT = Rolling(origins=2, warm_up=0)
# Which store and month a row is, and what the calendar and the store's address say of it: no secret of the month.
IDENTITY = (
    *("StoreID", "Category", "Product", "Country", "City"),
    *("MonthStart", "MonthYear", "Season", "IsWeekend"),
)
RECIPES = {
    "profile": DirectRecipe("profile"),
    "booster": DirectRecipe("booster", BoosterSettings(max_iter=8)),
    "history": ForestRecipe("history", Settings("history", n_estimators=6)),
    "contextual": ForestRecipe("contextual", Settings("contextual", "contextual", n_estimators=6)),
    "mean_12_months": NaiveRecipe("mean_12_months"),
}


def key(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values(["Origin", "Month", "StoreID"], ignore_index=True)


def test_every_origin_forecasts_the_months_after_it_once() -> None:
    table = backtest(NaiveRecipe("last_month"), ROWS, Rolling(origins=12, warm_up=2))
    assert not table.duplicated(["StoreID", "Origin", "Month"]).any()
    assert (table["Horizon"] == table["Month"] - table["Origin"]).all() and table["Horizon"].between(1, 6).all()
    judged = table[table["Judged"]]
    assert sorted(judged["Origin"].unique()) == list(range(LAST - 12, LAST))
    assert sorted(table["Origin"].unique()) == list(range(LAST - 14, LAST))
    assert judged.loc[judged["Horizon"] == 1, "Month"].nunique() == 12


def test_actual_sales_are_those_of_the_rows() -> None:
    table = backtest(NaiveRecipe("last_month"), ROWS, SHORT)
    sold = ROWS.set_index(["StoreID", "MonthYear"])["TotalSales"]
    wanted = [sold[each] for each in zip(table["StoreID"], table["MonthYear"], strict=True)]
    assert table["Actual"].tolist() == wanted


@pytest.mark.parametrize("name", RECIPES)
def test_a_fit_at_an_origin_is_that_of_the_rows_until_it(name: str) -> None:
    """With a store that opens after the origin, which neither of them knows."""
    recipe, origin = RECIPES[name], LAST - 3
    months = ROWS["MonthStart"].dt.year * 12 + ROWS["MonthStart"].dt.month - 1
    rows = ROWS[(ROWS["StoreID"] != ROWS["StoreID"].max()) | (months > origin)].reset_index(drop=True)
    months = rows["MonthStart"].dt.year * 12 + rows["MonthStart"].dt.month - 1
    asked = rows.loc[months > origin, asked_columns(rows)].reset_index(drop=True)
    shared = recipe.at_origins(rows)(origin).forecast(asked)
    np.testing.assert_allclose(shared, recipe.fit(rows[months <= origin].reset_index(drop=True)).forecast(asked))


@pytest.mark.parametrize("name", RECIPES)
def test_the_future_planted_into_every_column_and_history_feature_changes_no_forecast_from_before(name: str) -> None:
    """All columns and history features of the last month tell its sales; the origin is the month before."""
    last = ROWS["MonthYear"] == ROWS["MonthYear"].max()
    planted = ROWS.copy()
    secret = planted.loc[last, "TotalSales"]
    for column in planted.columns.difference([*IDENTITY, "TotalSales"]):
        planted.loc[last, column] = secret if pd.api.types.is_numeric_dtype(planted[column]) else secret.astype(str)
    planted.loc[last, "TotalSales"] *= 3.0
    assert (planted.loc[last, list(HISTORY)].nunique(axis=1) == 1).all()
    one = Rolling(origins=1, warm_up=0)
    honest, cheated = (key(backtest(RECIPES[name], rows, one)) for rows in (ROWS, planted))
    np.testing.assert_array_equal(honest["Forecast"], cheated["Forecast"])


@pytest.mark.parametrize("name", RECIPES)
def test_forecasts_are_finite_and_a_recipe_is_made_again_from_its_settings(name: str) -> None:
    table = backtest(RECIPES[name], ROWS, SHORT)
    assert np.isfinite(table[["Forecast", "Planned"]].to_numpy()).all()
    if name != "mean_12_months":
        again = backtest(recipe_of(name, RECIPES[name].settings()), ROWS, SHORT)
        np.testing.assert_array_equal(table["Forecast"], again["Forecast"])


def test_a_plan_counts_in_the_planned_forecast_alone() -> None:
    changed = ROWS.assign(Promotion=ROWS["Promotion"].where(ROWS["MonthYear"] < ROWS["MonthYear"].max(), 1.0))
    one, booster = Rolling(origins=1, warm_up=0), DirectRecipe("booster", BoosterSettings(max_iter=60))
    before, after = (key(backtest(booster, rows, one)) for rows in (ROWS, changed))
    np.testing.assert_array_equal(before["Forecast"], after["Forecast"])
    assert not np.allclose(before["Planned"], after["Planned"])


def test_too_few_months_for_any_origin_end_with_one_line() -> None:
    with pytest.raises(StepError, match="a back-test takes 5 months of sales: import more months"):
        backtest(NaiveRecipe("last_month"), ROWS[ROWS["MonthYear"] <= "2022-04"], SHORT)


def test_a_recipe_of_a_later_release_is_refused_by_name() -> None:
    with pytest.raises(StepError, match="champion: its recipe is 'oracle', which this release does not know"):
        recipe_of("champion", {"kind": "oracle"})

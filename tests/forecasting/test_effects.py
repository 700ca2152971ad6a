"""What a promotion and a price do to a forecast."""

import numpy as np
import pandas as pd
import pytest

from forecasting.effects import effects, effects_of, next_month
from forecasting.features import prepared
from forecasting.packing import Packed
from forecasting.prepare import add_features
from forecasting.recipes import DirectRecipe
from helpers_sales import monthly_sales

ROWS = pd.DataFrame({"StoreID": ["A", "B"], "Promotion": [0.0, 1.0], "Price": [4.0, 5.0]})
ASKED = ROWS.assign(Promotion=0.0)


def predict(rows):
    """A promotion adds a quarter; ten percent of price, 0.4 and 0.5, take 4 and 5 units of 100."""
    return np.asarray(100 * (1 + 0.25 * rows["Promotion"]) - 10 * (rows["Price"] - ROWS["Price"]))


def test_each_is_changed_alone_in_all_rows():
    assert effects(predict, ASKED, ROWS) == {
        "promotion": pytest.approx(0.25),
        "price_up_10_percent": pytest.approx(-9.0 / 200),
    }


@pytest.mark.parametrize("column", ["Promotion", "Price"])
def test_what_is_missing_unknown_or_the_same_everywhere_has_no_effect(column):
    name = "promotion" if column == "Promotion" else "price_up_10_percent"
    for known in (ROWS.drop(columns=column), ROWS.assign(**{column: np.nan}), ROWS.assign(**{column: 1.0})):
        assert name not in effects(predict, ASKED, known)


def test_forecasts_of_nothing_have_no_effect():
    assert effects(lambda each: np.zeros(len(each)), ASKED, ROWS) == {}


def test_the_month_asked_is_the_one_after_the_data_of_the_stores_that_still_sell():
    rows = prepared(monthly_sales(stores=3, months=24))
    rows = rows[~((rows["StoreID"] == "S001") & (rows["MonthYear"] == "2023-12"))]
    asked = next_month(rows)
    assert list(asked["StoreID"]) == ["S000", "S002"]
    assert (asked["MonthYear"] == "2024-01").all() and (asked["Season"] == "Winter").all()
    assert (asked["IsWeekend"] == 8 / 31).all() and not asked["Promotion"].any()
    last = rows[rows["MonthYear"] == "2023-12"].set_index("StoreID")["Price"]
    np.testing.assert_array_equal(asked["Price"], last[asked["StoreID"]])


@pytest.mark.slow  # fits a model
def test_a_booster_knows_that_promotions_lift_these_sales():
    from forecasting.boosting import BoosterSettings  # noqa: PLC0415

    rows = add_features(monthly_sales(stores=20, months=36, noise=0.02))
    fitted = DirectRecipe("booster", BoosterSettings()).fit(rows)
    changed = effects_of(Packed(fitted.model, {"features": ["StoreID"]}), rows)
    assert 0.02 < changed["promotion"] < 0.12  # the sales were made with 8.3%
    assert abs(changed["price_up_10_percent"]) < 0.05  # the price has no part in them

"""History features: known before a month begins, counted by calendar, the same in training and serving."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demand.errors import StepError
from demand.months import season
from demand.state import SEPARATOR
from forecasting.features import HISTORY, SalesHistory, add_calendar, feature_names, model_frame, series_keys
from helpers_sales import monthly_sales


def months(*pairs, store="S1"):
    starts = [pd.Timestamp(f"{month}-01") for month, _ in pairs]
    return add_calendar(
        pd.DataFrame({"StoreID": store, "MonthStart": starts, "TotalSales": [float(sold) for _, sold in pairs]})
    )


def test_lags_and_means_look_at_earlier_months_only():
    rows = months(("2024-01", 10), ("2024-02", 20), ("2024-03", 30), ("2024-04", 40))
    features = SalesHistory.of(rows).features(rows).iloc[-1]
    assert (features["Lag1"], features["Lag2"], features["Lag3"]) == (30, 20, 10)
    assert np.isnan(features["Lag12"])
    assert (features["RollingMean3"], features["RollingMean12"]) == (20, 20)


def test_a_gap_of_a_store_is_a_gap_of_the_calendar():
    rows = months(("2024-01", 10), ("2024-04", 40))
    features = SalesHistory.of(rows).features(rows).iloc[-1]
    assert np.isnan(features["Lag1"])
    assert (features["Lag3"], features["RollingMean3"]) == (10, 10)


def test_a_store_without_history_has_unknown_features():
    rows = months(("2024-01", 10))
    assert SalesHistory.of(rows).features(months(("2024-02", 1), store="new")).isna().all(axis=None)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 30))
def test_what_is_sold_in_a_month_and_later_changes_none_of_its_features(seed, month):
    rows = add_calendar(monthly_sales(stores=3, months=36, seed=seed))
    at = rows["MonthYear"] == sorted(rows["MonthYear"].unique())[month]
    changed = rows.assign(TotalSales=rows["TotalSales"].where(rows["MonthYear"] < rows.loc[at, "MonthYear"].min(), 1e9))
    before, after = (SalesHistory.of(each).features(each)[at] for each in (rows, changed))
    pd.testing.assert_frame_equal(before, after)


def test_contextual_has_exactly_the_nine_features_and_history_adds_to_them():
    rows = add_calendar(monthly_sales(stores=1, months=2))
    nine = ["StoreID", "Country", "City", "Price", "Weather", "Promotion", "Holiday", "IsWeekend", "Season"]
    assert feature_names("contextual", rows) == nine
    assert feature_names("history", rows) == [*nine, *HISTORY]
    assert feature_names("contextual", rows.assign(Product="Latte")) == [*nine, "Product"]


def test_masked_features_are_unknown_and_the_target_never_reaches_a_model():
    rows = add_calendar(monthly_sales(stores=2, months=3))
    frame = model_frame(rows, feature_names("contextual", rows), masked=("Weather",))
    assert frame["Weather"].isna().all()
    assert "TotalSales" not in frame


def test_seasons_are_those_of_the_northern_hemisphere():
    assert [season(month) for month in (11, 0, 2, 5, 8, 10)] == [
        "Winter", "Winter", "Spring", "Summer", "Autumn", "Autumn",
    ]  # fmt: skip


def test_dates_that_span_more_than_a_century_are_a_user_error():
    with pytest.raises(StepError, match="sales span 1024-01 to 2024-01: correct the dates"):
        rows = pd.DataFrame({"StoreID": ["a", "a"], "TotalSales": [1.0, 1.0]})
        rows["MonthStart"] = np.array(["1024-01-01", "2024-01-01"], dtype="datetime64[s]")
        SalesHistory.of(rows)


TEXTS = st.sampled_from([None, "", "a", "b", "a b", "S1"])


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=30))
@settings(max_examples=60)
def test_the_key_of_a_series_is_its_columns_with_a_separator_between(pairs):
    rows = pd.DataFrame(pairs, columns=["StoreID", "Product"], dtype=object)
    wanted = [store or "" for store, _ in pairs]
    if rows["Product"].notna().any():
        wanted = [f"{store or ''}{SEPARATOR}{product or ''}" for store, product in pairs]
    assert series_keys(rows).tolist() == wanted

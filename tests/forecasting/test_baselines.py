"""The naive forecasts, with what they do where their own value is unknown."""

import pandas as pd
import pytest

from forecasting import baselines
from forecasting.features import SalesHistory, add_calendar


def sales(store, first, *units):
    starts = pd.date_range(first, periods=len(units), freq="MS")
    return pd.DataFrame({"StoreID": store, "MonthStart": starts, "TotalSales": [float(unit) for unit in units]})


@pytest.mark.parametrize(
    ("name", "expected"),
    [("seasonal_naive", [1.0, 100.0]), ("last_month", [12.0, 100.0]), ("mean_12_months", [6.5, 100.0])],
)
def test_each_baseline_is_what_its_name_says(name, expected):
    past = pd.concat([sales("old", "2023-01-01", *range(1, 13)), sales("new", "2023-12-01", 100)])
    rows = add_calendar(pd.concat([sales("old", "2024-01-01", 0), sales("new", "2024-01-01", 0)]))
    history = SalesHistory.of(pd.concat([past, rows])).until(2024 * 12)
    forecasts = dict(zip(rows["StoreID"], baselines.forecast(name, rows, history), strict=True))
    assert [forecasts["old"], forecasts["new"]] == expected


@pytest.mark.parametrize("name", baselines.NAMES)
def test_a_store_never_seen_gets_the_mean_of_all(name):
    rows = add_calendar(sales("unseen", "2024-01-01", 0))
    history = SalesHistory.of(sales("old", "2023-10-01", 10, 20, 30))
    assert baselines.forecast(name, rows, history).tolist() == [20.0]

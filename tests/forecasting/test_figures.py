"""The figures of the verdict, from forecasts and sales."""

import numpy as np
import pandas as pd
import pytest

from forecasting import figures
from forecasting.backtest import Backtest

ROWS = pd.DataFrame(
    {
        "StoreID": ["a", "b", "c"],
        "MonthYear": "2024-01",
        "Country": ["Canada", None, "Canada"],
        "TotalSales": [10.0, 20.0, 30.0],
    }
)


def backtest_of(*forecasts: float, low: float | None = None) -> Backtest:
    values = np.array(forecasts)
    return Backtest(values, values * 2, None if low is None else values - low, None if low is None else values + 1)


def test_coverage_counts_sales_inside_the_interval_only() -> None:
    assert figures.figures(backtest_of(10.0, 25.0, 25.0, low=6.0), ROWS).coverage_p10_p90 == pytest.approx(2 / 3)
    assert figures.figures(backtest_of(10.0, 20.0, 30.0), ROWS).coverage_p10_p90 is None


def test_countries_are_apart_and_stores_without_one_are_unknown() -> None:
    countries = figures.by_country({"m": backtest_of(10.0, 25.0, 33.0)}, ROWS)
    assert countries["Canada"]["m"]["one_step"]["wape"] == pytest.approx(3 / 40)
    assert countries["unknown"]["m"]["one_step"]["wape"] == pytest.approx(5 / 20)
    assert countries["unknown"]["m"]["one_step"]["r2"] is None


def test_forecast_table_has_one_row_per_model_and_store_month() -> None:
    table = figures.forecast_table({"m": backtest_of(1.0, 2.0, 3.0, low=1.0), "n": backtest_of(4.0, 5.0, 6.0)}, ROWS)
    assert table["OneStep"].tolist() == [1, 2, 3, 4, 5, 6]
    assert table["P10"].head(3).tolist() == [0, 1, 2] and table["P10"].tail(3).isna().all()

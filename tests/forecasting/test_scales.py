"""MASE and RMSSE divide by the naive forecast's error on the months that were known at the origin."""

import numpy as np
import pandas as pd
import pytest

from forecasting.features import prepared
from forecasting.scales import Scales
from helpers_sales import monthly_sales

ROWS = prepared(monthly_sales(stores=3, months=30))
FIRST = 2022 * 12


def table(key: str, month: int, actual: float, forecast: float) -> pd.DataFrame:
    """One forecast, a month ahead."""
    row = {"Key": key, "Month": FIRST + month, "Origin": FIRST + month - 1, "Actual": actual, "Forecast": forecast}
    return pd.DataFrame([row])


def sales_of(store: str) -> np.ndarray:
    return ROWS.loc[ROWS["StoreID"] == store, "TotalSales"].to_numpy(dtype=np.float64)


def test_an_error_is_divided_by_that_of_last_years_month_over_the_months_known() -> None:
    known = sales_of("S001")[:24]
    naive = known[12:] - known[:12]
    (absolute,), (squared,) = Scales.of(ROWS).ratios(table("S001", 24, 1000.0, 900.0))
    assert absolute == pytest.approx(100 / np.abs(naive).mean())
    assert squared == pytest.approx(100**2 / (naive**2).mean())


def test_a_young_series_is_divided_by_the_month_before() -> None:
    known = sales_of("S001")[:6]
    (absolute,), _ = Scales.of(ROWS).ratios(table("S001", 6, 1000.0, 900.0))
    assert absolute == pytest.approx(100 / np.abs(np.diff(known)).mean())


def test_what_is_sold_after_an_origin_does_not_change_its_scale() -> None:
    later = ROWS["MonthYear"] >= "2023-07"
    planted = ROWS.assign(TotalSales=ROWS["TotalSales"].where(~later, 1e9))
    asked = table("S002", 17, 1000.0, 900.0)
    np.testing.assert_array_equal(Scales.of(planted).ratios(asked), Scales.of(ROWS).ratios(asked))


def test_a_series_that_never_changed_or_was_not_known_has_no_scale() -> None:
    flat = ROWS.assign(TotalSales=5.0)
    assert np.isnan(Scales.of(flat).ratios(table("S001", 24, 5.0, 6.0))).all()
    assert np.isnan(Scales.of(ROWS).ratios(table("new", 24, 5.0, 50.0))).all()

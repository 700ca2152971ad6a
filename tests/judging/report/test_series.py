"""What the report draws adds up, and stands beside the right months."""

import numpy as np
import pandas as pd
import pytest

import helpers_report
from judging.report.series import series_of


def small(**columns):
    """Two stores, four months; the last two are forecast, and the store B had no forecast of the third."""
    months = ["2024-01", "2024-02", "2024-03", "2024-04"]
    rows = pd.DataFrame(
        {"StoreID": list("AAAABBBB"), "Country": ["Canada"] * 4 + ["Mexico"] * 4, "MonthYear": months * 2}
    ).assign(TotalSales=[10.0, 11, 12, 13, 100, 110, 120, 130])
    table = pd.DataFrame(
        {
            "StoreID": list("AAB"),
            "Country": ["Canada", "Canada", "Mexico"],
            "MonthYear": ["2024-03", "2024-04", "2024-04"],
        }
    ).assign(Horizon=1, Actual=[12.0, 13, 130], Forecast=[15.0, 13, 120], P10=[9.0, 12, 110], P90=[18.0, 14, 140])
    return rows.assign(**columns), table.assign(**columns)


def test_a_store_has_its_sales_and_forecasts_month_by_month():
    sales = series_of(*small())
    store = {each.name: each for each in sales.stores}["A"]
    assert sales.months == ("2024-01", "2024-02", "2024-03", "2024-04")
    np.testing.assert_array_equal(store.actual, [10, 11, 12, 13])
    np.testing.assert_array_equal(store.forecast, [np.nan, np.nan, 15, 13])
    np.testing.assert_array_equal(store.low, [np.nan, np.nan, 9, 12])


def test_the_store_that_errs_most_comes_first():
    sales = series_of(*small())
    assert [each.name for each in sales.stores] == ["B", "A"]
    first, second = sales.worst()
    assert (first.name, first.country, first.missed) == ("B", "Mexico", 10.0)
    assert first.share == pytest.approx(10 / 13) and first.wape == pytest.approx(10 / 130)
    assert second.missed == pytest.approx(1.5) and second.bias == pytest.approx(3 / 25)  # 3 units in two months


def test_a_total_counts_in_its_forecast_months_the_stores_that_have_a_forecast():
    everything, canada, mexico = series_of(*small()).totals
    np.testing.assert_array_equal(everything.actual, [110, 121, 12, 143])
    np.testing.assert_array_equal(everything.forecast, [np.nan, np.nan, 15, 133])
    assert (canada.name, mexico.name) == ("Canada", "Mexico")
    np.testing.assert_array_equal(mexico.actual, [100, 110, 120, 130])


def test_the_band_of_a_total_is_made_of_its_own_errors_and_of_two_months_there_is_none():
    everything = helpers_report.series().totals[0]
    # Every forecast is 5% above the sales, so the total is too: its band reaches from there to the forecast.
    np.testing.assert_allclose(everything.low[-6:], everything.actual[-6:])
    np.testing.assert_allclose(everything.high[-6:], everything.forecast[-6:])
    assert np.isnan(series_of(*small()).totals[0].low).all()


def test_one_country_is_no_line_of_its_own():
    assert [each.name for each in series_of(*small(Country="Canada")).totals] == ["All stores"]
    assert [each.name for each in series_of(*small(Country=None)).totals] == ["All stores"]


def test_a_finer_grain_is_named_by_both():
    sales = series_of(*small(Category="Coffee"))
    assert {each.name for each in sales.stores} == {"A / Coffee", "B / Coffee"}


def test_horizons_have_their_own_error_bias_and_coverage():
    one, two = helpers_report.series().horizons
    assert (one.months, two.months) == (1, 2)
    assert one.wape == one.bias == pytest.approx(0.05) and two.bias == pytest.approx(0.10)
    assert one.coverage == 1.0 and two.coverage == 1.0
    assert series_of(*small(P10=np.nan)).horizons[0].coverage is None


def test_new_and_closed_stores_are_those_that_begin_or_end_within_the_data():
    rows, table = helpers_report.tables(stores=4)
    months = sorted(rows["MonthYear"].unique())
    opened = rows["StoreID"].eq("S001") & (rows["MonthYear"] < months[-5])
    closed = rows["StoreID"].eq("S002") & (rows["MonthYear"] >= months[-1])
    sales = series_of(rows[~opened & ~closed], table)
    assert sales.new_stores == ("S001",) and sales.closed_stores == ("S002",)


def test_only_the_last_three_years_are_shown():
    assert len(helpers_report.series(months=50).months) == 36

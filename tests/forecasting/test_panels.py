"""The months of all series as arrays, cut at an origin."""

import numpy as np
import pandas as pd

from demand.panel import WEEKDAYS
from forecasting.features import prepared
from forecasting.panels import Months
from helpers_sales import monthly_sales

ROWS = prepared(monthly_sales(stores=3, months=12))


def test_what_is_known_at_an_origin_does_not_depend_on_later_months() -> None:
    months = Months.of(ROWS)
    cut = Months.of(ROWS[ROWS["MonthYear"] <= "2022-06"])
    early, late = months.panel(2022 * 12 + 5), cut.panel()
    np.testing.assert_array_equal(early.sales, late.sales)
    np.testing.assert_array_equal(early.weekdays, late.weekdays)
    for name, values in early.plans.items():
        np.testing.assert_array_equal(values, late.plans[name])


def test_weekdays_add_up_until_the_origin_and_rare_sales_tell_nothing_of_them() -> None:
    rows = ROWS.assign(**dict.fromkeys(WEEKDAYS, 1.0), SaleDays=30)
    rows.loc[rows["StoreID"] == "S001", "SaleDays"] = 1
    panel = Months.of(rows).panel(2022 * 12 + 3)
    assert panel.weekdays[0].tolist() == [4.0] * 7 and panel.days[0] == 120
    assert panel.weekdays[1].tolist() == [0.0] * 7 and panel.days[1] == 0


def test_thinned_months_are_those_of_some_series_the_same_each_time() -> None:
    months = Months.of(ROWS)
    assert months.thinned(3) is months
    two = months.thinned(2)
    at = np.flatnonzero(np.isin(months.keys, two.keys))
    assert len(at) == 2 and two.keys.tolist() == months.thinned(2).keys.tolist()
    np.testing.assert_array_equal(two.panel().sales, months.panel().sales[at])


def test_a_month_outside_is_unknown_and_a_gap_is_too() -> None:
    months = Months.of(ROWS[(ROWS["StoreID"] != "S001") | (ROWS["MonthYear"] != "2022-05")])
    assert np.isnan(months.sales_of(2022 * 12 + 4)).tolist() == [False, True, False]
    assert np.isnan(months.sales_of(2030 * 12)).all()
    assert pd.isna(months.plan_of(2022 * 12 + 4)["Price"][1])

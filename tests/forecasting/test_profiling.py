"""The profile's settings are those that erred least on the months known so far, and on no other."""

import numpy as np
import pytest

from demand.booster_inputs import MAX_HORIZON
from demand.profile import GRID, Profile, forecast
from forecasting.features import prepared
from forecasting.panels import Months
from forecasting.profiling import MIN_KNOWN_MONTHS, Profiles
from helpers_sales import monthly_sales

ROWS = prepared(monthly_sales(stores=6, months=24))
MONTHS = Months.of(ROWS)


def test_the_settings_chosen_have_the_smallest_error_of_the_grid() -> None:
    origin = MONTHS.last_month
    errors = dict.fromkeys(GRID, 0.0)
    for settings in GRID:
        for earlier in range(MONTHS.first_month + MIN_KNOWN_MONTHS - 1, origin):
            if earlier < origin - 18:
                continue
            ahead = range(earlier + 1, min(earlier + MAX_HORIZON, origin) + 1)
            actual = np.stack([MONTHS.sales_of(month) for month in ahead], axis=1)
            errors[settings] += float(np.nansum(np.abs(forecast(MONTHS.known(earlier), settings, ahead) - actual)))
    chosen = Profiles(MONTHS).at(origin)
    assert errors[chosen] == pytest.approx(min(errors.values()), rel=1e-12)
    assert max(errors.values()) > errors[chosen]


def test_what_is_sold_after_an_origin_does_not_change_its_settings() -> None:
    origin = MONTHS.last_month - 8
    later = ROWS["MonthStart"].dt.year * 12 + ROWS["MonthStart"].dt.month - 1 > origin
    planted = ROWS.assign(TotalSales=ROWS["TotalSales"].where(~later, ROWS["TotalSales"] * 50))
    assert Profiles(Months.of(planted)).at(origin) == Profiles(MONTHS).at(origin)


def test_the_default_stands_where_too_little_is_known() -> None:
    assert Profiles(MONTHS).at(MONTHS.first_month + 2) == Profile()

"""The profile forecasts level x season x trading days."""

import numpy as np
import pytest

from demand.known import Known
from demand.panel import PLANNED, Panel
from demand.profile import GRID, Profile, forecast, season_of

FIRST = 2022 * 12


def known_of(sales: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> Known:
    n = len(sales)
    plans = {name: np.full(sales.shape, np.nan) for name in PLANNED}
    return Known(Panel(np.array([str(each) for each in range(n)]), FIRST, sales, np.zeros((n, 7)), np.zeros(n), plans))


def days(months: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return known_of(np.ones((1, months))).trading[0]


def test_sales_that_are_the_same_every_day_are_forecast_exactly_by_every_setting() -> None:
    known = known_of(5.0 * days(24)[None])
    ahead = range(FIRST + 24, FIRST + 30)
    wanted = [5.0 * known.trading_days(month)[0] for month in ahead]
    for profile in GRID:
        assert forecast(known, profile, ahead)[0] == pytest.approx(wanted)


def test_a_season_that_comes_back_every_year_is_forecast() -> None:
    season = np.where(np.arange(36) % 12 == 11, 3.0, 1.0)
    known = known_of((days(36) * season)[None])
    december, january = forecast(known, Profile(12, 1.0, 0.0), range(FIRST + 47, FIRST + 49))[0]
    assert december / january == pytest.approx(3, rel=0.05)
    flat = forecast(known, Profile(12, 0.0, 0.0), range(FIRST + 47, FIRST + 49))[0]
    assert flat[0] == pytest.approx(flat[1])


def test_a_series_own_season_counts_as_much_as_its_setting_says() -> None:
    season = np.where(np.arange(36) % 12 == 11, 3.0, 1.0)
    known = known_of(np.stack([days(36) * season, days(36), days(36)]))
    shares = [season_of(known, Profile(3, 1.0, own))[0, 11] for own in (0.0, 0.3, 0.6)]
    assert shares == sorted(shares) and shares[0] < shares[2]


def test_the_level_is_that_of_the_last_months_and_of_all_where_these_are_unknown() -> None:
    sales = days(24)[None] * np.where(np.arange(24) < 20, 1.0, 2.0)
    recent = forecast(known_of(sales), Profile(2, 0.0, 0.0), range(FIRST + 24, FIRST + 25))[0, 0]
    assert recent == pytest.approx(2 * 31)
    sales[0, 20:] = np.nan
    assert forecast(known_of(sales), Profile(2, 0.0, 0.0), range(FIRST + 24, FIRST + 25))[0, 0] == pytest.approx(31)

"""Trading days, levels and months of the year, worked out from sales whose truth is known."""

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pytest

from demand.booster_inputs import BASES, inputs
from demand.known import Known, weekday_counts
from demand.months import month_of
from demand.panel import PLANNED, WEEKDAYS, Panel
from demand.profile import Profile

FIRST = 2023 * 12
FloatArray = npt.NDArray[np.float64]


def panel_of(by_weekday: FloatArray, months: int = 24, every: int = 1, first_day: int = 0) -> Panel:
    """One series per row of `by_weekday` (units sold on each weekday), selling on every `every`-th day."""
    n = len(by_weekday)
    sales, weekdays, days = np.zeros((n, months)), np.zeros((n, 7)), np.zeros(n)
    day, number = date(2023, 1, 1) + timedelta(first_day), 0
    while (place := day.year * 12 + day.month - 1 - FIRST) < months:
        if number % every == 0:
            sales[:, place] += by_weekday[:, day.weekday()]
            weekdays[:, day.weekday()] += by_weekday[:, day.weekday()]
            days += 1
        day, number = day + timedelta(1), number + 1
    keys = np.array([f"S{each}" for each in range(n)])
    return Panel(keys, FIRST, sales, weekdays, days, {name: np.full(sales.shape, np.nan) for name in PLANNED})


@pytest.mark.parametrize(("month", "weekday", "count"), [("2024-02", 3, 5), ("2024-02", 4, 4), ("2024-03", 6, 5)])
def test_weekdays_of_a_month_are_counted(month: str, weekday: int, count: int) -> None:
    month = month_of(month)
    assert month is not None and weekday_counts(month)[weekday] == count


def test_a_month_with_five_saturdays_has_more_trading_days_where_saturdays_sell() -> None:
    known = Known(panel_of(np.array([[1.0, 1, 1, 1, 1, 9, 0]])))
    four, five = month_of("2025-07"), month_of("2025-08")  # 31 days each, four and five Saturdays
    assert four is not None and five is not None
    assert (weekday_counts(four)[5], weekday_counts(five)[5]) == (4, 5)
    assert known.trading_days(five)[0] > known.trading_days(four)[0] + 1


def test_a_series_that_reports_every_friday_has_as_many_trading_days_as_seven_times_its_fridays() -> None:
    """A month with four reports and one with five then sell the same a day."""
    known = Known(panel_of(np.array([[0.0, 0, 0, 0, 70, 0, 0]]), every=7, first_day=5))
    for month in range(known.panel.first_month, known.panel.last_month + 1):
        assert known.trading_days(month)[0] == pytest.approx(7 * weekday_counts(month)[4], rel=0.03)
    assert np.ptp(known.rates) / known.rates.mean() < 0.03


def test_few_days_with_sales_are_shrunk_to_what_all_series_do() -> None:
    panel = panel_of(np.array([[1.0, 1, 1, 1, 1, 1, 1], [1.0, 1, 1, 1, 1, 1, 1]]))
    panel.weekdays[1], panel.days[1] = np.array([0, 0, 0, 0, 0, 0, 2.0]), 2
    weights = Known(panel).weights[1]
    assert weights[6] < 2 and weights.mean() == pytest.approx(1, abs=0.02)


def test_without_weekdays_every_day_counts_alike() -> None:
    panel = panel_of(np.array([[1.0] * 7]))
    panel.weekdays[:], panel.days[:] = 0, 0
    known = Known(panel)
    assert known.trading_days(month_of("2024-02") or 0)[0] == pytest.approx(29)


def test_a_closed_month_does_not_lower_the_level() -> None:
    panel = panel_of(np.array([[3.0] * 7]))
    panel.sales[0, -3:] = np.nan
    assert Known(panel).level[0] == pytest.approx(3.0)


def test_the_season_of_all_series_is_known_and_each_has_its_own() -> None:
    panel = panel_of(np.array([[1.0] * 7, [1.0] * 7]), months=36)
    december = np.array([(FIRST + place) % 12 == 11 for place in range(36)])
    panel.sales[0, december] *= 2.0
    pooled, own = Known(panel).month_profiles
    assert own[0, 11] == pytest.approx(2 / (13 / 12), rel=0.03) and own[1, 11] == pytest.approx(1, rel=0.01)
    assert own[1, 11] < pooled[11] < own[0, 11]


def test_some_series_are_known_to_the_last_bit_as_they_are_among_all() -> None:
    random = np.random.default_rng(5)
    sales = np.where(random.random((40, 30)) < 0.1, np.nan, random.gamma(2, 50, (40, 30)))
    plans = {name: random.random(sales.shape) for name in PLANNED}
    keys = np.array([f"S{each:02d}" for each in range(40)])
    panel = Panel(keys, FIRST, sales, random.gamma(1, 9, (40, 7)), random.integers(0, 99, 40).astype(float), plans)
    everyone, ahead = Known(panel), FIRST + 32
    for size in (1, 2, 7, 39):
        places = np.sort(random.choice(40, size, replace=False))
        some = everyone.of_series(places)
        for name in ("weights", "level", "trading", "rates", "is_known"):
            np.testing.assert_array_equal(getattr(some, name), getattr(everyone, name)[places])
        np.testing.assert_array_equal(some.trading_days(ahead), everyone.trading_days(ahead)[places])
        assert some.mean_rate == everyone.mean_rate
        assert some.sold_of_usual(FIRST + 4) == everyone.sold_of_usual(FIRST + 4)
        np.testing.assert_array_equal(some.month_profiles[0], everyone.month_profiles[0])
        np.testing.assert_array_equal(some.month_profiles[1], everyone.month_profiles[1][places])
        for base in BASES:
            each = inputs(some, ahead, base, Profile(own=0.5))
            for mine, among in zip(each, inputs(everyone, ahead, base, Profile(own=0.5)), strict=True):
                np.testing.assert_array_equal(mine, among[places])


def test_a_stranger_is_an_average_series() -> None:
    known = Known(panel_of(np.array([[2.0] * 7, [4.0] * 7])).with_stranger())
    assert known.level.tolist() == pytest.approx([2.0, 4.0, 3.0])


def test_weekdays_are_in_the_order_of_the_calendar() -> None:
    assert WEEKDAYS[date(2024, 1, 1).weekday()] == "Monday"

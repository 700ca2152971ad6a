"""Sales by month, of which only rows with a forecast in them are kept."""

from math import nan

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from demand.timeline import MAX_HORIZON, YEAR, Timeline

KNOWN = np.arange(40.0).reshape(2, 20)
AHEAD = YEAR + 20


def test_a_row_has_a_year_before_the_known_months_and_room_ahead() -> None:
    row = Timeline(KNOWN).of(1)
    assert len(row) == YEAR + 20 + MAX_HORIZON
    np.testing.assert_array_equal(row[YEAR:AHEAD], KNOWN[1])
    assert np.isnan(row[:YEAR]).all() and np.isnan(row[AHEAD:]).all()
    assert np.isnan(Timeline(KNOWN).of(-1)).all()


def test_a_branch_goes_its_own_way() -> None:
    sales = Timeline(KNOWN)
    sales.put(0, AHEAD, 5.0)
    branch = sales.branch()
    branch.put(0, AHEAD, 7.0)
    branch.put(1, AHEAD, 8.0)
    assert sales.of(0)[AHEAD] == 5.0 and np.isnan(sales.of(1)[AHEAD])
    assert branch.of(0)[AHEAD] == 7.0 and branch.of(1)[AHEAD] == 8.0
    np.testing.assert_array_equal(KNOWN, np.arange(40.0).reshape(2, 20))


@given(
    months=st.integers(1, 30),
    ahead=st.lists(st.floats(0, 10), max_size=5),
    place=st.integers(YEAR, YEAR + 35),
    number=st.integers(-1, 1),
)
def test_the_year_before_a_month_is_that_of_the_row(months: int, ahead: list[float], place: int, number: int) -> None:
    sales = Timeline(np.arange(2.0 * months).reshape(2, months) + 1)
    for step, units in enumerate(ahead):
        sales.put(0, YEAR + months + step, units)
    place = min(place, YEAR + months + MAX_HORIZON)
    wanted = sales.of(number)[place - YEAR : place]
    np.testing.assert_array_equal(sales.year_before(number, place), wanted)
    assert len(sales.year_before(number, place)) == YEAR


def test_a_series_that_is_not_known_has_no_year_before() -> None:
    np.testing.assert_array_equal(Timeline(KNOWN).year_before(-1, AHEAD), [nan] * YEAR)

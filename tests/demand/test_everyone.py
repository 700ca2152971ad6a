"""What some series have to know of all."""

from math import nan

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from demand.everyone import usual_of, usual_of_each

UNITS = st.floats(-1e6, 1e6) | st.just(nan)


@given(
    st.integers(1, 14).flatmap(lambda months: st.lists(st.lists(UNITS, min_size=months, max_size=months), min_size=1))
)
def test_the_usual_units_of_many_series_are_those_of_each_to_the_last_bit(sales: list[list[float]]) -> None:
    np.testing.assert_array_equal(usual_of_each(np.array(sales)), [usual_of(months) for months in sales])

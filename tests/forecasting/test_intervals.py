"""Intervals from a back-test: what they cover, whom they widen for, and where they end."""

import numpy as np
import pandas as pd
import pytest

from forecasting import intervals


def table_of(noise: float = 0.2, series: int = 40, months: int = 12, seed: int = 1) -> pd.DataFrame:
    """A back-test whose errors are log-normal, and twice as large for the second half of the series."""
    random = np.random.default_rng(seed)
    rows = [
        {"Key": f"S{number}", "Month": origin + horizon, "Origin": origin, "Horizon": horizon, "Forecast": 100.0}
        for number in range(series)
        for origin in range(months)
        for horizon in range(1, 7)
    ]
    table = pd.DataFrame(rows)
    size = np.where(table["Key"].str[1:].astype(int) < series // 2, 1.0, 2.0) * (1 + 0.2 * table["Horizon"])
    return table.assign(Actual=100.0 * np.exp(random.normal(0, 1, len(table)) * noise * size), Usual=100.0)


@pytest.mark.parametrize(("first", "last"), [(1, 1), (2, 3), (4, 6)])
def test_they_cover_four_in_five_at_every_horizon(first: int, last: int) -> None:
    known, later = table_of(seed=1), table_of(seed=2)
    low, high = intervals.bounds(later, intervals.fit(known))
    at = later["Horizon"].between(first, last)
    covered = ((later["Actual"] >= low) & (later["Actual"] <= high))[at].mean()
    assert 0.77 <= covered <= 0.83


def test_a_series_that_errs_more_has_a_wider_interval_and_both_are_covered() -> None:
    known, later = table_of(seed=1), table_of(seed=2)
    low, high = intervals.bounds(later, intervals.fit(known))
    calm = later["Key"].str[1:].astype(int) < 20
    assert (high - low)[~calm].mean() > 1.5 * (high - low)[calm].mean()
    covered = (later["Actual"] >= low) & (later["Actual"] <= high)
    assert covered[calm].mean() == pytest.approx(covered[~calm].mean(), abs=0.12)


def test_no_interval_reaches_below_zero_or_leaves_its_forecast_out() -> None:
    known = table_of(noise=1.5)
    fitted = intervals.fit(known)
    low, high = intervals.bounds(known, fitted)
    assert (low >= 0).all() and (low <= known["Forecast"]).all() and (known["Forecast"] <= high).all()
    for forecast in (0.0, 3.0, 1e6):
        one, other = fitted.bounds(forecast, 100.0, 1, 2.0)
        assert one <= forecast <= other


def test_one_row_as_served_is_that_of_the_arrays() -> None:
    known = table_of()
    fitted = intervals.fit(known)
    low, high = intervals.bounds(known, fitted)
    for place in (0, 17, 400):
        row = known.iloc[place]
        one = fitted.bounds(row["Forecast"], row["Usual"], int(row["Horizon"]), fitted.scales[row["Key"]])
        assert one == pytest.approx((low[place], high[place]))


def test_a_month_does_not_widen_its_own_interval() -> None:
    known = table_of()
    shocked = known.assign(Actual=known["Actual"].where(known["Month"] != 8, known["Actual"] * 50))
    at = (known["Month"] == 8).to_numpy()
    for before, after in zip(intervals.held_out(known), intervals.held_out(shocked), strict=True):
        np.testing.assert_allclose(before[at], after[at], rtol=1e-9)
        assert not np.allclose(before[~at], after[~at])


def test_sales_of_zero_are_no_error() -> None:
    known = table_of().assign(Actual=0.0, Forecast=0.0)
    low, high = intervals.bounds(known, intervals.fit(known))
    assert np.isfinite(low).all() and np.isfinite(high).all()

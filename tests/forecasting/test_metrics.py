"""Forecast errors against figures worked out by hand."""

import numpy as np
import pytest

from forecasting import metrics

ACTUAL, FORECAST = np.array([10.0, 20.0, 30.0]), np.array([12.0, 20.0, 24.0])


def test_errors_are_those_of_the_definitions():
    errors = metrics.errors(ACTUAL, FORECAST)
    assert errors["wape"] == pytest.approx(8 / 60)
    assert errors["mae"] == pytest.approx(8 / 3)
    assert errors["rmse"] == pytest.approx((40 / 3) ** 0.5)
    assert errors["r2"] == pytest.approx(1 - 40 / 200)


def test_returns_count_by_their_size():
    assert metrics.wape(np.array([-5.0, 5.0]), np.array([0.0, 5.0])) == 0.5


def test_an_undefined_error_is_none_and_never_a_good_figure():
    assert set(metrics.errors(np.empty(0), np.empty(0)).values()) == {None}
    assert set(metrics.errors(ACTUAL, np.array([1.0, np.nan, 1.0])).values()) == {None}
    assert metrics.errors(np.zeros(2), np.ones(2))["wape"] is None
    assert metrics.errors(np.ones(1), np.ones(1))["r2"] is None


def test_coverage_counts_both_ends():
    assert metrics.coverage(ACTUAL, np.array([10.0, 21.0, 0.0]), np.array([10.0, 30.0, 30.0])) == pytest.approx(2 / 3)
    assert metrics.coverage(np.empty(0), np.empty(0), np.empty(0)) is None

"""The paired test of two forecasts, against figures worked out by hand and against its own promise."""

import numpy as np
import pytest
from scipy import stats

from forecasting.significance import p_value


def test_one_month_ahead_it_is_a_paired_t_test_of_the_months_one_sided() -> None:
    """For horizon 1 the correction turns the population variance into the sample's (Harvey et al. 1997, eq. 9)."""
    random = np.random.default_rng(2)
    rival, own = random.normal(10, 2, 12), random.normal(9, 2, 12)
    assert p_value(rival, own) == pytest.approx(stats.ttest_rel(rival, own, alternative="greater").pvalue)


def test_a_longer_horizon_counts_the_correlation_of_neighbouring_months() -> None:
    gain = np.array([1.0, 1.0, 1.0, -0.5, -0.5, -0.5, 1.0, 1.0, 1.0, -0.5, -0.5, -0.5])
    near, far = p_value(gain, np.zeros(12)), p_value(gain, np.zeros(12), horizon=3)
    assert near is not None and far is not None and far > near


def test_equal_forecasts_are_no_evidence_and_a_gain_in_every_month_alike_is_certain() -> None:
    months = np.arange(1.0, 13.0)
    assert p_value(months, months) == 1.0
    assert p_value(months + 1, months) == 0.0
    assert p_value(months, months + 1) == 1.0


@pytest.mark.parametrize("months", [0, 1])
def test_one_month_tells_nothing(months: int) -> None:
    assert p_value(np.ones(months), np.zeros(months)) is None


def test_of_equals_a_tenth_is_below_a_tenth() -> None:
    random = np.random.default_rng(5)
    below = [(p_value(*np.exp(random.normal(0, 0.4, (2, 12)))) or 0.0) < 0.1 for _ in range(2000)]
    assert 0.08 <= np.mean(below) <= 0.12

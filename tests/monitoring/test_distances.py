"""Distances agree with scipy's definitions, are small where nothing changed, and say nothing of too few values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from monitoring import distances


def test_the_stability_index_is_that_of_the_definition_less_what_chance_gives() -> None:
    reference, today = np.arange(100.0), np.concatenate([np.full(60, 10.0), np.full(40, 90.0)])
    before = np.full(5, 0.2)
    counts = np.array([60, 0.5, 0.5, 0.5, 40])
    now = counts / counts.sum()
    expected = entropy(now, before) + entropy(before, now) - 4 * (1 / 100 + 1 / 100)
    assert distances.psi(reference, today) == pytest.approx(expected)


@given(st.integers(0, 10_000))
def test_samples_of_one_distribution_are_below_the_usual_limit_and_a_shift_is_above(seed: int) -> None:
    random = np.random.default_rng(seed)
    reference, today = random.normal(size=864), random.normal(size=216)
    same = distances.psi(reference, today)
    moved = distances.psi(reference, today + 1.0)
    assert same is not None and moved is not None
    assert same < 0.25 < moved


def test_categories_are_compared_by_jensen_and_shannon_in_base_2() -> None:
    assert distances.mix(["a"] * 50, ["a"] * 50) == 0.0
    assert distances.mix(["a"] * 50, ["b"] * 50) == pytest.approx(1.0)
    half = distances.mix([True] * 25 + [False] * 25, [True] * 50)
    middle = np.array([0.25, 0.75])
    divergence = (entropy([0.5, 0.5], middle, base=2) + entropy([0.0, 1.0], middle, base=2)) / 2
    assert half == pytest.approx(np.sqrt(divergence))


def test_numbers_are_compared_in_standard_deviations() -> None:
    reference = np.random.default_rng(3).normal(10, 2, 500)
    assert distances.shift(reference, reference) == 0.0
    assert distances.shift(reference, reference + 3 * reference.std()) == pytest.approx(3.0)


def test_too_few_values_or_none_that_vary_say_nothing() -> None:
    few, many = np.arange(29.0), np.arange(100.0)
    assert distances.psi(few, many) is None and distances.psi(many, few) is None
    assert distances.mix(["a"] * 29, ["a"] * 100) is None
    assert distances.shift(np.full(100, 3.0), many) is None
    assert distances.psi(np.full(100, np.nan), many) is None


# What Evidently 0.7.23 gives for these samples (jensenshannon, wasserstein), worked out once with the
# same numpy and scipy; it has sixty packages of its own, so that it is no dependency of the tests.
EVIDENTLY_MIX = [
    (["a"] * 50 + ["b"] * 30 + ["c"] * 20, ["a"] * 20 + ["b"] * 60 + ["c"] * 20, 0.24226434469490243),
    (["a"] * 40 + ["b"] * 60, ["a"] * 100, 0.523792390695269),
    (["a"] * 70 + ["b"] * 30, ["a"] * 69 + ["b"] * 31, 0.007679271391591461),
]
EVIDENTLY_SHIFT = [(0.0, 1.0, 0.08921089692864764), (1.0, 1.0, 1.086522183452238), (0.5, 2.0, 0.797877782948685)]


@pytest.mark.parametrize(("reference", "today", "evidently"), EVIDENTLY_MIX)
def test_categories_lie_as_far_apart_as_evidently_says(
    reference: list[str], today: list[str], evidently: float
) -> None:
    natural = evidently / np.sqrt(np.log(2))  # Evidently takes the natural logarithm
    assert distances.mix(reference, today) == pytest.approx(natural, rel=1e-9)


def test_numbers_lie_as_far_apart_as_evidently_says() -> None:
    random = np.random.default_rng(5)
    for moved, wider, evidently in EVIDENTLY_SHIFT:
        reference, today = random.normal(10, 2, 300), random.normal(10 + moved * 2, 2 * wider, 120)
        assert distances.shift(reference, today) == pytest.approx(evidently, rel=1e-9)

"""A model's grain shows in its features and its name."""

import pytest

from demand.grain import GRAINS, grain_of, key_columns, name_of
from forecasting.features import CONTEXTUAL, HISTORY


@pytest.mark.parametrize("grain", GRAINS)
def test_the_grain_of_a_model_is_seen_in_its_features(grain):
    assert grain_of([*CONTEXTUAL, *key_columns(grain)[1:], *HISTORY]) == grain
    assert grain_of(key_columns(grain)) == grain


def test_the_names_of_all_grains_differ():
    assert [name_of("demand-forecast", grain) for grain in GRAINS] == [
        "demand-forecast",
        "demand-forecast-category",
        "demand-forecast-product",
    ]

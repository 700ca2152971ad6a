"""Permutation importance of a direct model tells the inputs that it makes use of from those that it does not."""

from forecasting.boosting import BoosterSettings
from forecasting.importance import importance
from forecasting.packing import Packed
from forecasting.prepare import add_features
from forecasting.recipes import DirectRecipe
from helpers_sales import monthly_sales

ROWS = add_features(monthly_sales(stores=12, months=30, noise=0.02))


def _importance(recipe: DirectRecipe, months: int = 6, seed: int = 7) -> dict[str, float]:
    packed = Packed(recipe.fit(ROWS).model, {"features": ["StoreID"]})
    return importance(packed, ROWS, months, seed)


def test_a_booster_makes_most_use_of_what_lifts_these_sales_and_none_of_the_price() -> None:
    rises = _importance(DirectRecipe("booster", BoosterSettings(max_iter=30)))
    assert list(rises.values()) == sorted(rises.values(), reverse=True)
    assert rises["Promotion"] > 0.01 > abs(rises["Price"])


def test_a_profile_has_no_input_to_shuffle() -> None:
    assert set(_importance(DirectRecipe("profile")).values()) == {0.0}


def test_equal_seeds_shuffle_alike_and_no_months_give_nothing() -> None:
    recipe = DirectRecipe("booster", BoosterSettings(max_iter=10))
    assert _importance(recipe) == _importance(recipe)
    assert _importance(recipe, months=0) == {}

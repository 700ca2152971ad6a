"""The model card tells what a model is, on what it rests, and how good it is."""

import pytest

from forecasting.verdict import Verdict
from judging.card import model_card

ERRORS = {"wape": 0.05, "mae": 1.0, "rmse": 2.0, "r2": None}
ENTRY = {"one_step": ERRORS, "multi_step": ERRORS, "coverage_p10_p90": 0.785}
RESULT = {
    "promoted": True,
    "selected": "history",
    "reasons": ["history beats last_month"],
    "rows": {"read": 1000, "quarantined": 4, "holdout": 30},
    "months": {"holdout": ["2024-01", "2024-06"]},
    "candidates": {"history": ENTRY},
    "baselines": {"last_month": ENTRY},
    "champion": None,
}
METADATA = {
    "parameters": {"n_estimators": 77, "random_state": 13},
    "trained_rows": 500,
    "trained_from": "2022-01",
    "trained_until": "2023-12",
    "features": ["StoreID", "Lag1"],
}
ORIGIN = {"data_version": "5", "git_commit": "abc123", "recipe": "r9", "fingerprint": "f0f0"}


@pytest.mark.parametrize(
    "text",
    [
        "# demand-forecast: history",
        "77 trees",
        "version 5: 1000 rows read, 4 quarantined",
        "2022-01 to 2023-12, all months that there were. Back-tested on 30 store-months, 2024-01 to 2024-06.",
        "StoreID, Lag1.",
        "| last_month | 5.0% | 1.0 | 2.0 | - | 5.0% | - |",
        "- history beats last_month",
        "covers 78% of the judged",
        "Commit `abc123`, data version 5, recipe `r9`, seed 13",
        "`f0f0`",
    ],
)
def test_the_card_states_data_features_figures_limits_and_origin(text: str) -> None:
    assert text in model_card(Verdict.of(RESULT), METADATA, ORIGIN, "demand-forecast")


def test_card_of_an_empty_hold_out_says_so() -> None:
    text = model_card(Verdict.of(RESULT | {"months": {"holdout": []}}), METADATA, ORIGIN, "m")
    assert "No month was held out." in text and "500 store-months" in text


def test_champion_is_in_the_table() -> None:
    assert "| champion | 5.0% |" in model_card(Verdict.of(RESULT | {"champion": ENTRY}), METADATA, ORIGIN, "m")


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ({"kind": "profile"}, "a profile, level x month of the year x trading days"),
        ({"kind": "booster", "max_iter": 99, "seed": 3}, "gradient boosting of 99 trees"),
        ({"kind": "blend", "parts": {"a": {"kind": "profile"}, "b": {"seed": 3}}}, "a blend of a and b"),
    ],
)
def test_the_card_says_what_kind_of_model_it_is(recipe: dict[str, object], words: str) -> None:
    metadata = {key: value for key, value in METADATA.items() if key != "parameters"} | {"recipe": recipe}
    text = model_card(Verdict.of(RESULT), metadata, ORIGIN, "m")
    assert words in text and "A forest" not in text
    assert f"seed {'-' if recipe['kind'] == 'profile' else 3}:" in text


def test_card_says_the_odds_the_effects_and_what_is_new_in_the_words_of_the_report() -> None:
    more = {"p_values": {"last_month": 0.0125}, "effects": {"promotion": 0.083}, "changes": ["The recipe is new."]}
    text = model_card(Verdict.of(RESULT | more), METADATA, ORIGIN, "m")
    assert "history is promoted. One month ahead it is off by 5.0% of what is sold" in text
    assert "1 of 80 back-tests would show such a lead all the same." in text
    assert "## What moves the forecast\n\n- A promotion, where there was none, raises the forecast by 8.3%.\n" in text
    assert "## Since the champion\n\n- The recipe is new.\n" in text
    plain = model_card(Verdict.of(RESULT), METADATA, ORIGIN, "m")
    assert "Since the champion" not in plain and "What moves" not in plain

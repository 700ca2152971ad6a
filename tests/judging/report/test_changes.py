"""What is new since the champion is read from the metadata of both models."""

from judging.report.changes import changes

OLD = {
    "candidate": "history",
    "features": ["StoreID", "Lag1", "Weather"],
    "parameters": {"n_estimators": 100, "random_state": 7},
    "trained_until": "2024-06",
    "trained_rows": 900,
}


def test_the_same_model_has_no_changes():
    assert changes(OLD, dict(OLD)) == ()


def test_recipe_features_settings_and_months_are_named():
    new = {
        "candidate": "blend",
        "features": ["StoreID", "Lag1", "MonthYear"],
        "parameters": {"n_estimators": 200, "random_state": 7},
        "trained_until": "2024-09",
        "trained_rows": 1200,
    }
    assert changes(OLD, new) == (
        "The recipe is blend, it was history.",
        "It also learns from MonthYear.",
        "It no longer learns from Weather.",
        "n_estimators is 200, it was 100.",
        "It has learned from sales until 2024-09, the champion until 2024-06.",
        "It has learned from 1,200 monthly rows, the champion from 900.",
    )


def test_a_champion_that_tells_nothing_of_itself_is_no_obstacle():
    assert changes({}, {"candidate": "history"}) == ("The recipe is history, it was None.",)


def test_settings_of_a_blends_parts_are_named_with_their_part():
    old = {
        "recipe": {"kind": "blend", "parts": {"profile": {"kind": "profile"}, "booster": {"max_iter": 100, "seed": 7}}}
    }
    new = {
        "recipe": {"kind": "blend", "parts": {"profile": {"kind": "profile"}, "booster": {"max_iter": 150, "seed": 7}}}
    }
    assert changes(old, new) == ("booster max_iter is 150, it was 100.",)

"""Mutations of the gate: every model that must not be registered is refused, and the reason says why."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.gate import Entrant, Rival, decide

GOOD = Entrant("history", 0.10, ("StoreID", "Price", "Lag1"), "2024-06", np.ones(4))
BASELINES = {"seasonal_naive": 0.20, "last_month": 0.15}


def verdict(entrant=GOOD, baselines=BASELINES, champion=None, rows=4):
    return decide([entrant], baselines, champion, "2024-07", rows)


def test_a_model_better_than_every_baseline_and_the_champion_is_promoted():
    decision = verdict(champion=Rival("champion version 3", 0.11))
    assert decision.promoted
    assert decision.reasons[-1] == "history beats champion version 3: WAPE 0.1000 against 0.1100"


@pytest.mark.parametrize(
    ("mutated", "reason"),
    [
        ({"wape": 0.16}, "history does not beat last_month: WAPE 0.1600 against 0.1500"),
        ({"wape": 0.15}, "history does not beat last_month"),
        ({"wape": None}, "has no WAPE"),
        ({"wape": float("nan")}, "has no WAPE"),
        ({"forecasts": np.array([1.0, np.nan])}, "1 forecasts are not finite"),
        ({"forecasts": np.array([np.inf, -np.inf])}, "2 forecasts are not finite"),
        ({"features": ("StoreID", "TotalSales")}, "uses TotalSales, which is not known before the month begins"),
        ({"features": ("StoreID", "Quantity")}, "uses Quantity"),
        ({"features": ()}, "does not state its features"),
        ({"leaks": ("Lag1",)}, "saw the target: Lag1"),
        ({"trained_until": "2024-07"}, "saw the hold-out: trained until 2024-07, held out from 2024-07"),
        ({"trained_until": "2025-01"}, "saw the hold-out"),
        ({"trained_until": None}, "does not state until which month it was trained"),
    ],
)
def test_a_model_that_must_not_be_registered_is_refused(mutated, reason):
    decision = verdict(replace(GOOD, **mutated))
    assert not decision.promoted
    assert any(reason in each for each in decision.reasons), decision.reasons


def test_an_empty_hold_out_promotes_nothing():
    decision = verdict(rows=0)
    assert not decision.promoted
    assert "hold-out is empty" in decision.reasons[0]


@pytest.mark.parametrize(
    ("baselines", "champion"),
    [
        ({}, None),
        ({"last_month": None}, None),
        ({"last_month": float("nan")}, None),
        (BASELINES, Rival("champion", 0.09)),
        (BASELINES, Rival("champion", 0.10)),
        (BASELINES, Rival("champion", None)),
    ],
)
def test_without_a_rival_that_it_beats_a_model_is_not_promoted(baselines, champion):
    assert not verdict(baselines=baselines, champion=champion).promoted


def test_a_leaking_candidate_does_not_stand_in_the_way_of_an_honest_one():
    leaking = replace(GOOD, name="leaking", wape=0.01, leaks=("Lag1",))
    decision = decide([leaking, GOOD], BASELINES, None, "2024-07", 4)
    assert (decision.selected, decision.promoted) == ("history", True)


def test_a_champion_that_is_the_same_model_is_named_as_such_and_not_as_a_rival():
    decision = verdict(champion=Rival("champion version 3", GOOD.wape, GOOD.forecasts.copy()))
    assert not decision.promoted
    assert decision.reasons == (
        "history is the same model as champion version 3, which is registered already: every forecast is the same",
    )
    refitted = verdict(champion=Rival("champion version 3", GOOD.wape, GOOD.forecasts.copy(), refitted=True))
    assert "history is the recipe of champion version 3" in refitted.reasons[0]


def test_figures_that_differ_late_are_shown_with_the_digits_that_tell_them_apart():
    (reason,) = verdict(replace(GOOD, wape=0.02514), champion=Rival("champion version 3", 0.02513)).reasons
    assert reason == "history does not beat champion version 3: WAPE 0.02514 against 0.02513"


@given(
    st.lists(st.floats(0, 2), min_size=1, max_size=4),
    st.lists(st.floats(0, 2), min_size=1, max_size=4),
    st.none() | st.floats(0, 2),
)
def test_promoted_means_strictly_better_than_every_rival(wapes, rivals, champion):
    entrants = [replace(GOOD, name=f"c{number}", wape=wape) for number, wape in enumerate(wapes)]
    named = {f"b{number}": wape for number, wape in enumerate(rivals)}
    decision = decide(entrants, named, None if champion is None else Rival("champion", champion), "2024-07", 4)
    best = min(wapes)
    assert decision.promoted == all(best < rival for rival in [*rivals, *([] if champion is None else [champion])])
    assert next(each.wape for each in entrants if each.name == decision.selected) == best

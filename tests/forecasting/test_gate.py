"""The gate: what must not be registered is refused and says why, noise does not pass, and a better model does."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from demand.errors import StepError
from forecasting.gate import Entrant, Gate, Rival, decide, independent
from helpers_sales import REPO

MONTHS, STORES, SOLD = 12, 40, 12_000.0
FloatArray = npt.NDArray[np.float64]
NOISE = np.random.default_rng(1).normal(1.0, 0.05, (6, MONTHS))


def entrant(name: str = "history", wape: float = 0.10, **changes: object) -> Entrant:
    errors = NOISE[0] * wape * SOLD / MONTHS
    return replace(Entrant(name, wape, errors, ("StoreID", "Price", "Lag1"), recipe=name), **changes)


def rival(label: str, wape: float | None, noise: int = 1, **changes: object) -> Rival:
    return replace(Rival(label, wape, NOISE[noise] * (wape or 0.2) * SOLD / MONTHS), **changes)


GOOD = entrant()
BASELINES = (rival("seasonal_naive", 0.20), rival("last_month", 0.15, 2))


def verdict(one: Entrant = GOOD, champion: Rival | None = None, rows: int = 480, gate: Gate | None = None):
    return decide([one], BASELINES, champion, rows, gate)


def test_a_model_better_than_every_baseline_and_the_champion_is_promoted() -> None:
    decision = verdict(champion=rival("champion version 3", 0.12, 3))
    assert decision.promoted
    assert decision.reasons[-1].startswith("history beats champion version 3: WAPE 10.0% against 12.0%, p < 0.001")
    assert set(decision.p_values) == {"seasonal_naive", "last_month", "champion version 3"}
    assert all(p is not None and p < 0.1 for p in decision.p_values.values())


@pytest.mark.parametrize(
    ("mutated", "reason"),
    [
        ({"wape": 0.16}, "history does not beat last_month: WAPE 16.0% against 15.0%"),
        ({"wape": 0.15}, "history does not beat last_month"),
        ({"wape": None}, "has no WAPE"),
        ({"wape": float("nan")}, "has no WAPE"),
        ({"forecasts": np.array([1.0, np.nan])}, "1 forecasts are not finite"),
        ({"forecasts": np.array([np.inf, -np.inf])}, "2 forecasts are not finite"),
        ({"features": ("StoreID", "TotalSales")}, "uses TotalSales, which is not known before the month begins"),
        ({"features": ("StoreID", "Quantity")}, "uses Quantity"),
        ({"features": ()}, "does not tell its features"),
        ({"leaks": ("Lag1",)}, "saw the target: Lag1"),
        ({"saw": ("2024-07",)}, "saw the hold-out: learned from 2024-07 before it forecast them"),
    ],
)
def test_a_model_that_must_not_be_registered_is_refused(mutated: dict[str, object], reason: str) -> None:
    decision = verdict(replace(GOOD, **mutated))
    assert not decision.promoted
    assert any(reason in each for each in decision.reasons), decision.reasons


def test_an_empty_hold_out_promotes_nothing() -> None:
    assert "hold-out is empty" in verdict(rows=0).reasons[0]


def test_a_lower_wape_that_chance_explains_is_not_enough() -> None:
    close = rival("last_month", 0.101, 2)
    decision = decide([GOOD], (BASELINES[0], close), None, 480)
    assert not decision.promoted
    assert decision.reasons[0].startswith(
        "history does not beat last_month for certain: WAPE 10.0% against 10.1%, p = "
    )


def test_too_few_months_to_tell_are_refused_and_said() -> None:
    few = replace(GOOD, errors=GOOD.errors[:5])
    decision = decide([few], [replace(each, errors=each.errors[:5]) for each in BASELINES], None, 200)
    assert not decision.promoted
    assert "5 judged month(s) are too few to tell history from chance: it takes 6" in decision.reasons[0]


def test_without_a_baseline_nothing_is_promoted() -> None:
    assert not decide([GOOD], [], None, 480).promoted
    assert not decide([GOOD], [*BASELINES, rival("mean_12_months", None)], None, 480).promoted


def test_a_leaking_candidate_does_not_stand_in_the_way_of_an_honest_one() -> None:
    leaking = entrant("leaking", 0.01, leaks=("Lag1",))
    decision = decide([leaking, GOOD], BASELINES, None, 480)
    assert (decision.selected, decision.promoted) == ("history", True)


def test_a_segment_that_gets_worse_than_under_the_champion_by_more_than_the_limit_stops_the_promotion() -> None:
    worse = {"country Canada": {"history": 0.11}, "small stores": {"history": -0.2}}
    decision = verdict(champion=rival("champion version 3", 0.12, 3, segments=worse))
    assert not decision.promoted
    assert decision.reasons == (
        "history is worse than champion version 3 for country Canada: WAPE 11.0% higher, 10% is the limit",
    )
    assert verdict(champion=rival("champion", 0.12, 3, segments=worse), gate=Gate(max_segment_rise=0.2)).promoted


@pytest.mark.parametrize(("age", "promoted"), [(3, False), (4, True)])
def test_the_champions_own_recipe_takes_its_place_only_once_it_has_not_seen_enough_months(
    age: int, promoted: bool
) -> None:
    champion = Rival("champion version 3", GOOD.wape, GOOD.errors, recipe="history", age_months=age)
    decision = verdict(champion=champion)
    assert decision.promoted == promoted
    assert decision.reasons[0] == "history is the recipe of champion version 3, which is registered already"
    assert verdict(champion=champion, gate=Gate(refresh_months=0)).promoted is False
    if promoted:
        assert "fitted on 4 months that it has not seen, and not worse: refreshed" in decision.reasons[-1]


def test_a_candidate_that_is_no_better_lets_the_champions_recipe_be_refreshed_in_its_place() -> None:
    same, other = entrant("history", 0.101), entrant("booster", 0.10, errors=NOISE[4][::-1] * 101)
    champion = Rival("champion version 3", 0.101, same.errors, recipe="history", age_months=9)
    decision = decide([other, same], BASELINES, champion, 480)
    assert (decision.selected, decision.promoted) == ("history", True)


def test_a_recipe_that_has_become_worse_than_a_baseline_is_not_refreshed() -> None:
    bad = entrant("history", 0.30)
    champion = Rival("champion version 3", 0.30, bad.errors, recipe="history", age_months=9)
    assert not decide([bad], BASELINES, champion, 480).promoted


def test_too_few_months_refresh_nothing_either() -> None:
    same = entrant("history", 0.10, errors=GOOD.errors[:3])
    short = [replace(rival, errors=rival.errors[:3]) for rival in BASELINES]
    champion = Rival("champion version 3", 0.10, same.errors, recipe="history", age_months=9)
    decision = decide([same], short, champion, 24)
    assert not decision.promoted and "too few to tell" in decision.reasons[-1]


def simulated(random: np.random.Generator, gain: float, worse: int = 0) -> bool:
    """Whether one of five candidates is promoted over three baselines and a champion.

    Stores share the shocks of a month, which is what makes a month the unit of the test: the champion is as good as the
    candidates but for `gain`, the baselines are half as bad again but for the equal case.
    """
    common = np.exp(random.normal(0, 0.35, MONTHS))

    def errors(level: float) -> FloatArray:
        return np.asarray(level * common * np.exp(random.normal(0, 0.15, MONTHS)))

    levels = [1 - gain] * (5 - worse) + [1.3] * worse
    entrants = [Entrant(f"c{number}", 0.0, errors(level)) for number, level in enumerate(levels)]
    entrants = [replace(each, wape=float(each.errors.sum())) for each in entrants]
    rivals = [Rival(f"b{number}", 0.0, errors(1.5)) for number in range(3)]
    rivals.append(Rival("champion", 0.0, errors(1.0)))
    *baselines, champion = (replace(each, wape=float(each.errors.sum())) for each in rivals)
    return decide(entrants, baselines, champion, STORES * MONTHS).promoted


@pytest.mark.parametrize("worse", [0, 3])
def test_equal_candidates_are_promoted_in_at_most_12_percent_of_1000_runs(worse: int) -> None:
    random = np.random.default_rng(11)
    assert sum(simulated(random, 0.0, worse) for _ in range(1000)) <= 120


def test_candidates_that_are_as_good_as_three_baselines_are_nearly_never_promoted() -> None:
    random, promoted = np.random.default_rng(12), 0
    for _ in range(1000):
        table = np.exp(random.normal(0, 0.35, MONTHS)) * np.exp(random.normal(0, 0.15, (8, MONTHS)))
        entrants = [Entrant(f"c{number}", float(each.sum()), each) for number, each in enumerate(table[:5])]
        baselines = [Rival(f"b{number}", float(each.sum()), each) for number, each in enumerate(table[5:])]
        promoted += decide(entrants, baselines, None, 480).promoted
    assert promoted <= 120


def test_a_truly_better_candidate_is_promoted_in_at_least_70_percent() -> None:
    random = np.random.default_rng(13)
    assert sum(simulated(random, 0.15) for _ in range(300)) >= 210


def test_correlated_tries_are_worth_fewer_independent_ones() -> None:
    random = np.random.default_rng(4)
    apart = list(random.normal(0, 1, (4, 2000)))
    assert independent(apart) == pytest.approx(4, abs=0.1)
    assert independent([apart[0], apart[0] * 2, apart[0]]) == pytest.approx(1, abs=0.01)
    assert independent([apart[0], np.zeros(2000)]) == 1


def test_the_gate_of_the_repo_is_read_and_says_what_the_code_says() -> None:
    assert Gate.read(REPO / "ml/gate.yml") == Gate()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("alpha: 1.5\n", "alpha is 1.5, it must lie between 0 and 1"),
        ("alpha: much\n", "alpha is 'much', it must be a number from 0 on"),
        ("min_months: 2.5\n", "min_months is 2.5, it must be a whole number from 0 on"),
        ("max_wape: 0.1\n", "a gate has the thresholds alpha, min_months"),
        ("- alpha\n", "a gate has the thresholds"),
        ("alpha: [\n", "cannot be read"),
    ],
)
def test_a_gate_that_cannot_be_meant_ends_with_one_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "gate.yml"
    path.write_text(text)
    with pytest.raises(StepError) as refused:
        Gate.read(path)
    assert says in str(refused.value) and "gate.yml" in str(refused.value) and "\n" not in str(refused.value)

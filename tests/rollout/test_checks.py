"""The rollout's checks, one by one, on numbers made up for them."""

import math
from typing import Any

import pytest

from rollout import checks
from rollout.checks import Limits, Seen

REQUEST = {"input_data": [{"StoreID": "S1", "MonthYear": "2026-12"}]}
ROW: dict[str, Any] = {"StoreID": "S1", "MonthYear": "2026-12", "P10": 90.0, "TotalSales": 100.0, "P90": 110.0}


def answer(**changes: Any) -> dict[str, Any]:
    """A good answer with a row changed."""
    return {"predictions": [{**ROW, **changes}], "model": {"name": "m", "version": "3"}}


def test_a_good_answer_has_no_problem() -> None:
    assert checks.answer_problems(REQUEST, answer(), "m", "3") == []


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (None, "no predictions"),
        ({"predictions": "many"}, "no predictions"),
        ({"predictions": [1]}, "no predictions"),
        ({"predictions": []}, "1 rows were asked for, 0 came back"),
        (answer(TotalSales=math.nan), "not three numbers"),
        (answer(TotalSales=None), "not three numbers"),
        (answer(P90=math.inf), "not three numbers"),
        (answer(P10=101.0), "is not between"),
        (answer(StoreID="S2"), "StoreID S1 was asked for, S2 came back"),
        ({**answer(), "model": {"name": "m", "version": "2"}}, "m version 3 was deployed, m 2 answers"),
    ],
)
def test_a_bad_answer_is_a_problem_that_says_why(given: Any, problem: str) -> None:
    assert problem in " ".join(checks.answer_problems(REQUEST, given, "m", "3"))


def test_forecasts_may_differ_from_the_live_ones_up_to_the_limit() -> None:
    assert checks.change_problems([{**ROW, "TotalSales": 149.0}], [ROW], 0.5) == []
    assert "51%" in checks.change_problems([{**ROW, "TotalSales": 151.0}], [ROW], 0.5)[0]
    assert checks.change_problems([ROW], [{**ROW, "TotalSales": 0.0}], 0.5) == [], "nothing to compare with"


@pytest.mark.parametrize(
    ("p95", "usual", "slow"),
    [(100, 25, False), (101, 25, True), (1999, None, False), (2001, None, True), (2001, 5000, True)],
)
def test_slow_is_twice_the_live_p95_and_some_or_two_seconds(p95: float, usual: float | None, slow: bool) -> None:
    assert bool(checks.slow_problems(Seen([p95] * 20), usual, Limits())) is slow


def test_errors_and_flags_are_compared_with_the_live_version() -> None:
    calm = Seen([1.0] * 100, rows=100, flagged=10)
    assert checks.load_problems(Seen([1.0] * 100, rows=100, flagged=15), calm, Limits()) == []
    assert "flagged" in checks.load_problems(Seen([1.0] * 100, rows=100, flagged=16), calm, Limits())[0]
    assert checks.load_problems(Seen([1.0] * 99, ["503"], rows=99, flagged=9), calm, Limits()) == []
    assert "error rate 2.0%" in checks.load_problems(Seen([1.0] * 98, ["503"] * 2, rows=98), calm, Limits())[0]


def test_a_deployment_that_answered_nothing_has_an_error_rate_of_one() -> None:
    assert Seen().error_rate == 1.0
    assert Seen([float(number) for number in range(1, 101)]).p95 == 95.0

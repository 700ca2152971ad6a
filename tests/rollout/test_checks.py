"""The rollout's checks, one by one, on numbers made up for them."""

import math
from pathlib import Path
from typing import Any

import pytest

from localml.errors import UserError
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
def test_a_bad_answer_is_told(given: Any, problem: str) -> None:
    assert problem in " ".join(checks.answer_problems(REQUEST, given, "m", "3"))


def test_forecasts_may_differ_from_the_live_ones_up_to_the_limit() -> None:
    assert checks.change_problems([{**ROW, "TotalSales": 149.0}], [ROW], 0.5) == []
    assert "51%" in checks.change_problems([{**ROW, "TotalSales": 151.0}], [ROW], 0.5)[0]
    assert checks.change_problems([ROW], [{**ROW, "TotalSales": 0.0}], 0.5) == [], "nothing to compare with"


def test_batch_agreement_is_relative() -> None:
    expected = {("S1", "2026-12"): 100_000.0, ("S9", "2026-12"): 1.0}
    assert checks.batch_problems([{**ROW, "TotalSales": 100_090.0}], expected, 1e-3) == []
    assert "S1" in checks.batch_problems([{**ROW, "TotalSales": 100_110.0}], expected, 1e-3)[0]


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


@pytest.mark.parametrize("name", ["batch.csv", "batch.parquet", "folder"])
def test_a_batch_result_is_read_from_csv_parquet_or_its_folder(tmp_path: Path, name: str) -> None:
    import pandas as pd  # noqa: PLC0415

    frame = pd.DataFrame({"StoreID": ["001"], "MonthYear": ["2026-12"], "TotalSales": [5.5]})
    target = tmp_path / name
    if name == "folder":
        target.mkdir()
        frame.to_parquet(target / "part.parquet")
    else:
        frame.to_csv(target, index=False) if name.endswith("csv") else frame.to_parquet(target)
    assert checks.read_batch(target) == {("001", "2026-12"): 5.5}


def test_a_batch_result_of_another_shape_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("StoreID,Month\n1,2\n")
    with pytest.raises(UserError, match="has StoreID, MonthYear and TotalSales"):
        checks.read_batch(tmp_path / "x.csv")

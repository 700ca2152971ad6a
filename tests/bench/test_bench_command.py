"""`make bench`: what a measurement lacks is one line, and what was measured before it is kept."""

import json
from pathlib import Path

import pytest

from amlspec.errors import UserError
from bench import __main__ as bench
from demand.errors import StepError

RESULT = {"value": 1.5, "unit": "s", "goal": "< 2", "peer": "nothing", "detail": {}}


def good() -> dict[str, object]:
    return RESULT


def without_a_tool() -> dict[str, object]:
    raise UserError("wrk is not on PATH")


def without_a_warehouse() -> dict[str, object]:
    raise StepError("cannot reach the warehouse")


@pytest.mark.parametrize(
    ("broken", "message"),
    [("without_a_tool", "wrk is not on PATH"), ("without_a_warehouse", "cannot reach the warehouse")],
)
def test_what_a_measurement_lacks_is_one_line_after_those_that_ran(
    broken: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path))
    monkeypatch.setattr(bench, "BENCHES", {"first": f"{__name__}:good", "second": f"{__name__}:{broken}"})
    assert bench.main([]) == 2
    assert capsys.readouterr().err == f"error: {message}\n"
    assert json.loads((tmp_path / "bench.json").read_text()) == {"first": RESULT}


def test_an_unknown_name_lists_the_measurements(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--only", "nope"]) == 2
    assert capsys.readouterr().err.startswith(
        "error: nope is not a measurement: choose one of engine_overhead_fraction, "
    )

"""The table at the end of a run, and what `make verdict` prints."""

import json

import pytest

from localml.paths import write_json
from pipeline import __main__ as program
from pipeline import azml, summary

SCORE = {"wape": 0.0605, "mae": 444.6, "rmse": 717.04, "r2": 0.967}
VERDICT = {
    "promoted": True,
    "reasons": ["history beats last_month"],
    "selected": "history",
    "model": {"name": "demand-forecast", "version": "3"},
    "candidates": {"history": {"one_step": SCORE, "multi_step": {**SCORE, "wape": 0.0898}, "coverage_p10_p90": 0.8}},
    "baselines": {"last_month": {"one_step": {**SCORE, "r2": None}, "multi_step": SCORE}},
    "champion": None,
    "rows": {"read": 218606, "quarantined": 2, "train": 2002, "holdout": 404},
}


@pytest.fixture
def last_run(tmp_path, monkeypatch):
    """A run that ended well, as the engine would tell it."""
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path))
    monkeypatch.setenv("ENV", "local")
    write_json(tmp_path / "runs/local.json", {"job": "train-1"})
    write_json(tmp_path / "report/verdict.json", VERDICT)
    record = {"name": "train-1", "status": "Completed", "outputs": {"report": {"path": str(tmp_path / "report")}}}
    record["jobs"] = {"aggregate": {"seconds": 1.25}, "prepare": {"seconds": None}}
    monkeypatch.setattr(azml, "call", lambda *_: record)
    return record


def test_the_table_has_candidates_champion_baselines_verdict_rows_and_seconds(tmp_path):
    verdict = {**VERDICT, "champion": VERDICT["candidates"]["history"], "seconds": {"aggregate": 1.25}}
    lines = summary.lines(verdict, tmp_path, verdict["rows"])
    assert [line.split() for line in lines[1:5]] == [
        ["WAPE", "MAE", "RMSE", "R2", "WAPE", "all", "months"],
        ["candidate", "history", "*", "6.0%", "444.6", "717.0", "0.967", "9.0%"],
        ["champion", "champion", "6.0%", "444.6", "717.0", "0.967", "9.0%"],
        ["baseline", "last_month", "6.0%", "444.6", "717.0", "-", "6.0%"],
    ]
    assert lines[6:] == [
        "Promoted: history is demand-forecast version 3",
        "Rows: 218,606 read, 2 quarantined, 2,002 to train, 404 held out",
        "Seconds: aggregate 1.2",
        f"Report: {tmp_path}/report.html",
    ]


def test_verdict_prints_json_and_nothing_else(last_run, capsys):
    assert program.main(["verdict"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == {**VERDICT, "seconds": {"aggregate": 1.25, "prepare": None}}


@pytest.mark.parametrize(("strict", "code"), [([], 0), (["--strict"], 3)])
def test_a_refused_gate_is_told_and_ends_with_3_only_when_strict(last_run, tmp_path, capsys, strict, code):
    reason = "contextual does not beat last_month"
    write_json(tmp_path / "report/verdict.json", {**VERDICT, "promoted": False, "model": None, "reasons": [reason]})
    assert program.main(["summary", "train-1", *strict]) == code
    assert f"Not promoted:\n  - {reason}\n" in capsys.readouterr().out


def test_a_run_that_failed_has_no_verdict(last_run, capsys):
    last_run["status"] = "Failed"
    assert program.main(["verdict"]) == 1
    assert capsys.readouterr().err == "error: the last run train-1 is failed, so it has no verdict\n"


def test_before_the_first_run_the_way_to_one_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path))
    assert program.main(["verdict"]) == 2
    assert "`make run-pipeline` makes one" in capsys.readouterr().err

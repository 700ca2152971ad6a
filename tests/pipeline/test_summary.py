"""The table at the end of a run, and what `make verdict` prints."""

import json
from dataclasses import replace

import pytest

from amlspec.errors import UserError
from forecasting.verdict import Figures, Verdict
from host.state import write_json
from pipeline import azml, last_run, runs, summary

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
def finished(tmp_path, monkeypatch):
    """A run that ended well, as the engine would tell it."""
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path))
    monkeypatch.setenv("ENV", "local")
    write_json(tmp_path / "runs/local.json", {"job": "train-1"})
    write_json(tmp_path / "report/verdict.json", VERDICT)
    record = {"name": "train-1", "status": "Completed", "outputs": {"report": {"path": str(tmp_path / "report")}}}
    record["jobs"] = {"aggregate": {"seconds": 1.25}, "prepare": {"seconds": None}}
    monkeypatch.setattr(azml, "call", lambda *_, **__: record)
    return record


def test_the_table_has_candidates_champion_baselines_verdict_rows_and_seconds(tmp_path):
    champion = Figures.of(VERDICT["candidates"]["history"])
    verdict = replace(Verdict.of(VERDICT), champion=champion, seconds={"aggregate": 1.25})
    lines = summary.lines(verdict, tmp_path)
    assert [line.split() for line in lines[1:5]] == [
        ["WAPE", "MAE", "RMSE", "R2", "WAPE", "1-6", "months", "WAPE", "with", "plan"],
        ["candidate", "history", "*", "6.0%", "444.6", "717.0", "0.967", "9.0%", "-"],
        ["champion", "champion", "6.0%", "444.6", "717.0", "0.967", "9.0%", "-"],
        ["baseline", "last_month", "6.0%", "444.6", "717.0", "-", "6.0%", "-"],
    ]
    assert lines[6:] == [
        "Promoted: history is demand-forecast version 3",
        "Rows: 218,606 read, 2 quarantined, 2,002 to train, 404 held out",
        "Seconds: aggregate 1.2",
        f"Report: {tmp_path}/report.html",
        "PASS=1 WARN=0 ERROR=0",
    ]


def test_verdict_prints_json_and_nothing_else(finished, capsys):
    runs.verdict()
    printed = json.loads(capsys.readouterr().out)
    assert printed["seconds"] == {"aggregate": 1.25, "prepare": None}
    assert Verdict.of({**printed, "seconds": None}) == Verdict.of(VERDICT)
    for key in ("promoted", "reasons", "selected", "model", "champion", "rows"):
        assert printed[key] == VERDICT[key]
    assert printed["candidates"]["history"]["one_step"] == SCORE


@pytest.mark.parametrize(("strict", "code"), [(False, 0), (True, 3)])
def test_a_refused_gate_is_reported_and_ends_with_3_only_when_strict(finished, tmp_path, capsys, strict, code):
    reason = "contextual does not beat last_month"
    write_json(tmp_path / "report/verdict.json", {**VERDICT, "promoted": False, "model": None, "reasons": [reason]})
    assert runs.show("train-1", strict) == code
    assert f"Not promoted:\n  - {reason}\n" in capsys.readouterr().out


def test_a_run_that_failed_has_no_verdict(finished):
    finished["status"] = "Failed"
    with pytest.raises(UserError, match=r"^run train-1 is failed, so it has no verdict$") as caught:
        runs.verdict()
    assert caught.value.exit_code == 1


def test_before_the_first_run_the_way_to_one_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path))
    with pytest.raises(UserError, match="`make run-pipeline` makes one") as caught:
        runs.verdict()
    assert caught.value.exit_code == 2


def test_a_run_that_was_refused_is_not_the_last_run(finished, monkeypatch):
    def refuse(*_, **__):
        raise UserError("jobs.prepare.inputs.origins: no such input")

    monkeypatch.setattr(runs.lineage, "settings", lambda *_: [])
    monkeypatch.setattr(runs.models, "versions", lambda _: [])
    monkeypatch.setattr(runs.submit, "submit", refuse)
    with pytest.raises(UserError, match="no such input"):
        runs.train("store", ["jobs.prepare.inputs.origins=3"], strict=False)
    assert last_run.name() == "train-1"


def test_a_run_that_promoted_says_so_and_a_rerun_says_that_nothing_changed(tmp_path):
    verdict = Verdict.of({**VERDICT, "seconds": {}})
    assert "Promoted: history is demand-forecast version 3" in summary.lines(verdict, tmp_path, "2")
    again = summary.lines(verdict, tmp_path, "3")
    assert "Unchanged: history is demand-forecast version 3, which was the champion before this run" in again
    assert not any(line.startswith("Promoted") for line in again)


def test_a_champion_that_last_year_beats_is_named_with_its_figures(tmp_path):
    live = {"name": "demand-forecast", "version": "3", "wape": 0.3, "seasonal_naive": 0.1, "is_worse": True}
    verdict = {**VERDICT, "promoted": False, "seconds": {}, "live": live}
    (said,) = [line for line in summary.lines(Verdict.of(verdict), tmp_path) if line.startswith("Warning: ")]
    assert "demand-forecast version 3 is worse on these sales than the same month of last year" in said
    assert "WAPE 30.0% against 10.0%, 3.0 times as far off" in said
    better = {**verdict, "live": {**live, "is_worse": False}}
    assert not any(line.startswith("Warning: ") for line in summary.lines(Verdict.of(better), tmp_path))


def test_two_runs_at_once_each_report_their_own_result(finished, tmp_path, monkeypatch, capsys):
    """The other run started later, so it is "the last run"; it was refused, and this one was not."""
    last_run.remember("train-1", "demand-forecast", None)
    last_run.remember("train-2", "demand-forecast", "3")
    write_json(tmp_path / "other/verdict.json", {**VERDICT, "promoted": False, "model": None, "reasons": ["too bad"]})
    other = {**finished, "name": "train-2", "outputs": {"report": {"path": str(tmp_path / "other")}}}
    records = {"train-1": finished, "train-2": other}
    monkeypatch.setattr(azml, "call", lambda *_, name: records[name])
    assert runs.show("train-1", strict=True) == 0
    assert "Promoted: history is demand-forecast version 3" in capsys.readouterr().out
    assert runs.show("train-2", strict=True) == 3
    assert "too bad" in capsys.readouterr().out

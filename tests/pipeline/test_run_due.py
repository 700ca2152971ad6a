"""`make run-due`: each job that was due is a line, and what a verb does after its own job follows it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline import forecast, last_forecast, last_run, monitor, runs

DUE = [
    ("import", "Completed"), ("monitor", "Completed"), ("train", "Completed"), ("forecast", "Failed"),
]  # fmt: skip


@pytest.fixture
def acted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Jobs that were due, the last of which failed; what was done about them."""
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path))
    monkeypatch.setenv("ENV", "local")
    did: list[str] = []

    def each_due(now: str | None, _: Any) -> Iterator[dict[str, Any]]:
        did.append(f"until {now}")
        for kind, status in DUE:
            done = {"schedule": f"{kind}-monthly", "time": "2027-01-02T06:00:00+00:00", "job": f"{kind}-1"}
            failed = {"error": "error: no sales"} if status == "Failed" else {}
            yield {**done, "status": status, "spec": f"/ml/pipelines/{kind}.yml", **failed}

    monkeypatch.setattr(runs.verbs_schedules, "each_due", each_due)
    report = {"signals": [], "is_healthy": False, "calls_for_retraining": True, "as_of": "2027-01-02",
              "model": {"name": "demand-forecast", "version": "3"}}  # fmt: skip
    monkeypatch.setattr(monitor, "report_of", lambda job: did.append(f"report of {job}") or report)
    monkeypatch.setattr(runs, "train", lambda *_, **__: did.append("train"))
    monkeypatch.setattr(forecast, "folder", lambda _: tmp_path)
    return did


def test_an_alarm_trains_at_its_place_among_the_jobs(acted: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert runs.run_due("2027-01-02T07:00Z") == 1
    assert acted == ["until 2027-01-02T07:00Z", "report of monitor-1", "train"]
    (decision,) = monitor.decisions()
    assert (decision["at"], decision["decision"]) == ("2027-01-02T06:00:00+00:00", "retrain")
    said = capsys.readouterr().out
    assert "2027-01-02T06:00:00+00:00 train-monthly: Completed" in said
    assert "forecast-monthly: Failed\nerror: no sales" in said


def test_where_nothing_was_due_that_is_said(
    acted: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs.verbs_schedules, "each_due", lambda *_: iter(()))
    assert runs.run_due(None) == 0
    assert "No schedule yet: `make schedules` creates four" in capsys.readouterr().out
    monkeypatch.setattr(runs.verbs_schedules, "list_", lambda: [{"name": "daily"}])
    assert runs.run_due(None) == 0
    assert capsys.readouterr().out == "Nothing was due\n"


def test_a_scheduled_training_is_the_last_run_and_a_failed_forecast_is_not_the_last(acted: list[str]) -> None:
    runs.run_due(None)
    assert last_run.name() == "train-1"
    assert last_forecast.note() is None
    DUE[-1] = ("forecast", "Completed")
    runs.run_due(None)
    DUE[-1] = ("forecast", "Failed")
    kept = last_forecast.note()
    assert kept is not None and kept["job"] == "forecast-1"

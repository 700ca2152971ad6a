"""Around the job of `make monitor`: alarms as lines, the last report, and decisions that are kept and never changed."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline import azml, monitor

ALARM = {"name": "bias", "scope": "Mexico", "value": 0.31, "limit": 0.2, "state": "breached", "since": "2026-09",
         "calls_for": "retrain"}  # fmt: skip
QUIET = {**ALARM, "scope": "all", "value": 0.1, "state": "ok", "since": None}


def report(*signals: dict[str, Any]) -> dict[str, Any]:
    alarms = [each for each in signals if each["state"] == "breached"]
    return {
        "model": {"name": "demand-forecast", "version": "7"},
        "as_of": "2026-11-30",
        "signals": list(signals),
        "is_healthy": not alarms,
        "calls_for_retraining": any(each["calls_for"] == "retrain" for each in alarms),
    }


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path))
    monkeypatch.setenv("ENV", "local")
    return tmp_path


def test_alarms_are_lines_with_value_limit_since_when_and_what_to_do() -> None:
    assert monitor.lines(report(QUIET)) == ["Healthy: 1 signals of demand-forecast version 7 as of 2026-11-30"]
    head, alarm, todo = monitor.lines(report(QUIET, ALARM))
    assert head.startswith("1 alarms among 2 signals")
    assert alarm == "  Bias in Mexico: 31.0%, above 20.0% since 2026-09"
    assert todo == "    to do: a retraining run, which has to pass the gate"


def test_an_alarm_retrains_at_most_once_a_day_and_every_decision_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 11, 30, 6, tzinfo=UTC)
    monkeypatch.setattr(monitor, "_now", lambda: now)
    assert monitor.decide("monitor-1", report(QUIET)) == monitor.NOTHING
    assert monitor.decide("monitor-2", report(ALARM)) == monitor.RETRAIN
    assert monitor.decide("monitor-3", report(ALARM)) == monitor.WAIT
    monkeypatch.setattr(monitor, "_now", lambda: now + timedelta(days=1))
    assert monitor.decide("monitor-4", report(ALARM)) == monitor.RETRAIN
    kept = monitor.decisions()
    assert [each["decision"] for each in kept] == ["nothing", "retrain", "wait", "retrain"]
    assert kept[1]["alarms"] == ["bias of Mexico"] and kept[1]["job"] == "monitor-2"
    assert all(each["rule"] for each in kept)


def test_nothing_is_learned_from_an_import_in_doubt() -> None:
    """Sales in another unit look like a model that fails: a new one would learn the unit."""
    both = report(ALARM)
    both["signals"].append({**both["signals"][0], "name": "sales_level", "calls_for": "look"})
    assert monitor.decide("monitor-1", both) == monitor.LOOK
    assert monitor.decisions()[-1]["rule"] == "nothing is learned from an import in doubt: sales_level"
    assert monitor.decide("monitor-2", report(ALARM)) == monitor.RETRAIN, "a look does not count as a retraining"


def test_a_decision_stands_for_its_job() -> None:
    assert monitor.decide("monitor-1", report(ALARM)) == monitor.RETRAIN
    assert monitor.decide("monitor-1", report(ALARM)) == monitor.RETRAIN
    assert len(monitor.decisions()) == 1


def test_an_alarm_that_calls_for_a_look_trains_nothing() -> None:
    assert monitor.decide("monitor-1", report({**ALARM, "calls_for": "look"})) == monitor.NOTHING


def test_the_report_of_a_job_is_the_last_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert monitor.last() is None
    folder = home / "signals"
    folder.mkdir()
    (folder / "signals.json").write_text(json.dumps(report(ALARM)))
    monkeypatch.setattr(azml, "call", lambda *_, **__: {"outputs": {"signals": {"path": str(folder)}}})
    assert monitor.report_of("monitor-1") == report(ALARM)
    known = monitor.last()
    assert known is not None and known[0]["signals"] == [ALARM]

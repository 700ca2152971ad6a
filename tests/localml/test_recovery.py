"""What a killed engine left is taken back, once."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from localml import records, recovery, tracking

GONE = {"pid": 2**22 - 1, "started": 0.0}


@pytest.fixture
def orphan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A job whose engine is gone: one step is done, one was under way."""
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path))
    record = records.create("job-1", "j", "tests", "pipeline")
    record["engine"] = GONE
    record["jobs"] = {"a": {"status": "Completed"}, "b": {"status": "Running", "process": GONE}}
    records.save(record)
    for step in record["jobs"]:
        (records.folder("job-1") / step / "outputs" / "out").mkdir(parents=True)
    return record


def test_a_step_under_way_leaves_no_output_and_what_had_ended_stays(
    orphan: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken_back: list[str] = []
    monkeypatch.setattr(tracking, "rollback", taken_back.append)
    recovery.recover()
    record = records.load("job-1")
    assert record["status"] == "Failed" and "the engine was killed" in record["error"]
    assert [step["status"] for step in record["jobs"].values()] == ["Completed", "Canceled"]
    assert taken_back == ["job-1/b"]
    assert not (records.folder("job-1") / "b" / "outputs").exists()
    assert (records.folder("job-1") / "a" / "outputs" / "out").is_dir()


def test_two_calls_at_once_take_it_back_once(orphan: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow's store has no model to delete for the second, which would be an error."""
    taken_back: list[str] = []

    def rollback(attempt: str) -> None:
        time.sleep(0.2)
        taken_back.append(attempt)

    monkeypatch.setattr(tracking, "rollback", rollback)
    calls = [threading.Thread(target=recovery.recover) for _ in range(3)]
    for call in calls:
        call.start()
    for call in calls:
        call.join()
    assert taken_back == ["job-1/b"]


def test_one_that_was_killed_while_it_took_back_is_followed_by_one_that_does(
    orphan: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tracking, "rollback", killed)
    with pytest.raises(KeyboardInterrupt):
        recovery.recover()
    assert records.load("job-1")["status"] == "Running"
    monkeypatch.setattr(tracking, "rollback", lambda _: None)
    recovery.recover()
    assert records.load("job-1")["jobs"]["b"]["status"] == "Canceled"


def test_a_job_whose_engine_runs_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path))
    records.create("job-2", "j", "tests", "pipeline")
    recovery.recover()
    assert records.load("job-2")["status"] == "Running"

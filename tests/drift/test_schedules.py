"""Drift of schedules: missing, disabled, due at another time, unknown to git."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drift import schedules
from pipeline import azml

SPEC = """name: monthly
trigger: {type: recurrence, frequency: month, interval: 1, time_zone: UTC}
create_job: azureml:train
"""
TRIGGER = {"type": "recurrence", "frequency": "RecurrenceFrequency.MONTH", "interval": 1, "time_zone": "UTC"}
MONTHLY = {"name": "monthly", "is_enabled": True, "trigger": TRIGGER}


@pytest.fixture
def drift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ml" / "pipelines").mkdir(parents=True)
    (tmp_path / "ml" / "pipelines" / "job.yml").write_text("name: job\ntype: pipeline\n")

    def compare(listed: list[dict[str, Any]], spec: str = SPEC, env: str = "dev") -> list[str]:
        if spec:
            (tmp_path / "ml" / "pipelines" / "monthly.yml").write_text(spec)
        monkeypatch.setattr(azml, "call", lambda *words, **_: listed if words == ("schedule", "list") else None)
        monkeypatch.setenv("ENV", env)
        monkeypatch.setenv("AZ_ML", "localml" if env == "local" else "az ml")
        return [str(each) for each in schedules.differences(tmp_path)]

    return compare


def test_a_schedule_that_is_due_when_git_says_has_no_drift(drift: Callable[..., list[str]]) -> None:
    assert drift([MONTHLY]) == []


@pytest.mark.parametrize(
    ("listed", "says"),
    [
        ([], "schedule monthly: is not in dev  -> make schedules ENV=dev, which creates ml/pipelines/monthly.yml"),
        ([{**MONTHLY, "is_enabled": False}], "schedule monthly: is disabled  -> az ml schedule enable --name monthly"),
        ([{**MONTHLY, "trigger": {**TRIGGER, "interval": 3}}], "schedule monthly: interval is 3, git says 1"),
        ([MONTHLY, {"name": "old"}], "schedule old: is not in git"),
    ],
)
def test_each_difference_of_a_schedule_is_one_line(
    listed: list[dict[str, Any]], says: str, drift: Callable[..., list[str]]
) -> None:
    (difference,) = drift(listed)
    assert difference.startswith(says)


def test_a_laptop_need_have_no_schedule(drift: Callable[..., list[str]]) -> None:
    assert drift([], env="local") == []
    assert drift([{**MONTHLY, "name": "other"}], env="local") != []


def test_a_monitor_of_azure_ml_is_asked_for_there_alone(drift: Callable[..., list[str]]) -> None:
    spec = SPEC.replace("create_job: azureml:train", "create_monitor: {compute: {}}")
    assert drift([{**MONTHLY, "name": "other"}], spec, "local") == [
        "schedule other: is not in git  -> bring it into git, or az ml schedule disable --name other"
    ]
    assert drift([], spec, "dev")[0].startswith("schedule monthly: is not in dev")

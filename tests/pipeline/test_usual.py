"""The view of a job says how long its steps usually take: as the last time that they ran."""

from pathlib import Path

import pytest

from localml.view import WHOLE
from pipeline import usual


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path))
    monkeypatch.setenv("ENV", "local")


def step(seconds: float | None, reused: str | None = None) -> dict[str, object]:
    return {"seconds": seconds, "reused_from": reused}


def test_before_the_first_job_nothing_is_known() -> None:
    assert usual.seconds("train-1") == {}


def test_a_job_in_which_every_step_ran_gives_all_seconds_and_the_whole() -> None:
    usual.remember("train-1", {"prepare": step(2.5), "train": step(10.0)}, 13.04)
    assert usual.seconds("train-2") == {"prepare": 2.5, "train": 10.0, WHOLE: 13.0}
    assert usual.seconds("forecast-1") == {}


def test_a_reused_step_keeps_its_seconds_and_the_whole_stays() -> None:
    usual.remember("train-1", {"prepare": step(2.5), "train": step(10.0)}, 13.0)
    usual.remember("train-2", {"prepare": step(0.0, "train-1"), "train": step(8.0)}, 9.0)
    assert usual.seconds("train-3") == {"prepare": 2.5, "train": 8.0, WHOLE: 13.0}


def test_another_environment_has_seconds_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    usual.remember("train-1", {"prepare": step(2.5)}, 3.0)
    monkeypatch.setenv("ENV", "dev")
    assert usual.seconds("train-1") == {}

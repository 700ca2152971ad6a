"""A job that takes longer than a token lives: submitted, followed for a while, asked for its state, canceled."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from amlspec.errors import UserError
from pipeline import azml, last_run, runs, submit, watch

ROOT = Path(__file__).parents[2]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """A service that says what state a job is in, and notes what it is asked."""
    state: dict[str, Any] = {"status": "Running", "calls": []}
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path))
    monkeypatch.setenv("AZ_ML", "az ml")
    monkeypatch.setenv("WATCH_SECONDS", "0.01")

    def call(group: str, verb: str, /, **given: Any) -> Any:
        state["calls"].append((group, verb))
        return {"name": given.get("name"), "status": state["status"]}

    monkeypatch.setattr(azml, "call", call)
    monkeypatch.setattr(azml, "listed", lambda *_, **__: [])
    monkeypatch.setattr(azml, "run", lambda group, verb, **_: state["calls"].append((group, verb)))
    yield state


def test_following_for_some_minutes_ends_well_although_the_job_goes_on(
    service: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert runs.follow("train-1", minutes=0.001) == 0
    assert "train-1 goes on: `make watch JOB=train-1` follows it further" in capsys.readouterr().err
    service["status"] = "Completed"
    assert runs.follow("train-1", minutes=10) == 0


def test_a_job_that_fails_meanwhile_is_a_failure(service: dict[str, Any]) -> None:
    service["status"] = "Failed"
    with pytest.raises(UserError, match="job train-1 is failed") as error:
        runs.follow("train-1", minutes=10)
    assert error.value.exit_code == 1


@pytest.mark.parametrize(
    ("said", "state"), [("Running", "running"), ("JobStatus.COMPLETED", "completed"), ("NotStarted", "notstarted")]
)
def test_the_state_is_one_word_on_either_version_of_the_extension(
    said: str, state: str, service: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    service["status"] = said
    runs.state("train-1")
    assert capsys.readouterr().out == f"{state}\n"


def test_canceling_is_asked_once_and_never_of_a_job_that_has_ended(
    service: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    runs.cancel("train-1")
    assert ("job", "cancel") in service["calls"]
    service["calls"].clear()
    service["status"] = "Completed"
    runs.cancel("train-1")
    assert ("job", "cancel") not in service["calls"]
    assert "has ended already: completed" in capsys.readouterr().out


def test_a_run_that_is_not_waited_for_prints_its_name_last(
    service: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(submit, "submit", lambda job, spec, settings: service["calls"].append((job, spec.name)))
    monkeypatch.setattr(runs, "training_settings", lambda *_: [])
    monkeypatch.setattr(watch, "until_final", lambda *_: pytest.fail("nothing is to be waited for"))
    assert runs.begin_training("store", []) == 0
    assert runs.bring_in({}, waits=False) == 0
    train, imported = capsys.readouterr().out.splitlines()
    assert service["calls"] == [(train, "train.yml"), (imported, "import.yml")]


def test_one_field_of_a_verdict_and_its_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Verdict:
        def as_json(self) -> dict[str, Any]:
            return {"promoted": True, "reasons": ["because"]}

    report = tmp_path / "report"
    report.mkdir()
    (report / "report.html").write_text("page")
    monkeypatch.setattr(last_run, "name", lambda: "train-1")
    monkeypatch.setattr(last_run, "verdict", lambda _job: Verdict())
    monkeypatch.setattr(last_run, "report_folder", lambda _record: report)
    monkeypatch.setattr(azml, "call", lambda *_, **__: {"name": "train-1"})
    runs.verdict("promoted", tmp_path / "out")
    assert capsys.readouterr().out == "true\n"
    assert (tmp_path / "out/report.html").read_text() == "page"
    with pytest.raises(UserError, match="FIELD=error: a verdict has promoted, reasons"):
        runs.verdict("error")

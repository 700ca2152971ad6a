"""What a step records of its run, with a tracking server and without."""

import json
import logging
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from demand import tracking


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setenv("MLFLOW_RUN_CONTEXT", json.dumps({"localml.job": "j1"}))
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    monkeypatch.chdir(tmp_path)
    return MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")


def only_run(client: MlflowClient) -> Run:
    (run,) = client.search_runs(["0"])
    return run


def test_without_a_server_one_line_says_so_and_nothing_is_kept(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with caplog.at_level(logging.INFO), tracking.run("prepare") as tracker:
        tracker.log_metrics({"a": 1.0})
        tracker.log_params({"b": 2})
        tracker.log_file(tmp_path / "absent")
    assert tracker.run_id is None and not tracking.is_on()
    assert [record.getMessage() for record in caplog.records] == [
        "MLFLOW_TRACKING_URI is not set: metrics of prepare are not recorded"
    ]


@pytest.mark.slow
def test_figures_settings_files_and_the_engines_tags_are_kept(server: MlflowClient, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("<p>")
    with tracking.run("evaluate") as tracker:
        tracker.log_metrics({"wape": 0.5, "unknown": None, "broken": float("nan")})
        tracker.log_params({"seed": 7})
        tracker.log_file(tmp_path / "report.html")
    run = only_run(server)
    assert (run.info.run_id, run.info.status, run.info.run_name) == (tracker.run_id, "FINISHED", "evaluate")
    assert run.data.metrics == {"wape": 0.5} and run.data.params == {"seed": "7"}
    assert run.data.tags["localml.job"] == "j1"
    assert [file.path for file in server.list_artifacts(run.info.run_id)] == ["report.html"]


@pytest.mark.slow
def test_a_step_that_fails_leaves_a_failed_run(server: MlflowClient) -> None:
    with pytest.raises(ZeroDivisionError), tracking.run("train"):
        _ = 1 // 0
    assert only_run(server).info.status == "FAILED"

"""`make clean` removes what nothing needs, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from amlspec.errors import UserError
from localml import cleaning


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eight training jobs, each with an output of its own, the newest last; an asset refers to one more output."""
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path))
    for number in range(8):
        job(tmp_path, f"train-{number}", number)
    output(tmp_path, "of-asset")
    asset = tmp_path / "assets/data/sales/1/asset.json"
    asset.parent.mkdir(parents=True)
    asset.write_text(json.dumps({"content": "../../../../outputs/of-asset/sales"}))
    output(tmp_path, "of-nobody")
    return tmp_path


def job(home: Path, name: str, at: int, status: str = "Completed", **more: Any) -> None:
    record = {"name": name, "status": status, "creation_context": {"created_at": f"2026-01-01T00:00:0{at}"}, **more}
    folder = home / "jobs" / name
    folder.mkdir(parents=True)
    output(home, f"of-{name}")
    record.setdefault("jobs", {"step": {"status": "Completed", "outputs": {"x": str(home / f"outputs/of-{name}/x")}}})
    record["engine"] = {"pid": 1, "started": 0}
    (folder / "job.json").write_text(json.dumps(record))


def output(home: Path, name: str) -> None:
    folder = home / "outputs" / name
    folder.mkdir(parents=True)
    (folder / "x").write_bytes(bytes(1000))


def left(home: Path, kind: str) -> set[str]:
    return {path.name for path in (home / kind).iterdir()}


def test_the_newest_jobs_of_a_kind_and_what_assets_refer_to_stay(state: Path) -> None:
    done = cleaning.clean()
    assert left(state, "jobs") == {f"train-{number}" for number in range(3, 8)}
    assert left(state, "outputs") == {"of-asset", *(f"of-train-{number}" for number in range(3, 8))}
    assert (done.jobs, done.outputs) == (3, 4)
    assert done.bytes > 4000


def test_another_kind_has_newest_jobs_of_its_own(state: Path) -> None:
    job(state, "import-1", 0)
    cleaning.clean()
    assert "import-1" in left(state, "jobs")


def test_a_job_whose_step_a_newer_one_reuses_stays_with_its_output(state: Path) -> None:
    outputs = {"x": str(state / "outputs/of-train-0/x")}
    job(state, "train-9", 9, jobs={"step": {"status": "Completed", "reused_from": "train-0", "outputs": outputs}})
    cleaning.clean()
    assert "train-0" in left(state, "jobs")
    assert "of-train-0" in left(state, "outputs")


def test_the_run_that_make_verdict_shows_stays(state: Path) -> None:
    (state / "runs").mkdir()
    (state / "runs/local.json").write_text('{"job": "train-0"}')
    cleaning.clean()
    assert "train-0" in left(state, "jobs")


def test_nothing_is_removed_while_a_job_runs(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job(state, "train-9", 9, status="Running")
    monkeypatch.setattr(cleaning.recovery, "recover", lambda: None)  # its engine lives
    with pytest.raises(UserError, match="job train-9 runs: wait until it has ended"):
        cleaning.clean()
    assert len(left(state, "jobs")) == 9


def test_a_second_time_removes_nothing(state: Path) -> None:
    cleaning.clean()
    assert cleaning.clean() == (0, 0, 0)

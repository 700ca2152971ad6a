"""Timings are those of steps that ran here in full: neither reused, nor forked, nor done by a warehouse."""

import json
from pathlib import Path
from typing import Any

import pytest

from estimate import timings


def job(home: Path, name: str, **changes: Any) -> None:
    """A completed training of which only the aggregation has ended."""
    monthly = home / "outputs" / name
    monthly.mkdir(parents=True)
    (monthly / "rows.json").write_text(json.dumps({"read": 1_000_000, "store_months": 2_000}))
    if changes.pop("pushed_down", False):
        (monthly / "pushed_down.json").write_text("{}")
    step = {"seconds": 3.5, "outputs": {"monthly": str(monthly)}, **changes}
    record = {"display_name": "Train demand forecast", "status": "Completed", "jobs": {"aggregate": step}}
    folder = home / "jobs" / name
    folder.mkdir(parents=True)
    (folder / "job.json").write_text(json.dumps(record))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path))
    return tmp_path


def test_a_step_that_ran_tells_its_size_and_seconds(home: Path) -> None:
    job(home, "train-1")
    (one,) = timings.measured()
    assert (one.node.component, one.seconds, one.size.rows, one.size.series_months) == (
        "aggregate_sales", 3.5, 1_000_000, 2_000
    )  # fmt: skip


@pytest.mark.parametrize("changes", [{"reused_from": "train-0"}, {"forked": True}, {"pushed_down": True}])
def test_a_step_that_did_not_do_all_its_work_here_tells_nothing(home: Path, changes: dict[str, Any]) -> None:
    job(home, "train-1", **changes)
    assert timings.measured() == []

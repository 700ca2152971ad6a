"""Rows that deployments collected: Parquet of the hours that are over, gone when old; what minutes were like."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from amlspec.errors import UserError
from amlspec.serving import Deployment
from localml import collected
from localml.serving.minutes import Minutes, read

NOW = datetime(2026, 12, 1, 10, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path))
    return tmp_path


def put(state: Path, hour: str, rows: int, deployment: str = "blue") -> Path:
    folder = state / "collected/demand" / deployment / "model_outputs" / hour
    folder.mkdir(parents=True)
    lines = (json.dumps({"RequestID": str(number), "TotalSales": 1.5}) for number in range(rows))
    (folder / "a.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def count(state: Path) -> int:
    query = collected.rows("demand", "model_outputs")
    return duckdb.sql(f"select count(*) from ({query})").fetchall()[0][0] if query else 0


def test_an_hour_that_is_over_becomes_parquet_and_no_row_is_lost(state: Path) -> None:
    over, running = put(state, "2026/12/01/09", 3), put(state, "2026/12/01/10", 2, "green")
    collected.tidy(NOW)
    assert [path.name for path in over.iterdir()] == ["rows.parquet"]
    assert [path.name for path in running.iterdir()] == ["a.jsonl"]
    assert count(state) == 5
    query = collected.rows("demand", "model_outputs")
    assert duckdb.sql(f"select distinct Deployment from ({query}) order by 1").fetchall() == [("blue",), ("green",)]


def test_a_call_that_was_killed_leaves_the_lines(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = put(state, "2026/12/01/09", 3)
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        collected.tidy(NOW)
    monkeypatch.undo()
    monkeypatch.setenv("LOCALML_HOME", str(state))
    assert count(state) == 3
    collected.tidy(NOW)
    assert (count(state), [path.suffix for path in folder.iterdir() if path.suffix != ".half"]) == (3, [".parquet"])


def test_a_call_that_was_killed_after_the_parquet_counts_no_row_twice(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = put(state, "2026/12/01/09", 3)
    (folder / "b.jsonl").write_text('{"RequestID": "9", "TotalSales": 1.5}\n')
    unlink = Path.unlink
    monkeypatch.setattr(Path, "unlink", lambda path: (_ for _ in ()).throw(KeyboardInterrupt)
                        if path.name == "b.jsonl" else unlink(path))  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        collected.tidy(NOW)
    monkeypatch.undo()
    monkeypatch.setenv("LOCALML_HOME", str(state))
    assert count(state) == 4
    collected.tidy(NOW)
    assert (count(state), [path.name for path in folder.iterdir()]) == (4, ["rows.parquet"])


def test_what_is_older_than_the_policy_says_goes(state: Path) -> None:
    old, young = put(state, "2026/09/01/09", 1), put(state, "2026/09/05/09", 1)
    assert collected.retention_days(Path("ml/deploy/collected.yml")) == 90
    collected.tidy(NOW)
    assert not old.exists() and young.exists()


@pytest.mark.parametrize("text", ["retention_days: 0\n", "retention_days: ten\n", "retention_days: 5\nmore: 1\n"])
def test_a_policy_that_says_nothing_of_use_is_refused(state: Path, text: str) -> None:
    (state / "collected.yml").write_text(text)
    with pytest.raises(UserError, match=r"collected\.yml:\d: (retention_days is|collected rows have)"):
        collected.retention_days(state / "collected.yml")


def test_a_deployment_says_what_is_collected_and_how_much_of_it(state: Path) -> None:
    given: dict[str, Any] = {
        "name": "blue", "endpoint_name": "demand", "model": "azureml:m:1", "environment": "azureml:e:1",
        "code_configuration": {"code": ".", "scoring_script": "score.py"},
    }  # fmt: skip
    assert collected.variables(Deployment.model_validate(given)) == {}
    on = {"collections": {"model_inputs": {"enabled": "true"}, "model_outputs": {"enabled": "false"}},
          "sampling_rate": 0.2}  # fmt: skip
    assert collected.variables(Deployment.model_validate(given | {"data_collector": on})) == {
        "DEMAND_COLLECT": str(state / "collected/demand/blue"),
        "DEMAND_COLLECT_RATE": "0.2",
        "DEMAND_COLLECT_OF": "model_inputs",
    }


def test_a_minute_is_a_line_with_number_errors_and_time(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1_800_000_000.0]
    monkeypatch.setattr(time, "time", lambda: clock[0])
    minutes = Minutes(state)
    for number in range(100):
        minutes.add("blue", number / 1000, failed=number < 3)
    clock[0] += 60
    minutes.add("green", 0.5, failed=False)
    minutes.write()
    with (state / "minutes.jsonl").open("a") as stream:
        stream.write('{"minute": 1')  # cut by a crash
    first, second = read(state)
    assert (first.deployment, first.requests, first.errors, first.p95_ms) == ("blue", 100, 3, 94.0)
    assert (second.deployment, second.requests, second.minute - first.minute) == ("green", 1, 60)


def test_the_file_of_minutes_does_not_grow_without_end(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localml.serving.minutes.MAX_BYTES", 1000)
    minutes = Minutes(state)
    for _ in range(100):
        minutes.add("blue", 0.01, failed=False)
        minutes.write()
    assert (state / "minutes.jsonl").stat().st_size < 1200
    assert len(list(read(state))) > 3

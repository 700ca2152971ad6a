"""What the endpoint keeps of requests: off their path, with an id that joins both sides, and nothing personal."""

import json
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from demand.collecting import CAPACITY, Collectors, FileSink, sink_of
from demand.contract import load_contract
from demand.errors import StepError
from demand.months import month_of

MONTH = month_of("2026-12")
ROW = {"StoreID": "S001", "Month": MONTH, "Price": 4.5, "Customer": "Ann"}
ANSWER = {"StoreID": "S001", "MonthYear": "2026-12", "TotalSales": 10.0, "P10": 8.0, "P90": 12.0,
          "flags": ["no_recent_sales"], "because": ["x"]}  # fmt: skip


class Broken:
    """A collector that is not there."""

    def write(self, asked: Any, answered: Any) -> None:
        raise ConnectionError("nobody listens")


def kept(folder: Path, collection: str) -> list[dict[str, Any]]:
    lines = [path.read_text().splitlines() for path in sorted(folder.glob(f"{collection}/*/*/*/*/*.jsonl"))]
    return [json.loads(line) for each in lines for line in each]


def test_both_sides_of_an_answer_are_kept_under_one_id_without_what_is_personal(tmp_path: Path) -> None:
    collectors = Collectors(FileSink(tmp_path), ["Customer"])
    collectors.collect([ROW, ROW], [ANSWER, ANSWER])
    collectors.collect([ROW], [ANSWER])
    collectors.flush()
    asked, answered = kept(tmp_path, "model_inputs"), kept(tmp_path, "model_outputs")
    assert [row["RequestID"] for row in asked] == [row["RequestID"] for row in answered]
    assert Counter(Counter(row["RequestID"] for row in asked).values()) == {2: 1, 1: 1}
    assert {key: value for key, value in asked[0].items() if not key.startswith("Request")} == {
        "MonthYear": "2026-12", "StoreID": "S001", "Price": 4.5,
    }  # fmt: skip
    assert {key: value for key, value in answered[0].items() if not key.startswith("Request")} == {
        "StoreID": "S001", "MonthYear": "2026-12", "TotalSales": 10.0, "P10": 8.0, "P90": 12.0,
        "flags": "no_recent_sales",
    }  # fmt: skip


def test_a_sample_takes_whole_requests(tmp_path: Path) -> None:
    collectors = Collectors(FileSink(tmp_path, 0.5))
    for _ in range(400):
        collectors.collect([ROW, ROW], [ANSWER, ANSWER])
    collectors.flush()
    asked = Counter(row["RequestID"] for row in kept(tmp_path, "model_inputs"))
    assert 120 < len(asked) < 280 and set(asked.values()) == {2}
    assert asked == Counter(row["RequestID"] for row in kept(tmp_path, "model_outputs"))


def test_a_collector_that_fails_is_a_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    collectors = Collectors(Broken())
    collectors.collect([ROW], [ANSWER])
    collectors.flush()
    assert "nobody listens" in caplog.text


def test_a_personal_key_is_in_neither_side(tmp_path: Path) -> None:
    collectors = Collectors(FileSink(tmp_path), ["StoreID"])
    collectors.collect([ROW], [ANSWER])
    collectors.flush()
    (asked,), (answered,) = kept(tmp_path, "model_inputs"), kept(tmp_path, "model_outputs")
    assert "StoreID" not in asked and "StoreID" not in answered


def test_an_answer_of_another_shape_is_a_line_of_the_log_and_the_next_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    collectors = Collectors(FileSink(tmp_path))
    collectors.collect([ROW], [{"StoreID": "S001"}])
    collectors.flush()
    assert "data collector: 'flags'" in caplog.text
    collectors.collect([ROW], [ANSWER])
    collectors.flush()
    assert len(kept(tmp_path, "model_outputs")) == 1


def test_what_nobody_takes_away_is_bounded() -> None:
    collectors = Collectors(Broken())
    for _ in range(CAPACITY + 10):
        collectors.collect([ROW], [ANSWER])
    assert len(collectors._waiting) == CAPACITY


def test_a_thread_hands_on_what_came(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demand.collecting.EVERY", 0.01)
    monkeypatch.setattr("atexit.register", lambda _: None)
    collectors = Collectors(FileSink(tmp_path)).start()
    collectors.collect([ROW], [ANSWER])
    wait = threading.Event()
    for _ in range(500):
        if kept(tmp_path, "model_outputs"):
            break
        wait.wait(0.01)
    assert len(kept(tmp_path, "model_outputs")) == 1


def test_where_rows_go_is_said_by_the_deployments_environment(tmp_path: Path) -> None:
    assert sink_of({}) is None
    sink = sink_of({"DEMAND_COLLECT": str(tmp_path), "DEMAND_COLLECT_RATE": "0.1", "DEMAND_COLLECT_OF": "model_inputs"})
    assert isinstance(sink, FileSink)
    assert (sink.folder, sink.rate, sink.collections) == (tmp_path, 0.1, ["model_inputs"])


def test_whether_a_column_is_personal_is_true_or_false(tmp_path: Path) -> None:
    contract = tmp_path / "contract.yml"
    contract.write_text("columns:\n  - {name: Customer, type: string, personal: true}\n")
    assert load_contract(contract).columns[0].personal is True
    contract.write_text("columns:\n  - {name: Customer, type: string, personal: maybe}\n")
    with pytest.raises(StepError, match="`personal` is true or false"):
        load_contract(contract)

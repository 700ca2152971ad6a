"""Signals of the endpoint: errors, time and flags of the last day, and nothing of an endpoint that nobody asked."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from localml.serving.minutes import Minute
from pipeline import azml, endpoint_signals


@pytest.fixture
def endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An endpoint with these minutes; rows that were collected of it are below `tmp_path`."""
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path))
    monkeypatch.delenv("ENDPOINT", raising=False)

    def with_minutes(*minutes: Minute) -> dict[str, float | None]:
        monkeypatch.setattr(azml, "minutes", lambda _: list(minutes))
        return {each.name: each.value for each in endpoint_signals.signals("store")}

    return with_minutes


def collect(home: Path, flags: list[str], at: datetime) -> None:
    folder = home / "collected/demand-forecast/blue/model_outputs" / f"{at:%Y/%m/%d/%H}"
    folder.mkdir(parents=True)
    rows = ({"RequestID": "a", "RequestTime": at.isoformat(), "flags": each} for each in flags)
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


NOW = int(time.time())


def test_errors_time_and_flags_are_those_of_the_last_day(endpoint: Any, tmp_path: Path) -> None:
    collect(tmp_path, ["unknown_store"] * 5 + [""] * 15, datetime.now(UTC))
    seen = endpoint(
        Minute(NOW - 60, "blue", 90, 9, 10.0), Minute(NOW, "green", 10, 0, 110.0),
        Minute(NOW - 90_000, "blue", 1000, 1000, 9999.0),
    )  # fmt: skip
    assert seen == {"endpoint_errors": 0.09, "endpoint_p95_ms": 20.0, "endpoint_flagged": 0.25}


def test_of_too_few_requests_or_rows_nothing_is_said(endpoint: Any, tmp_path: Path) -> None:
    assert endpoint() == {} and endpoint(Minute(NOW, "blue", 9, 9, 1.0)) == {}
    collect(tmp_path, ["unknown_store"] * 9, datetime.now(UTC))
    assert endpoint(Minute(NOW, "blue", 90, 0, 10.0))["endpoint_flagged"] is None

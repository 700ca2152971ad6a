"""`make status` is one screen: each fact in words, one that cannot be had beside the others, and the verb to call."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from amlspec.errors import UserError
from host.state import write_json
from overview import facts, screen
from pipeline import azml, last_forecast

TODAY = datetime.now(UTC)
EVERYTHING: dict[str, Any] = {
    "environment": "local",
    "data": {"version": "3", "imported": str(TODAY.date() - timedelta(days=40)), "rows": 5000, "source": "a.csv"},
    "run": {"name": "train-1", "status": "completed", "began": TODAY.isoformat(), "promoted": False,
            "selected": "booster", "wape": 0.156, "warnings": 2},
    "champion": {"model": "demand-forecast", "version": "7", "candidate": "blend", "wape": 0.16,
                 "since": (TODAY - timedelta(days=1)).isoformat(), "warning": None},
    "endpoint": {"name": "demand-forecast", "state": "serving", "address": "http://127.0.0.1:5/score", "deployments": [
        {"deployment": "blue", "model": "demand-forecast:7", "traffic": 100, "healthy": True, "stable": True}]},
    "forecast": {"job": "forecast-1", "at": TODAY.isoformat(), "folder": "/tmp/f"},
    "alarms": {"as_of": "2026-11-30", "alarms": [
        {"name": "bias", "scope": "Mexico", "value": 0.31, "limit": 0.2, "since": "2026-09"}]},
    "warehouse": {"runs": False, "port": None},
    "disk": {"folder": ".localml", "bytes": 25_400_000},
}  # fmt: skip


def shown(**changed: dict[str, Any]) -> str:
    merged = {
        name: {**each, **changed.get(name, {})} if isinstance(each, dict) else each for name, each in EVERYTHING.items()
    }
    return screen.text(merged, "python -m localml", "ml/deploy/sample-request.json")


def test_every_fact_has_its_line() -> None:
    text = shown()
    for line in (
        "sales version 3, imported 40 days ago, ",
        "5,000 rows of a.csv",
        "booster, WAPE 15.6% one month ahead: not promoted, 2 warnings",
        "demand-forecast version 7 (blend, WAPE 16.0%), since yesterday, ",
        "blue: demand-forecast:7, 100 % of the traffic, healthy, to fall back to",
        "Forecast   forecast-1, today",
        "Alarms     Bias in Mexico: 31.0%, above 20.0% since 2026-09",
        "stopped: the next import starts it",
        "25 MB in .localml",
    ):
        assert line in text
    assert max(len(line) for line in text.splitlines() if "curl" not in line) < 100


def test_the_curl_line_names_the_way_to_the_key_and_not_the_key() -> None:
    (line,) = [line for line in shown().splitlines() if "curl" in line]
    assert '-H @<(echo "Authorization: Bearer $(python -m localml online-endpoint get-credentials' in line


@pytest.mark.parametrize(
    ("changed", "verb"),
    [
        ({"champion": {"version": None}}, "make run-pipeline"),
        ({"endpoint": {"deployments": [], "state": "none"}}, "make deploy"),
        ({"champion": {"version": "8"}}, "make deploy"),
        ({"forecast": {"job": None}}, "make forecast"),
        ({}, "make predict"),
    ],
)
def test_the_last_line_is_the_verb_to_call_now(changed: dict[str, Any], verb: str) -> None:
    assert shown(**changed).splitlines()[-1] == f"Next       {verb}"


def test_a_fact_that_cannot_be_had_is_said_beside_the_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path))
    monkeypatch.setenv("ENV", "local")

    def answer(group: str, *_: str, **__: Any) -> list[Any]:
        if group == "model":
            raise UserError("the store is of another version", 1)
        return []

    monkeypatch.setattr(azml, "call", answer)
    known = facts.gather("store")
    assert known["champion"] == {"error": "the store is of another version"}
    assert known["endpoint"]["state"] == "none"
    assert "Champion   not known: the store is of another version" in screen.text(known, "az ml", "x.json")


def test_the_last_forecast_is_the_one_of_its_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path))
    monkeypatch.setenv("ENV", "dev")
    last_forecast.remember("forecast-1", tmp_path)
    assert (last_forecast.note() or {})["job"] == "forecast-1"
    assert last_forecast.folder() == tmp_path
    monkeypatch.setenv("ENV", "local")
    assert last_forecast.note() is None
    write_json(tmp_path / "runs/local.forecast.json", {"job": "f", "at": "x", "folder": str(tmp_path / "gone")})
    assert last_forecast.folder() is None

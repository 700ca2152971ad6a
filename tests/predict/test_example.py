"""Without a store, `make predict` asks for the one that sells most, from the champion or the last forecast."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amlspec.errors import UserError
from demand.months import month_of
from demand.state import State
from pipeline import azml, last_forecast
from predict import example

ROWS = "StoreID,MonthYear,TotalSales\nS2,2026-11,30\nS1,2026-11,50\nS1,2026-12,60\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ENV", "local")
    return tmp_path


def registered(monkeypatch: pytest.MonkeyPatch, *versions: dict[str, Any]) -> None:
    monkeypatch.setattr(azml, "call", lambda *_, **__: list(versions))


def test_the_champion_knows_its_stores_and_the_first_month_ahead(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "model/endpoint").mkdir(parents=True)
    sales = np.array([[1.0, 2.0], [5.0, np.nan], [3.0, 1.0]])
    first = month_of("2026-09")
    assert first is not None
    State(("StoreID",), np.array(["A", "B", "C"]), first, sales, _texts(3), _numbers(3)).save(
        home / "model/endpoint/history.npz"
    )
    registered(monkeypatch, {"version": "1", "path": str(home / "model"), "tags": {"a": "b"}})
    assert example.pick("store", None) == ("B", "2026-11", {})
    assert example.pick("store", "2027-03").month == "2027-03"


def test_where_the_model_is_not_here_the_last_forecast_knows(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registered(monkeypatch, {"version": "1", "path": "azureml://somewhere", "tags": {"a": "b"}})
    (home / "forecasts.csv").write_text(ROWS, encoding="utf-8-sig")
    last_forecast.remember("forecast-1", home)
    assert example.pick("store", None) == ("S1", "2026-11", {})


def test_with_neither_the_question_is_asked_back(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registered(monkeypatch, {"version": "1", "tags": {"a": "b"}})
    with pytest.raises(UserError, match="which store and month"):
        example.pick("store", None)


def test_before_the_first_model_the_verb_that_makes_one_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registered(monkeypatch)
    with pytest.raises(UserError, match="`make run-pipeline` makes one"):
        example.pick("store", None)


def _texts(count: int) -> dict[str, Any]:
    return {name: np.array([""] * count) for name in ("Country", "City")}


def _numbers(count: int) -> dict[str, Any]:
    return {"Price": np.full(count, np.nan)}

"""What a server maps from files is what it would have worked out, for every month and series, to the last bit."""

import errno
import json
import shutil
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demand import direct
from demand.ahead import Ahead
from demand.direct import DirectForecaster, load_forecaster
from demand.ensemble import Ensemble
from demand.explain import explain
from demand.panel import Panel
from demand.state import State
from forecasting.packing import read_metadata
from helpers_models import direct_models

pytestmark = pytest.mark.slow  # learns models
NAMES = ("profile", "booster", "blend")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    direct_models(root)
    return root


def in_memory(folder: Path) -> DirectForecaster:
    """The same model as one of before there were such files."""
    state, panel = State.load(folder / "endpoint/history.npz"), Panel.load(folder / "endpoint/panel.npz")
    return DirectForecaster(folder, read_metadata(folder), state, panel)


def rows(forecaster: DirectForecaster) -> list[dict[str, Any]]:
    state = forecaster.state
    stores = [*map(str, state.keys), "never seen"]
    months = [*range(state.first_month, state.first_month + 3), *range(state.last_month - 2, state.last_month + 9)]
    asked: list[dict[str, Any]] = [
        {"StoreID": store, "Month": month} for store, month in product(stores, [*months, state.last_month + 60])
    ]
    plans = ({}, {"Price": 2.5}, {"Promotion": True, "Holiday": False})
    return [{**row, **plans[number % 3]} for number, row in enumerate(asked)]


@pytest.mark.parametrize(("name", "at_once"), list(product(NAMES, (10_000, 2))))
def test_forecasts_are_the_same(models: Path, monkeypatch: pytest.MonkeyPatch, name: str, at_once: int) -> None:
    wanted = in_memory(models / name)
    asked = rows(wanted)
    answers = wanted.forecast(asked)
    monkeypatch.setattr(direct, "SERIES_AT_ONCE", at_once)
    mapped = load_forecaster(models / name, read_metadata(models / name))
    assert mapped.forecast(asked) == answers
    assert [mapped.forecast([row])[0] for row in asked[::7]] == answers[::7]
    assert explain(mapped, asked[::31]) == explain(wanted, asked[::31])


def test_only_a_row_with_a_plan_asks_a_booster(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mapped = load_forecaster(models / "booster", read_metadata(models / "booster"))
    row = {"StoreID": "S001", "Month": mapped.state.last_month + 2}

    def never(*_: Any) -> None:
        raise AssertionError("the booster was asked")

    monkeypatch.setattr(Ensemble, "predict_one", never)
    monkeypatch.setattr(Ensemble, "predict", never)
    assert mapped.forecast([row, row]) == mapped.forecast([row]) * 2
    for asked in ([{**row, "Promotion": True}], [row, {**row, "Price": 2.5}]):
        with pytest.raises(AssertionError, match="was asked"):
            mapped.forecast(asked)


def test_files_of_before_they_had_the_forecasts_of_boosters_are_not_read(models: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(models / "booster", tmp_path / "booster")
    now = load_forecaster(folder, read_metadata(folder))
    asked = [{"StoreID": "S001", "Month": now.state.last_month + ahead} for ahead in (1, 2)]
    wanted = now.forecast(asked)
    file = folder / "endpoint/ahead.json"
    earlier = json.loads(file.read_text())
    del earlier["parts"]
    file.write_text(json.dumps(earlier))
    (folder / "endpoint/ahead.units.npy").unlink()
    assert load_forecaster(folder, read_metadata(folder)).forecast(asked) == wanted


def test_the_arrays_are_mapped_and_the_panel_is_not_read(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("the panel was read")

    monkeypatch.setattr(Panel, "load", never)
    monkeypatch.setattr(State, "load", never)
    mapped = load_forecaster(models / "blend", read_metadata(models / "blend"))
    assert mapped.forecast([{"StoreID": "S001", "Month": mapped.state.last_month + 1}])[0].sales > 0
    kept = Ahead.read(models / "blend/endpoint")
    assert isinstance(kept.arrays.x.base, np.memmap) and not kept.arrays.x.flags.writeable
    assert kept.arrays.x.shape[:3] == (1, 6, len(kept.arrays.keys) + 1)


def test_where_a_mount_lets_no_file_be_mapped_the_arrays_are_read(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = Ahead.read(models / "blend/endpoint").arrays.x

    def refused(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENODEV, "No such device")

    monkeypatch.setattr(np, "memmap", refused)
    monkeypatch.setattr(np.lib.format, "open_memmap", refused)
    read = Ahead.read(models / "blend/endpoint").arrays.x
    np.testing.assert_array_equal(read, wanted)
    assert read.flags.writeable, "it is mapped all the same"


def test_a_panel_of_some_series_is_that_of_the_file(models: Path) -> None:
    kept, whole = Ahead.read(models / "blend/endpoint"), Panel.load(models / "blend/endpoint/panel.npz").with_stranger()
    places = np.array([0, 3, len(whole.keys) - 1])
    some, wanted = kept.panel(places), whole.of_series(places)
    for name in ("keys", "sales", "weekdays", "days"):
        np.testing.assert_array_equal(getattr(some, name), getattr(wanted, name))
    for name, values in wanted.plans.items():
        np.testing.assert_array_equal(some.plans[name], values)


@pytest.mark.parametrize("usual", [0.0, np.nan, 1e-300])
def test_a_price_that_nothing_can_be_divided_by_is_left_out(models: Path, usual: float) -> None:
    folder = models / "booster"
    state, panel = State.load(folder / "endpoint/history.npz"), Panel.load(folder / "endpoint/panel.npz")
    panel.plans["Price"][:] = usual
    forecaster = DirectForecaster(folder, read_metadata(folder), state, panel)
    row = {"StoreID": "S001", "Month": state.last_month + 1}
    priced = {**row, "Price": 4.5}
    assert forecaster.forecast([priced]) == forecaster.forecast([priced, priced])[:1]
    assert np.isfinite(forecaster.forecast([priced])[0].sales)

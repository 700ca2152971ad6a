"""The explorer's data: every series and total, within its size, and nothing that a name could run."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demand.direct import load_forecaster
from demand.forecaster import Forecaster
from forecasting import packing
from helpers_models import direct_models, everything_of, forest_model
from planning.batch import asked_rows
from planning.explorer import grid, page
from planning.explorer.page import Batch

pytestmark = pytest.mark.slow  # learns models
HORIZON = 4
MODEL = {"name": "demand-forecast", "version": "7"}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    direct_models(root)
    forest_model(root / "history")
    return root


def loaded(models: Path, name: str) -> Forecaster:
    return load_forecaster(models / name, packing.read_metadata(models / name))


def batch(forecaster: Forecaster) -> Batch:
    rows = asked_rows(forecaster.state, HORIZON, {})
    names = forecaster.state.texts["Country"].tolist()
    countries = [names[forecaster.series(row)] or None for row in rows]
    return Batch(rows, forecaster.forecast(rows), countries, HORIZON)


def rendered(models: Path, name: str) -> tuple[str, dict[str, Any]]:
    forecaster = loaded(models, name)
    known = batch(forecaster)
    text = page.render(models / name, forecaster, known, MODEL, everything_of(known))
    embedded = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert embedded
    return text, json.loads(embedded[1])


@pytest.mark.parametrize("name", ["profile", "booster", "blend", "history"])
def test_every_store_is_there_and_the_totals_are_their_sums(models: Path, name: str) -> None:
    text, data = rendered(models, name)
    forecaster = loaded(models, name)
    assert [each["key"] for each in data["series"]] == sorted([str(key)] for key in forecaster.state.keys)
    sums = {each["name"]: np.array(each["forecast"]) for each in data["totals"]}
    shown = np.array([each["forecast"] for each in data["series"]])
    np.testing.assert_allclose(sums["All"], shown.sum(axis=0))
    of_countries = sum(values for country, values in sums.items() if country != "All")
    np.testing.assert_allclose(of_countries, sums["All"])
    assert len(data["ahead"]) == HORIZON and data["ahead"][0] > data["past"][-1]
    assert "demand-forecast version 7" in text
    assert len(text.encode()) < 1_000_000


def test_what_has_no_room_is_counted_and_stays_in_the_totals(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, whole = rendered(models, "blend")
    monkeypatch.setattr(page, "MAX_BYTES", 10_000)
    text, data = rendered(models, "blend")
    assert 0 < len(data["series"]) < len(whole["series"])
    left = len(whole["series"]) - len(data["series"])
    assert f"for {left} more there is no room" in text
    assert data["totals"] == whole["totals"]
    kept = {each["key"][0] for each in data["series"]}
    units = {each["key"][0]: sum(each["forecast"]) for each in whole["series"]}
    assert min(units[name] for name in kept) >= max(units[name] for name in units.keys() - kept)


def test_a_forest_is_asked_for_no_more_rows_than_allowed(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = grid.axes_of(loaded(models, "history").metadata["features"]).size
    assert size == 63
    monkeypatch.setattr(grid, "MAX_ROWS", 2 * HORIZON * size)
    assert len(rendered(models, "history")[1]["series"]) == 2


def test_a_name_ends_no_script_and_a_series_without_price_has_none(models: Path) -> None:
    forecaster = loaded(models, "blend")
    made = batch(forecaster)
    hostile = made._replace(countries=["</script><script>broken=1</script>"] * len(made.rows))
    text = page.render(models / "blend", forecaster, hostile, {"name": "<b>", "version": "1"}, everything_of(hostile))
    assert "<script>broken" not in text and "<b>" not in text
    _, data = rendered(models, "blend")
    prices = {each["key"][0]: each["price"] for each in data["series"]}
    assert prices["S003"] is None and prices["S001"] > 0


def test_drivers_are_in_words_and_left_out_beyond_the_first_series(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "MAX_EXPLAINED", 3)
    _, data = rendered(models, "booster")
    explained = [each["drivers"] for each in data["series"] if each["drivers"] is not None]
    assert len(explained) == 3
    assert any("sales of the last months" in words for each in explained for words, _ in each)

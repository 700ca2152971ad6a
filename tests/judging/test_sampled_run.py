"""A run that learns from a sample of the series: its model knows and forecasts every one of them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from demand.direct import load_forecaster
from forecasting import direct, prepare
from forecasting import train as train_step
from forecasting.packing import load, read_metadata
from helpers_sales import CONTRACT, REPO, monthly_sales
from judging import evaluate

pytestmark = pytest.mark.slow  # fits models
STORES, SAMPLE = 300, 100


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of the steps prepare, direct (profile and booster), train and evaluate."""
    folder = tmp_path_factory.mktemp("sampled")
    (folder / "monthly").mkdir()
    rows = monthly_sales(stores=STORES, months=26)
    rows.to_parquet(folder / "monthly/monthly.parquet")
    (folder / "monthly/rows.json").write_text('{"read": 9, "quarantined": 0}')
    given = [f"--train={folder / 'train'}", f"--holdout={folder / 'holdout'}"]
    most = [f"--monthly={folder / 'monthly'}", f"--max-series={SAMPLE}", "--holdout-months=4"]
    assert prepare.main([*given, *most]) == 0
    for name in ("profile", "booster"):
        flags = [f"--candidate={name}", f"--kind={name}", f"--model={folder / name}", "--max-iter=20"]
        assert direct.main([*given, *flags]) == 0
    forest = ["--candidate=history", "--features=history", "--n-estimators=10", f"--model={folder / 'history'}"]
    assert train_step.main([*given, *forest]) == 0
    judged = [f"--candidate={folder / name}" for name in ("profile", "booster", "history")]
    flags = [f"--verdict={folder / 'verdict'}", f"--selected={folder / 'selected'}", "--model-name=demand-forecast"]
    assert evaluate.main([*given, *judged, *flags, f"--contract={CONTRACT}", f"--gate={REPO / 'ml/gate.yml'}"]) == 0
    return folder


def test_learned_from_are_some_series_and_the_verdict_says_so(run: Path) -> None:
    learned = pd.read_parquet(run / "train/train.parquet")["StoreID"].nunique()
    assert SAMPLE <= learned <= SAMPLE + 12
    (warning,) = json.loads((run / "verdict/verdict.json").read_text())["warnings"]
    assert warning["step"] == "prepare"
    assert warning["message"].startswith(f"Learned from and judged by {learned} of {STORES} series, drawn by country")


@pytest.mark.parametrize("name", ["profile", "booster", "selected"])
def test_every_series_is_known_to_the_model_and_forecast(run: Path, name: str) -> None:
    state = load_forecaster(run / "selected", read_metadata(run / "selected")).state
    forecaster = load_forecaster(run / name, read_metadata(run / name), state)
    assert len(state.keys) == STORES
    asked = [{"StoreID": str(key), "Month": state.last_month + 1} for key in state.keys]
    made = forecaster.forecast(asked)
    assert not any(each.flags for each in made)
    usual = {str(key): float(np.nanmean(sales[-12:])) for key, sales in zip(state.keys, state.sales, strict=True)}
    ratios = [each.sales / usual[row["StoreID"]] for row, each in zip(asked, made, strict=True)]
    assert min(ratios) > 0.4 and max(ratios) < 2.5


def test_the_saved_model_itself_knows_every_series(run: Path) -> None:
    model = load(run / "booster").model
    learned = set(pd.read_parquet(run / "train/train.parquet")["StoreID"])
    (stranger,) = model.predict(pd.DataFrame({"StoreID": ["nobody"], "MonthYear": ["2024-03"]}))
    others = sorted({f"S{number:03d}" for number in range(STORES)} - learned)[:20]
    known = model.predict(pd.DataFrame({"StoreID": others, "MonthYear": "2024-03"}))
    assert not np.isclose(known, stranger).any()

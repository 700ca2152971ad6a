"""The evaluate step as a component runs it: the verdict's shape, its figures, and what ends it."""

import argparse
import json
import re
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from demand import tracking
from demand.errors import StepError
from demand.steps import run
from forecasting import direct, export
from forecasting import train as train_step
from forecasting.baselines import NAMES
from forecasting.candidates import BACKTEST, load_all
from forecasting.features import state_of
from forecasting.packing import read_metadata
from forecasting.prepare import add_features, split
from helpers_sales import CONTRACT, REPO, monthly_sales
from judging.evaluate import main

pytestmark = pytest.mark.slow  # fits real forests

WARNING = {"step": "aggregate", "message": "2024-02 is incomplete"}
COUNTS = {"read": 900, "quarantined": 3, "train": 1, "holdout": 1}
QUALITY = {"by_rule": {"Price below 0": 3}, "partial_months": ["2024-07"]}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders train, holdout, contextual, history and profile, as the steps before write them."""
    folder = tmp_path_factory.mktemp("inputs")
    train, holdout = split(add_features(monthly_sales(stores=20, months=30)), 7)
    for name, rows in (("train", train), ("holdout", holdout)):
        (folder / name).mkdir()
        rows.to_parquet(folder / name / f"{name}.parquet")
    (folder / "train/rows.json").write_text(json.dumps({**COUNTS, **QUALITY, "warnings": [WARNING]}))
    given = [f"--train={folder / 'train'}", f"--holdout={folder / 'holdout'}"]
    for name in ("contextual", "history"):
        flags = [f"--candidate={name}", f"--features={name}", "--n-estimators=10", f"--model={folder / name}"]
        assert train_step.main([*given, *flags]) == 0
    assert direct.main([*given, "--candidate=profile", "--kind=profile", f"--model={folder / 'profile'}"]) == 0
    return folder


@pytest.fixture
def step(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def call(
        *more: str,
        train: Path = inputs / "train",
        holdout: Path = inputs / "holdout",
        candidates: tuple[str, ...] = ("contextual", "history", "profile"),
    ) -> Path:
        flags = [f"--train={train}", f"--holdout={holdout}", f"--verdict={tmp_path / 'verdict'}"]
        flags += ["--model-name=demand-forecast", f"--contract={CONTRACT}", f"--gate={REPO / 'ml/gate.yml'}"]
        flags += [f"--selected={tmp_path / 'selected'}", *(f"--candidate={inputs / name}" for name in candidates)]
        assert main([*flags, *more]) == 0
        return tmp_path

    return call


def verdict_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "verdict/verdict.json").read_text())
    return content


def test_verdict_has_the_shape_that_others_rely_on(step: Callable[..., Path]) -> None:
    verdict = verdict_of(step())
    figures = {"one_step", "multi_step", "coverage_p10_p90"}
    assert verdict["selected"] in verdict["candidates"] and verdict["model"] is None and verdict["champion"] is None
    assert isinstance(verdict["promoted"], bool) and verdict["reasons"]
    assert set(verdict["candidates"]) == {"contextual", "history", "profile"}
    assert set(verdict["baselines"]) == set(NAMES) == set(verdict["p_values"])
    for entry in [*verdict["candidates"].values(), *verdict["baselines"].values()]:
        assert figures <= set(entry)
        assert set(entry["one_step"]) == set(entry["multi_step"]) == {"wape", "mae", "rmse", "r2"}
        assert {"bias", "mase", "rmsse", "pinball_p10", "wape_low", "wape_high"} <= set(entry["further"])
    assert verdict["rows"] == COUNTS
    assert verdict["warnings"] == [WARNING]
    assert verdict["quality"] == QUALITY
    assert set(verdict["effects"]) == {"promotion", "price_up_10_percent"} and verdict["changes"] == []
    assert set(verdict["by_country"]) == {"Canada", "Mexico", "United States"}
    assert {"small stores", "large stores", "promotion months"} <= set(verdict["by_segment"])


def test_figures_are_those_of_the_forecasts_written_beside_them(step: Callable[..., Path]) -> None:
    folder = step()
    verdict, table = verdict_of(folder), pd.read_parquet(folder / "verdict/forecasts.parquet")
    assert table["Judged"].all() and (table["Origin"] < table["Month"]).all()
    for name, rows in table.groupby("Model"):
        entry = {**verdict["candidates"], **verdict["baselines"]}[name]
        near = rows[rows["Horizon"] == 1]
        for kind, part in (("one_step", near), ("multi_step", rows)):
            for suffix, column in (("", "Forecast"), ("_with_plan", "Planned")):
                missed = (part["Actual"] - part[column]).abs()
                figures = entry[f"{kind}{suffix}"]
                assert figures["wape"] == pytest.approx(missed.sum() / part["Actual"].abs().sum())
                assert figures["rmse"] == pytest.approx(np.sqrt((missed**2).mean()))
        bias = (near["Forecast"] - near["Actual"]).sum() / near["Actual"].sum()
        further = entry["further"]
        assert further["bias"] == pytest.approx(bias)
        assert further["wape_low"] <= entry["one_step"]["wape"] <= further["wape_high"]
    assert 0.8 < verdict["baselines"]["seasonal_naive"]["further"]["mase"] < 1.25


def test_the_report_beside_the_verdict_draws_the_selected_candidate(step: Callable[..., Path]) -> None:
    folder = step()
    page = (folder / "verdict/report.html").read_text(encoding="utf-8")
    table = pd.read_parquet(folder / "verdict/forecasts.parquet")
    (data,) = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)
    total = json.loads(data)["series"][0]
    chosen = table[(table["Model"] == verdict_of(folder)["selected"]) & (table["Horizon"] == 1)]
    chosen = chosen.groupby("MonthYear")["Forecast"].sum()
    assert total["name"] == "All stores" and total["first"] == 30 - len(chosen)
    assert total["forecast"] == [round(value) for value in chosen]
    assert "Price below 0: 3." in page and "2024-07" in page and len(page.encode()) < 1_000_000


def test_importance_names_every_feature_and_finds_the_one_that_matters(step: Callable[..., Path]) -> None:
    verdict = verdict_of(step(candidates=("history",)))
    assert set(verdict["importance"]) == set(verdict["features"])
    assert next(iter(verdict["importance"])) == "RollingMean12"
    assert verdict["importance"]["Weather"] == 0  # masked, so shuffling it changes nothing


def test_selected_is_the_candidate_that_the_verdict_names_fitted_on_all_months(step: Callable[..., Path]) -> None:
    folder = step()
    metadata = read_metadata(folder / "selected")
    assert metadata["candidate"] == verdict_of(folder)["selected"] and metadata["trained_until"] == "2024-06"
    assert not (folder / "selected" / BACKTEST).exists()


def test_the_output_folder_stays_and_what_was_in_it_goes(step: Callable[..., Path], tmp_path: Path) -> None:
    selected = tmp_path / "selected"
    (selected / "data").mkdir(parents=True)
    (selected / "data" / "old").write_text("of an earlier run")
    before = selected.stat().st_ino
    step(candidates=("contextual",))
    assert selected.stat().st_ino == before  # a mount point can be neither removed nor replaced
    assert (selected / "MLmodel").is_file() and not (selected / "data" / "old").exists()


def test_two_candidates_of_one_name_are_refused(inputs: Path) -> None:
    with pytest.raises(StepError, match="a candidate named history is there already"):
        load_all([inputs / "history", inputs / "history"])


def test_a_history_feature_that_holds_the_months_own_sales_is_refused(
    step: Callable[..., Path], inputs: Path, tmp_path: Path
) -> None:
    holdout = pd.read_parquet(inputs / "holdout/holdout.parquet")
    (tmp_path / "planted").mkdir()
    holdout.assign(Lag1=holdout["TotalSales"]).to_parquet(tmp_path / "planted/holdout.parquet")
    verdict = verdict_of(step(holdout=tmp_path / "planted", candidates=("history",)))
    assert not verdict["promoted"]
    assert "saw the target: Lag1 depends on the sales to be forecast" in verdict["reasons"][0]


def test_a_candidate_whose_back_test_had_seen_its_months_is_refused(
    step: Callable[..., Path], inputs: Path, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    shutil.copytree(inputs / "profile", seen)
    table = pd.read_parquet(seen / BACKTEST)
    late = (table["Month"] == table["Month"].max()) & (table["Horizon"] == 1)
    table.assign(Origin=table["Origin"].where(~late, table["Month"])).to_parquet(seen / BACKTEST)
    verdict = verdict_of(step("--candidate", str(seen), candidates=("history",)))
    assert any("profile refused: saw the hold-out: learned from 2024-06" in each for each in verdict["reasons"])


def test_a_champion_of_the_same_recipe_is_not_beaten_by_itself(
    step: Callable[..., Path], inputs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    champion = tmp_path / "registered"
    shutil.copytree(inputs / "profile", champion)
    rows = pd.concat([pd.read_parquet(inputs / each / f"{each}.parquet") for each in ("train", "holdout")])
    export.write_state(state_of(rows), CONTRACT, champion)
    monkeypatch.setattr(tracking, "is_on", lambda: True)
    monkeypatch.setattr(tracking, "download", lambda _: champion)
    monkeypatch.setattr(tracking, "run", lambda _: nullcontext(tracking.NoTracker()))
    verdict = verdict_of(step("--champion=4", candidates=("profile",)))
    assert not verdict["promoted"]
    assert verdict["reasons"][-1] == "profile is the recipe of champion version 4, which is registered already"
    assert verdict["champion"]["version"] == "4"
    assert verdict["champion"]["one_step"] == verdict["candidates"]["profile"]["one_step"]
    assert verdict["live"]["months_seen"] == 7 and "is_worse" in verdict["live"]


def test_a_champion_without_a_registry_ends_with_one_line(
    step: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(lambda: 0 if step("--champion=3") else 1) == 2
    assert "champion demand-forecast:3 cannot be read: set MLFLOW_TRACKING_URI" in capsys.readouterr().err


def test_training_months_that_reach_into_the_hold_out_are_refused(
    step: Callable[..., Path], inputs: Path, tmp_path: Path
) -> None:
    both = [pd.read_parquet(inputs / name / f"{name}.parquet") for name in ("train", "holdout")]
    (tmp_path / "both").mkdir()
    pd.concat(both).to_parquet(tmp_path / "both/train.parquet")
    (tmp_path / "both/rows.json").write_text(json.dumps(COUNTS))
    with pytest.raises(StepError, match="reaches into the hold-out"):
        step(train=tmp_path / "both")


def test_a_folder_without_a_model_is_named(step: Callable[..., Path]) -> None:
    with pytest.raises(StepError, match="holdout: holds no model"):
        step(candidates=("holdout",))


def test_no_candidate_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises((SystemExit, argparse.ArgumentError)):
        main(
            [
                f"--{name}={tmp_path}"
                for name in ("train", "holdout", "model-name", "contract", "gate", "verdict", "selected")
            ]
        )

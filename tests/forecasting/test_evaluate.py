"""The evaluate step as a component runs it: the verdict's shape, its figures, and what ends it."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from demand.errors import StepError
from demand.grain import MODEL_NAME
from demand.steps import run
from forecasting.baselines import NAMES
from forecasting.evaluate import load_candidates, main
from forecasting.features import model_frame
from forecasting.packing import read_metadata, save
from forecasting.prepare import add_features, split
from forecasting.train import Settings, fit
from helpers_sales import CONTRACT, monthly_sales

pytestmark = pytest.mark.slow  # fits real forests

WARNING = {"step": "aggregate", "message": "2024-02 is incomplete"}
COUNTS = {"read": 900, "quarantined": 3, "train": 1, "holdout": 1}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders train, holdout, contextual and history, as the steps before write them."""
    folder = tmp_path_factory.mktemp("inputs")
    train, holdout = split(add_features(monthly_sales(stores=20, months=30)), 6)
    for name, rows in (("train", train), ("holdout", holdout)):
        (folder / name).mkdir()
        rows.to_parquet(folder / name / f"{name}.parquet")
    (folder / "train/rows.json").write_text(json.dumps({**COUNTS, "warnings": [WARNING]}))
    for name in ("contextual", "history"):
        model, metadata = fit(Settings(name, name, n_estimators=20), train)
        save(model, model_frame(train.tail(2), metadata["features"]), metadata, folder / name)
    return folder


@pytest.fixture
def step(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def call(
        *more: str,
        train: Path = inputs / "train",
        holdout: Path = inputs / "holdout",
        candidates: tuple[str, ...] = ("contextual", "history"),
    ) -> Path:
        flags = [f"--train={train}", f"--holdout={holdout}", f"--verdict={tmp_path / 'verdict'}"]
        flags += [f"--contract={CONTRACT}", f"--model-name={MODEL_NAME}"]
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
    assert verdict["selected"] == "history" and verdict["model"] is None and verdict["champion"] is None
    assert isinstance(verdict["promoted"], bool) and verdict["reasons"]
    assert set(verdict["candidates"]) == {"contextual", "history"} and set(verdict["baselines"]) == set(NAMES)
    for entry in [*verdict["candidates"].values(), *verdict["baselines"].values()]:
        assert figures <= set(entry)
        assert set(entry["one_step"]) == set(entry["multi_step"]) == {"wape", "mae", "rmse", "r2"}
    assert verdict["rows"] == COUNTS
    assert verdict["warnings"] == [WARNING]
    assert set(verdict["by_country"]) == {"Canada", "Mexico", "United States"}


def test_figures_are_those_of_the_forecasts_written_beside_them(step: Callable[..., Path]) -> None:
    folder = step()
    verdict, table = verdict_of(folder), pd.read_parquet(folder / "verdict/forecasts.parquet")
    for name, rows in table.groupby("Model"):
        entry = {**verdict["candidates"], **verdict["baselines"]}[name]
        for kind, column in (("one_step", "OneStep"), ("multi_step", "MultiStep")):
            missed = (rows["Actual"] - rows[column]).abs()
            assert entry[kind]["wape"] == pytest.approx(missed.sum() / rows["Actual"].abs().sum())
            assert entry[kind]["rmse"] == pytest.approx(np.sqrt((missed**2).mean()))
        if entry["coverage_p10_p90"] is not None:
            assert entry["coverage_p10_p90"] == pytest.approx(rows["Actual"].between(rows["P10"], rows["P90"]).mean())


def test_importance_names_every_feature_and_finds_the_one_that_matters(step: Callable[..., Path]) -> None:
    verdict = verdict_of(step())
    assert set(verdict["importance"]) == set(verdict["features"])
    assert next(iter(verdict["importance"])) == "RollingMean12"
    assert verdict["importance"]["Weather"] == 0  # masked, so shuffling it changes nothing


def test_selected_is_the_candidate_that_the_verdict_names(step: Callable[..., Path]) -> None:
    folder = step()
    assert read_metadata(folder / "selected")["candidate"] == verdict_of(folder)["selected"]


def test_the_output_folder_stays_and_what_was_in_it_goes(step: Callable[..., Path], tmp_path: Path) -> None:
    selected = tmp_path / "selected"
    (selected / "data").mkdir(parents=True)
    (selected / "data" / "old").write_text("of an earlier run")
    before = selected.stat().st_ino
    step(candidates=("contextual",))
    assert selected.stat().st_ino == before  # a mount point can be neither removed nor replaced
    assert (selected / "MLmodel").is_file() and not (selected / "data" / "old").exists()


def test_a_single_candidate_is_enough(step: Callable[..., Path]) -> None:
    assert set(verdict_of(step(candidates=("contextual",)))["candidates"]) == {"contextual"}


def test_two_candidates_of_one_name_are_refused(inputs: Path) -> None:
    with pytest.raises(StepError, match="a candidate named history is there already"):
        load_candidates([inputs / "history", inputs / "history"])


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


def test_an_empty_hold_out_is_a_reason_and_promotes_nothing(
    step: Callable[..., Path], inputs: Path, tmp_path: Path
) -> None:
    (tmp_path / "none").mkdir()
    pd.read_parquet(inputs / "holdout/holdout.parquet").head(0).to_parquet(tmp_path / "none/holdout.parquet")
    verdict = verdict_of(step(holdout=tmp_path / "none"))
    assert not verdict["promoted"] and "the hold-out is empty" in verdict["reasons"][0]
    assert verdict["candidates"]["history"]["one_step"]["wape"] is None
    assert (tmp_path / "verdict/report.html").is_file()


def test_a_folder_without_a_model_is_named(step: Callable[..., Path]) -> None:
    with pytest.raises(StepError, match="holdout: not a model that can be loaded"):
        step(candidates=("holdout",))


def test_no_candidate_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises((SystemExit, argparse.ArgumentError)):
        folders = [f"--{name}={tmp_path}" for name in ("train", "holdout", "contract", "verdict", "selected")]
        main([*folders, f"--model-name={MODEL_NAME}"])

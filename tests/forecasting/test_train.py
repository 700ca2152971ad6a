"""The train step as a component runs it."""

from pathlib import Path

import pytest

from demand.errors import StepError
from demand.steps import run
from forecasting import candidates
from forecasting.features import CONTEXTUAL, HISTORY
from forecasting.forests import Settings, fit
from forecasting.packing import load
from forecasting.prepare import add_features, split
from forecasting.train import main
from helpers_sales import monthly_sales


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "train").mkdir()
    (tmp_path / "holdout").mkdir()
    train, holdout = split(add_features(monthly_sales(stores=4, months=16)), 4)
    train.to_parquet(tmp_path / "train/train.parquet")
    holdout.to_parquet(tmp_path / "holdout/holdout.parquet")
    return tmp_path / "train"


def flags_of(train: Path) -> list[str]:
    return [f"--train={train}", f"--holdout={train.parent / 'holdout'}", f"--model={train / 'model'}"]


@pytest.mark.parametrize(("features", "names"), [("contextual", CONTEXTUAL), ("history", (*CONTEXTUAL, *HISTORY))])
def test_the_step_saves_a_model_with_its_metadata(train: Path, features: str, names: tuple[str, ...]) -> None:
    flags = ["--candidate=mine", f"--features={features}", "--n-estimators=12", "--min-samples-leaf=2", "--seed=5"]
    assert main([*flags_of(train), "--max-features=0.8", *flags]) == 0
    metadata = load(train / "model").metadata
    assert metadata["candidate"] == "mine" and metadata["features"] == list(names)
    assert (metadata["trained_from"], metadata["trained_until"], metadata["trained_rows"]) == ("2022-01", "2023-04", 64)
    forest = {"n_estimators": 12, "min_samples_leaf": 2, "max_features": 0.8, "random_state": 5}
    assert metadata["parameters"] == forest
    assert set(metadata["interval"]) == {"low", "high", "offset", "scales"}
    assert metadata["recipe"]["kind"] == "forest" and metadata["recipe"]["n_estimators"] == 12
    assert {path.name for path in (train / "model/endpoint").iterdir()} == {"forest.onnx", "encoder.json"}


def test_the_model_is_fitted_on_all_months_and_its_back_test_on_those_before_each_origin(train: Path) -> None:
    assert main([*flags_of(train), "--candidate=c", "--n-estimators=10"]) == 0
    candidate = candidates.load(train / "model")
    assert candidate.metadata["trained_until"] == "2023-04"
    judged = candidate.table[candidate.table["Judged"]]
    assert (judged["Origin"] < judged["Month"]).all() and judged["Origin"].nunique() == 4
    assert set(judged["Horizon"]) == {1, 2, 3, 4}


def test_a_second_run_replaces_the_model(train: Path) -> None:
    for name in ("first", "second"):
        assert main([*flags_of(train), f"--candidate={name}", "--n-estimators=10"]) == 0
    assert load(train / "model").metadata["candidate"] == "second"


def test_the_flags_of_the_step_reach_the_forest() -> None:
    rows = add_features(monthly_sales(stores=3, months=15))
    model, _ = fit(Settings("c", "contextual", n_estimators=11, min_samples_leaf=3, max_features=0.4, seed=9), rows)
    forest = model["forest"]
    assert (len(forest.estimators_), forest.min_samples_leaf, forest.max_features) == (11, 3, 0.4)
    assert forest.n_jobs == 1  # as served


def test_no_rows_is_a_user_error() -> None:
    with pytest.raises(StepError, match="holds no rows: import more months"):
        fit(Settings("c"), add_features(monthly_sales(stores=1, months=2)).head(0))


def test_a_missing_input_ends_with_one_line_and_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(lambda: main([*flags_of(tmp_path), "--candidate=c"])) == 2
    assert "train.parquet: not there" in capsys.readouterr().err

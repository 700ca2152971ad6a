"""The train step as a component runs it."""

from pathlib import Path

import pytest

from demand.errors import StepError
from demand.steps import run
from forecasting.features import CONTEXTUAL, HISTORY
from forecasting.packing import load
from forecasting.prepare import add_features
from forecasting.train import Settings, fit, main
from helpers_sales import monthly_sales


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "train").mkdir()
    add_features(monthly_sales(stores=4, months=16)).to_parquet(tmp_path / "train/train.parquet")
    return tmp_path / "train"


@pytest.mark.parametrize(("features", "names"), [("contextual", CONTEXTUAL), ("history", (*CONTEXTUAL, *HISTORY))])
def test_the_step_saves_a_model_with_its_metadata(train: Path, features: str, names: tuple[str, ...]) -> None:
    flags = ["--candidate=mine", f"--features={features}", "--n-estimators=12", "--min-samples-leaf=2", "--seed=5"]
    assert main([f"--train={train}", f"--model={train / 'model'}", "--max-features=0.8", *flags]) == 0
    metadata = load(train / "model").metadata
    assert metadata["candidate"] == "mine" and metadata["features"] == list(names)
    assert (metadata["trained_from"], metadata["trained_until"], metadata["trained_rows"]) == ("2022-01", "2023-04", 64)
    forest = {"n_estimators": 12, "min_samples_leaf": 2, "max_features": 0.8, "random_state": 5}
    assert metadata["parameters"] == forest
    assert set(metadata["interval"]) == {"low", "high", "low_ahead", "high_ahead"}
    assert {path.name for path in (train / "model/endpoint").iterdir()} == {"forest.onnx", "encoder.json"}


def test_a_second_run_replaces_the_model(train: Path) -> None:
    for name in ("first", "second"):
        flags = [f"--train={train}", f"--candidate={name}", "--n-estimators=10", f"--model={train / 'model'}"]
        assert main(flags) == 0
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
    flags = [f"--train={tmp_path}", f"--model={tmp_path / 'model'}", "--candidate=c"]
    assert run(lambda: main(flags)) == 2
    assert "train.parquet: not there" in capsys.readouterr().err

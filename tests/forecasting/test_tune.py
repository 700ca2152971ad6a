"""A trial of the sweep errs as a rolling back-test of the training months errs, and knows no month after them."""

import json
from pathlib import Path

import pandas as pd
import pytest

from demand import tracking
from forecasting import tune
from forecasting.boosting import BoosterSettings
from forecasting.features import prepared
from forecasting.recipes import DirectRecipe
from forecasting.rolling import Rolling, backtest
from helpers_sales import monthly_sales

ROWS = prepared(monthly_sales(stores=8, months=20))


class Noted(tracking.NoTracker):
    """Keeps the metrics in their order."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def log_metrics(self, metrics):
        self.values += metrics.values()

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None: ...


def trial(folder: Path, rows: pd.DataFrame, *more: str) -> dict:
    """settings.json of a trial."""
    (folder / "train").mkdir(parents=True)
    rows.to_parquet(folder / "train" / "train.parquet")
    words = ["--train", str(folder / "train"), "--origins", "4", "--max-iter", "10", "--settings", str(folder / "best")]
    assert tune.main([*words, *more]) == 0
    return json.loads((folder / "best" / "settings.json").read_text())


def test_its_wape_is_that_of_the_back_test_and_is_logged_origin_by_origin(tmp_path, monkeypatch) -> None:
    noted = Noted()
    monkeypatch.setattr(tracking, "run", lambda _: noted)
    kept = trial(tmp_path, ROWS, "--learning-rate", "0.2")
    table = backtest(DirectRecipe("b", BoosterSettings(max_iter=10, learning_rate=0.2)), ROWS, Rolling(4, 1, 0))
    wape = (table["Actual"] - table["Forecast"]).abs().sum() / table["Actual"].sum()
    assert kept["wape"] == pytest.approx(wape, rel=1e-12)
    assert kept["settings"]["learning_rate"] == 0.2
    assert len(noted.values) == 4 and noted.values[-1] == kept["wape"]


def test_a_trial_has_no_input_for_the_held_out_months() -> None:
    flags = {action.dest for action in tune.build_parser()._actions}
    assert not flags & {"holdout", "monthly", "sales"}


def test_months_of_sales_that_are_all_zero_end_with_one_line(tmp_path) -> None:
    with pytest.raises(tune.StepError, match="hold no sales to forecast"):
        trial(tmp_path, ROWS.assign(TotalSales=0.0))

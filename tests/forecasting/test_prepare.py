"""The prepare step: the split by time, and what a user reads when there are too few months."""

import json

import pandas as pd
import pytest

from demand.errors import StepError
from demand.step_warnings import StepWarnings
from demand.steps import run
from forecasting.prepare import add_features, held_out, main, split
from helpers_sales import monthly_sales


def prepared(months, stores=2, holdout=6):
    return split(add_features(monthly_sales(stores=stores, months=months)), holdout)


def test_the_last_months_are_held_out_and_nothing_is_lost_or_seen_twice():
    train, holdout = prepared(36)
    assert (train["MonthYear"].max(), holdout["MonthYear"].min()) == ("2024-06", "2024-07")
    assert (len(train), len(holdout)) == (60, 12)


@pytest.mark.parametrize(("months", "stores"), [(13, 2), (8, 1), (36, 1)])
def test_few_months_or_one_store_are_enough_where_two_months_remain(months, stores):
    train, holdout = prepared(months, stores)
    assert holdout["MonthYear"].nunique() == 6
    assert train["MonthYear"].nunique() == months - 6


@pytest.mark.parametrize("months", [1, 7])
def test_too_few_months_are_a_user_error_that_says_how_many_it_takes(months):
    with pytest.raises(StepError, match=rf"sales cover {months} complete month\(s\).*takes 8: import more months"):
        prepared(months)


def test_the_step_writes_both_parts_and_the_counts(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "monthly").mkdir()
    monthly_sales(stores=2, months=24).to_parquet(tmp_path / "monthly/monthly.parquet")
    (tmp_path / "monthly/rows.json").write_text('{"read": 9, "quarantined": 1}')
    folders = [f"--{name}={tmp_path / name}" for name in ("monthly", "train", "holdout")]
    assert main([*folders, "--holdout-months=3"]) == 0
    counts = json.loads((tmp_path / "train/rows.json").read_text())
    judged = {"series": 2, "partial": 0, "closed": 0, "zeros": 0, "warnings": []}
    assert counts == {"read": 9, "quarantined": 1, "train": 42, "holdout": 6, **judged}
    assert pd.read_parquet(tmp_path / "train/train.parquet")["MonthYear"].max() == "2023-09"


def test_a_missing_input_ends_with_one_line_and_exit_code_2(tmp_path, capsys):
    folders = [f"--{name}={tmp_path / name}" for name in ("monthly", "train", "holdout")]
    assert run(lambda: main(folders)) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_short_sales_are_judged_by_half_of_their_months_and_said():
    rows = add_features(monthly_sales(stores=2, months=18))
    warnings = StepWarnings("prepare")
    assert held_out(rows, 12, warnings) == 9
    assert warnings.entries[0]["message"] == "Sales cover 18 months: the back-test judges the last 9 of them, not 12"
    assert held_out(rows, 9, StepWarnings("prepare")) == 9

"""verdict.json is plain JSON, and a broken one is told."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from demand.errors import UserError
from forecasting import verdict
from forecasting.backtest import Scores

ROWS = pd.DataFrame(
    {
        "StoreID": ["a", "b", "c"],
        "MonthYear": "2024-01",
        "Country": ["Canada", None, "Canada"],
        "TotalSales": [10.0, 20.0, 30.0],
    }
)


def scores(*forecasts: float, low: float | None = None) -> Scores:
    values = np.array(forecasts)
    return Scores(values, values * 2, None if low is None else values - low, None if low is None else values + 1)


def test_figures_that_are_not_finite_become_null(tmp_path: Path) -> None:
    verdict.write({"a": float("nan"), "b": [float("inf"), {"c": 1.5}], "promoted": False, "selected": "x"}, tmp_path)
    assert json.loads((tmp_path / "verdict.json").read_text()) == {
        "a": None, "b": [None, {"c": 1.5}], "promoted": False, "selected": "x",
    }  # fmt: skip
    assert verdict.read(tmp_path)["b"] == [None, {"c": 1.5}]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"promoted": true,\n "selected"', "verdict.json:2: not JSON"),
        ('{"promoted": "yes", "selected": "a"}', "not a verdict"),
        ('{"promoted": true}', "not a verdict"),
        ("[]", "not a verdict"),
    ],
)
def test_a_broken_verdict_is_told_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "verdict.json").write_text(text)
    with pytest.raises(UserError, match=says):
        verdict.read(tmp_path)


def test_an_absent_verdict_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not there; give the verdict folder"):
        verdict.read(tmp_path)


def test_coverage_counts_sales_inside_the_interval_only() -> None:
    assert verdict.figures(scores(10.0, 25.0, 25.0, low=6.0), ROWS)["coverage_p10_p90"] == pytest.approx(2 / 3)
    assert verdict.figures(scores(10.0, 20.0, 30.0), ROWS)["coverage_p10_p90"] is None


def test_countries_are_apart_and_stores_without_one_are_unknown() -> None:
    found = verdict.by_country({"m": scores(10.0, 25.0, 33.0)}, ROWS)
    assert found["Canada"]["m"]["one_step"]["wape"] == pytest.approx(3 / 40)
    assert found["unknown"]["m"]["one_step"]["wape"] == pytest.approx(5 / 20)
    assert found["unknown"]["m"]["one_step"]["r2"] is None


def test_forecast_table_has_one_row_per_model_and_store_month() -> None:
    table = verdict.forecast_table({"m": scores(1.0, 2.0, 3.0, low=1.0), "n": scores(4.0, 5.0, 6.0)}, ROWS)
    assert table["OneStep"].tolist() == [1, 2, 3, 4, 5, 6]
    assert table["P10"].head(3).tolist() == [0, 1, 2] and table["P10"].tail(3).isna().all()

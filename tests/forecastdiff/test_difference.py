"""Two forecasts compared: totals, movers and why, errors with their interval, intervals, stock."""

import math
from typing import Any

import pandas as pd
import pytest

from forecastdiff import difference, text


def forecasts(**series: list[float]) -> pd.DataFrame:
    """Two months for each series; P10 and P90 lie 10 % apart."""
    rows = [
        {"StoreID": name, "MonthYear": month, "TotalSales": value, "P10": value * 0.9, "P90": value * 1.1, "Flags": ""}
        for name, values in series.items()
        for month, value in zip(("2025-01", "2025-02"), values, strict=False)
    ]
    return pd.DataFrame(rows)


def backtest(errors: list[float], model: str = "booster") -> pd.DataFrame:
    """One store, 100 units a month, forecast too high by these."""
    return pd.DataFrame(
        {
            "Key": "A", "StoreID": "A", "Country": "Canada", "Horizon": 1, "Judged": True, "Model": model,
            "MonthYear": [f"2024-{month + 1:02d}" for month in range(len(errors))],
            "Actual": 100.0, "Forecast": [100 + each for each in errors],
        }
    )  # fmt: skip


def verdict(selected: str = "booster", promoted: bool = True) -> dict[str, Any]:
    return {"selected": selected, "promoted": promoted}


def between(before: pd.DataFrame, after: pd.DataFrame, **given: Any) -> difference.Difference:
    tests = given.get("backtests") or (backtest([1, 2, 3]), backtest([1, 2, 3]))
    return difference.between(before, after, tests, given.get("verdicts") or (verdict(), verdict()))


def test_the_same_forecasts_are_none_that_change() -> None:
    same = forecasts(A=[10, 20], B=[30, 40])
    made = between(same, same.copy())
    assert made.is_none
    assert "no forecast changes: both sides were trained" in text.of(made)


def test_movers_are_ordered_by_units_and_say_why() -> None:
    before, after = forecasts(A=[10, 20], B=[30, 40], C=[5, 5]), forecasts(A=[11, 21], B=[60, 40], D=[7, 7])
    after.loc[after["StoreID"] == "A", "Flags"] = "new_store"
    made = between(before, after)
    assert [(each.series, each.after - each.before, each.reason) for each in made.movers] == [
        ("B", 30.0, "booster learned otherwise"),
        ("D", 14.0, "it was not forecast before"),
        ("C", -10.0, "it is not forecast any more"),
        ("A", 2.0, "flags: none -> new_store"),
    ]
    assert made.series == (3, 3)
    assert made.totals["all"] == (100.0, 132.0)


def test_another_selected_recipe_is_the_reason() -> None:
    made = between(
        forecasts(A=[10, 20]), forecasts(A=[12, 20]), verdicts=(verdict("blend"), verdict("booster", promoted=False)),
        backtests=(backtest([1, 1, 1], "blend"), backtest([1, 1, 1])),
    )  # fmt: skip
    assert made.movers[0].reason == "booster forecasts it, it was blend"
    shown = text.of(made)
    assert "- Selected: blend -> booster." in shown
    assert "- The gate refuses it; without the change it promotes." in shown


@pytest.mark.parametrize(
    ("first", "second", "word"),
    [
        ([10, 11, 9, 10], [5, 6, 4, 5], "better"),
        ([5, 6, 4, 5], [10, 11, 9, 10], "worse"),
        ([10, 0, 10, 0], [0, 10, 0, 10], "within what months differ by"),
    ],
)
def test_the_change_of_the_error_has_an_interval_over_months(
    first: list[float], second: list[float], word: str
) -> None:
    made = between(forecasts(A=[1, 1]), forecasts(A=[2, 2]), backtests=(backtest(first), backtest(second)))
    assert made.wape == (sum(first) / 400, sum(second) / 400)
    low, high = made.wape_change or (math.nan, math.nan)
    middle = made.wape[1] - made.wape[0]
    assert low <= middle <= high
    assert f"80 % interval over months: {word}" in text.of(made)


def test_too_few_months_have_no_interval() -> None:
    made = between(forecasts(A=[1, 1]), forecasts(A=[2, 2]), backtests=(backtest([1, 2]), backtest([1, 2])))
    assert made.wape_change is None
    assert "interval over months" not in text.of(made)


def test_intervals_that_get_wider_and_stock_that_would_be_off() -> None:
    before, after = forecasts(A=[100, 100], B=[10, 10]), forecasts(A=[130, 100], B=[10, 10])
    after["P90"] += 10
    made = between(before, after)
    assert made.width[1] > made.width[0]
    assert "get wider" in text.of(made)
    assert made.stock == ["A (1 months)"]
    assert "would be off for 1 series" in text.of(made)


def test_other_months_ahead_are_said_and_totals_are_of_the_months_that_both_have() -> None:
    made = between(forecasts(A=[10, 20]), forecasts(A=[10]))
    assert made.months == (2, 1)
    assert made.totals["all"] == (10.0, 10.0)
    assert "- Months ahead: 2 -> 1." in text.of(made)

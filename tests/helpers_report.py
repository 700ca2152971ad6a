"""A run's verdict and series as the report takes them."""

from typing import Any

import numpy as np
import pandas as pd

from forecasting.verdict import Verdict
from helpers_sales import monthly_sales
from judging.report.series import SalesSeries, series_of

ERRORS = {"wape": 0.0312, "mae": 4.0, "rmse": 5.0, "r2": 0.9}
FURTHER = {"bias": -0.0123, "mase": 0.456, "rmsse": 0.5, "wape_low": 0.025, "wape_high": 0.039}
ENTRY = {"one_step": ERRORS, "multi_step": {**ERRORS, "wape": 0.0467}, "coverage_p10_p90": 0.791, "further": FURTHER}


def verdict(**changes: Any) -> Verdict:
    """A promoted candidate; `changes` replace what a test is about."""
    naive = {**ENTRY, "one_step": {**ERRORS, "wape": 0.1}, "coverage_p10_p90": None}
    planned = {**ENTRY, "one_step_with_plan": {"wape": 0.0199}}
    content = {
        "promoted": True,
        "reasons": ["history beats last_month: WAPE 3.1% against 10.0%"],
        "selected": "history",
        "candidates": {"history": planned, "contextual": ENTRY},
        "baselines": {"last_month": naive},
        "p_values": {"last_month": 0.0125},
        "rows": {"read": 218606, "quarantined": 2, "train": 2002, "holdout": 404},
        "months": {"train": ["2022-01", "2024-06"], "holdout": ["2024-07", "2024-12"]},
        "by_country": {"Canada": {"history": {"one_step": {"wape": 0.5}}}},
        "importance": {"Lag1": 0.25, "City": -0.00001},
        "effects": {"promotion": 0.083, "price_up_10_percent": -0.0211},
        "changes": ["The recipe is history, it was contextual."],
        "quality": {"by_rule": {"Price >= 0": 2}, "partial_months": ["2025-01"]},
        "warnings": [{"step": "aggregate", "message": "2025-01 is <incomplete>"}],
    }
    return Verdict.of(content | changes)


def tables(stores: int = 6, months: int = 36, judged: int = 6) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(monthly rows, forecasts of the last months: 5% above the sales one month ahead, 10% two months ahead)."""
    rows = monthly_sales(stores=stores, months=months)
    rows["MonthYear"] = pd.to_datetime(rows["MonthStart"]).dt.strftime("%Y-%m")
    last = rows[rows["MonthYear"] > sorted(rows["MonthYear"].unique())[-judged - 1]]
    shown = last[["StoreID", "Country", "MonthYear"]].assign(Actual=last["TotalSales"])
    table = pd.concat(
        [
            shown.assign(Horizon=ahead, Forecast=last["TotalSales"] * (1 + 0.05 * ahead)).assign(
                P10=lambda part: part["Forecast"] * 0.9, P90=lambda part: part["Forecast"] * 1.1
            )
            for ahead in (1, 2)
        ]
    )
    return rows, table


def series(**sizes: int) -> SalesSeries:
    """The same as the report takes it."""
    return series_of(*tables(**sizes))


def hostile() -> tuple[Verdict, SalesSeries]:
    """Names that would run as script where they were not escaped."""
    name = "</script><script>window.broken=1</script>\"'<img src=x onerror='window.broken=1'>&amp;"
    rows, table = tables(stores=2)
    renamed = [frame.assign(StoreID=name + frame["StoreID"], Country=name) for frame in (rows, table)]
    changes = {"selected": name, "candidates": {name: ENTRY}, "reasons": [name], "changes": [name], "notes": [name]}
    return verdict(**changes, importance={name: 0.2}, by_country={name: {}}), series_of(*renamed)


def nothing() -> SalesSeries:
    """Series of an empty hold-out."""
    rows, table = tables()
    return series_of(rows, table.head(0).assign(Forecast=np.empty(0)))


def many(stores: int) -> SalesSeries:
    """Series of many stores with three years of sales, six months of them forecast."""
    months, numbers = pd.period_range("2022-01", periods=36, freq="M").astype(str), np.arange(stores)
    sold = np.random.default_rng(0).uniform(1_000, 20_000, (stores, 36))
    rows = pd.DataFrame(
        {
            "StoreID": np.repeat([f"S{number:05d}" for number in numbers], 36),
            "Country": "Canada",
            "MonthYear": np.tile(months, stores),
            "TotalSales": sold.ravel(),
        }
    )
    last = rows[rows["MonthYear"] > months[29]].rename(columns={"TotalSales": "Actual"})
    return series_of(rows, last.assign(Horizon=1, Forecast=9_000.0, P10=5_000.0, P90=15_000.0))

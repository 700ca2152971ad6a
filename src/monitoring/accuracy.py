"""Signals of the model's forecasts beside the sales that have arrived since, and of the error to be expected next.

Each month is forecast anew from what was known before it, as the batch forecast of that time did. Months that the model
has learned from flatter it; `trained_until` says which these are.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from demand.direct import load_forecaster
from demand.health import NAIVE
from demand.months import month_name
from forecasting import baselines
from forecasting.features import TARGET, SalesHistory, month_index, state_of
from forecasting.lookback import asked_rows
from forecasting.panels import Months
from monitoring.limits import Limits
from monitoring.signals import LOOK, RETRAIN, Signal

# Months that an error is summed over, and those before that it is compared with.
WINDOW, BEFORE = 3, 9
MIN_ROWS = 10
Measure = Callable[[pd.DataFrame], float | None]
# Name, limit, what it calls for, measure.
Given = tuple[str, float, str, Measure]


@dataclass(frozen=True)
class Watched:
    """Forecasts one month ahead: Month, Country, StoreID; Actual, Forecast, Naive, P10, P90 (units, NaN: unknown)."""

    table: pd.DataFrame
    trained_until: str


def watch(folder: Path, metadata: dict[str, Any], rows: pd.DataFrame, months: int) -> Watched:
    """Forecast the last `months` of the prepared `rows`, each from the months before it."""
    last = int(month_index(rows["MonthStart"]).max())
    recent = rows[month_index(rows["MonthStart"]) > last - months].reset_index(drop=True)
    forecaster = load_forecaster(folder, metadata, state_of(rows), Months.of(rows).panel())
    made = forecaster.forecast(asked_rows(recent))
    table = pd.DataFrame({
        "Month": month_index(recent["MonthStart"]),
        "Country": recent.get("Country"),
        "StoreID": recent["StoreID"],
        "Actual": recent[TARGET].astype(float),
        "Forecast": [each.sales for each in made],
        "Naive": baselines.forecast(NAIVE, recent, SalesHistory.of(rows)),
        "P10": [each.low for each in made],
        "P90": [each.high for each in made],
    })  # fmt: skip
    return Watched(table.dropna(subset=["Actual"]), str(metadata.get("trained_until", "unknown")))


def signals(watched: Watched, limits: Limits) -> list[Signal]:
    """Of all series together, and the error of each country."""
    table = watched.table
    made = [_signal("all", each, table) for each in _measures(limits)]
    for country, rows in table.groupby("Country"):
        if len(rows) >= MIN_ROWS * WINDOW:
            made.append(_signal(str(country), next(_measures(limits)), rows))
    return made


def _measures(limits: Limits) -> Iterator[Given]:
    # The first is the one that each country has, too.
    yield "wape_over_naive", limits.max_wape_over_naive, RETRAIN, over_naive
    yield "wape_rise", limits.max_wape_rise, RETRAIN, rise
    yield "bias", limits.max_bias, RETRAIN, bias
    yield "outside_interval", limits.max_outside_interval, RETRAIN, outside
    yield "width_rise", limits.max_width_rise, LOOK, width_rise


def _signal(scope: str, given: Given, table: pd.DataFrame) -> Signal:
    """The measure at the end of each month, over the months until then."""
    months = sorted(table["Month"].unique())[WINDOW - 1 :]
    name, limit, calls_for, measure = given
    values = [measure(table[table["Month"] <= month]) for month in months]
    return Signal(name, scope, limit, calls_for, [month_name(int(month)) for month in months], values)


def wape(rows: pd.DataFrame, column: str = "Forecast") -> float | None:
    """Sum of the absolute errors over the sum of the sales; None where nothing was sold or forecast."""
    known = rows.dropna(subset=[column])
    sold = float(known["Actual"].abs().sum())
    return float((known["Actual"] - known[column]).abs().sum()) / sold if sold > 0 else None


def over_naive(table: pd.DataFrame) -> float | None:
    """WAPE over the seasonal naive forecast's, of the rows that have one."""
    rows = _last(table).dropna(subset=["Naive"])
    own, naive = wape(rows), wape(rows, "Naive")
    return own / naive if own is not None and naive else None


def rise(table: pd.DataFrame) -> float | None:
    """WAPE of the last months over that of those before."""
    own, before = wape(_last(table)), wape(_before(table))
    return own / before if own is not None and before else None


def bias(table: pd.DataFrame) -> float | None:
    """|sum of forecasts less sales| over the sum of sales."""
    rows = _last(table)
    sold = float(rows["Actual"].sum())
    return abs(float(rows["Forecast"].sum()) - sold) / sold if sold > 0 else None


def outside(table: pd.DataFrame) -> float | None:
    """Fraction of the sales outside P10 to P90."""
    rows = _last(table)
    return float(((rows["Actual"] < rows["P10"]) | (rows["Actual"] > rows["P90"])).mean()) if len(rows) else None


def width_rise(table: pd.DataFrame) -> float | None:
    """Width of the newest interval over its forecast, over that of the months before."""
    newest = table["Month"].max()
    widths = (table["P90"] - table["P10"]) / table["Forecast"].where(table["Forecast"] > 0)
    now, before = widths[table["Month"] == newest].median(), widths[table["Month"] < newest].median()
    return float(now / before) if np.isfinite(now) and np.isfinite(before) and before > 0 else None


def worst_stores(watched: Watched, count: int = 10) -> list[dict[str, Any]]:
    """Stores that add most to the error of the last months: units off a month, and their WAPE."""
    rows = _last(watched.table)
    rows = rows.assign(Missed=(rows["Actual"] - rows["Forecast"]).abs())
    sums = rows.groupby("StoreID").agg(Missed=("Missed", "sum"), Sold=("Actual", "sum"), Country=("Country", "last"))
    top = sums.sort_values("Missed", ascending=False).head(count)
    months = max(1, rows["Month"].nunique())
    missed, units = top["Missed"].to_numpy(np.float64), top["Sold"].to_numpy(np.float64)
    named = zip(top.index, top["Country"], missed.tolist(), units.tolist(), strict=True)
    return [
        {
            "store": str(name),
            "country": str(country),
            "missed": off / months,
            "wape": off / units if units > 0 else None,
        }
        for name, country, off, units in named
    ]


def _last(table: pd.DataFrame) -> pd.DataFrame:
    rows: pd.DataFrame = table.loc[table["Month"] > table["Month"].max() - WINDOW]
    return rows


def _before(table: pd.DataFrame) -> pd.DataFrame:
    end = table["Month"].max() - WINDOW
    rows: pd.DataFrame = table.loc[(table["Month"] <= end) & (table["Month"] > end - BEFORE)]
    return rows

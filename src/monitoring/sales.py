"""Signals of the sales themselves: fresh, complete, and like those of the year before."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand.months import month_name
from forecasting.features import TARGET, month_index, series_keys
from monitoring import distances
from monitoring.limits import Limits
from monitoring.signals import LOOK, RETRAIN, Signal

FloatArray = npt.NDArray[np.float64]
YEAR, RECENT, WINDOW = 12, 3, 3
Measure = Callable[["Months", int], float | None]


class Months:
    """Monthly rows by month, with each series' sales and price over their means of the twelve months before."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self.rows = rows.assign(Key=series_keys(rows), Month=month_index(rows["MonthStart"]))
        self.first, self.last = int(self.rows["Month"].min()), int(self.rows["Month"].max())

    def of(self, month: int) -> pd.DataFrame:
        """Rows of one month."""
        return self.rows[self.rows["Month"] == month]

    def before(self, month: int, months: int = YEAR) -> pd.DataFrame:
        """Rows of the months before it."""
        return self.rows[(self.rows["Month"] < month) & (self.rows["Month"] >= month - months)]

    def window(self, month: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        """(the year before, the last months until `month`): a month alone is too noisy for a distribution."""
        return self.before(month - WINDOW + 1), self.before(month + 1, WINDOW)

    def relative(self, month: int, column: str) -> tuple[FloatArray, FloatArray]:
        """(the year before, the window until `month`): a column over each series' mean of that year."""
        before, now = self.window(month)
        usual = before.groupby("Key")[column].mean()
        return _over(before, column, usual), _over(now, column, usual)


def _over(rows: pd.DataFrame, column: str, usual: "pd.Series[float]") -> FloatArray:
    values = rows[column].to_numpy(np.float64, na_value=np.nan)
    return np.asarray(values / rows["Key"].map(usual).to_numpy(np.float64))


def signals(rows: pd.DataFrame, counts: dict[str, Any], as_of: date, limits: Limits, watched: int) -> list[Signal]:
    """Signals of the last `watched` months.

    Args:
        rows: monthly sales.
        counts: rows.json of the aggregate step.
        as_of: the day for which is asked.
        limits: above which a signal is breached.
        watched: how many months.
    """
    known = Months(rows)
    months = range(max(known.first + YEAR, known.last - watched + 1), known.last + 1)
    names = [month_name(month) for month in months]
    made = [
        Signal(name, "all", getattr(limits, limit), calls_for, names, [measure(known, month) for month in months])
        for name, limit, calls_for, measure in _measures()
    ]
    return [*made, *_of_import(known, counts, as_of, limits)]


def _measures() -> Iterator[tuple[str, str, str, Measure]]:
    yield "stores_silent", "max_stores_silent", LOOK, _silent
    yield "stores_new", "max_stores_new", RETRAIN, _new
    yield "sales_level", "max_sales_level", LOOK, lambda known, month: _level(known, month, TARGET)
    yield "price_level", "max_price_level", RETRAIN, lambda known, month: _level(known, month, "Price")
    yield "sales_psi", "max_sales_psi", RETRAIN, lambda known, month: distances.psi(*known.relative(month, TARGET))
    yield (
        "price_shift",
        "max_price_shift",
        RETRAIN,
        lambda known, month: distances.shift(*known.relative(month, "Price")),
    )
    for column in ("Promotion", "Holiday", "Country"):
        name = f"{column.lower()}_mix"
        yield name, f"max_{name}", RETRAIN, _mix_of(column)


def _mix_of(column: str) -> Measure:
    def measure(known: Months, month: int) -> float | None:
        before, now = known.window(month)
        return distances.mix(before[column].dropna().tolist(), now[column].dropna().tolist())

    return measure


def _silent(known: Months, month: int) -> float | None:
    """Of the series that sold in every one of the months before, those that do not."""
    recent = known.before(month, RECENT)
    sold = recent[recent[TARGET] > 0].groupby("Key")["Month"].nunique()
    active = set(sold[sold == RECENT].index)
    now = known.of(month)
    return len(active - set(now[now[TARGET] > 0]["Key"])) / len(active) if active else None


def _new(known: Months, month: int) -> float | None:
    now = set(known.of(month)["Key"])
    before = set(known.rows[known.rows["Month"] < month]["Key"])
    return len(now - before) / len(now) if now and before else None


def _level(known: Months, month: int, column: str) -> float | None:
    """|Median over the series of the logarithm of a column over its mean of the year before|."""
    usual = known.before(month).groupby("Key")[column].mean()
    now = _over(known.of(month), column, usual)
    logarithms = np.log(now[np.isfinite(now) & (now > 0)])
    return abs(float(np.median(logarithms))) if len(logarithms) else None


def _of_import(known: Months, counts: dict[str, Any], as_of: date, limits: Limits) -> list[Signal]:
    month = [month_name(known.last)]
    # On the second of a month, when the import runs, the month before it is complete.
    due = as_of - timedelta(days=1)
    missing = due.year * YEAR + due.month - 2 - known.last
    read = counts.get("read") or 0
    share = (counts.get("quarantined") or 0) / read if read else None
    return [
        Signal("months_missing", "all", limits.max_months_missing, LOOK, month, [float(max(0, missing))]),
        Signal("quarantined", "all", limits.max_quarantined, LOOK, month, [share]),
    ]

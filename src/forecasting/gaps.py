"""Months that are not what they seem: partial first and last months, closed months, months without a sale.

Each series is judged by how often it sells. One that usually sells on several days of a month was closed in a month
without any: its sales are unknown, and nobody is judged by them. One that sells rarely sold nothing: the month is zero.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand.months import weekend_share
from demand.panel import WEEKDAYS
from forecasting.features import TARGET, month_index, series_keys

# A series with this many days with sales in a usual month was closed in a month without any. Weekly sales have four.
MIN_REGULAR_DAYS = 3
# Days that may lie between the begin of a month and its first sale, beside what is usual between two sales.
SLACK_DAYS = 2.0
# A sparse series counts as alive, and its months without a sale as zero, until this long after its last one.
MAX_SILENT_MONTHS = 12
NEEDED = ("SaleDays", "FirstDay", "LastDay")


@dataclass(frozen=True)
class Completed:
    """Monthly rows without partial and closed months and with the zeros of sparse series; how many of each."""

    rows: pd.DataFrame
    partial: int = 0
    closed: int = 0
    zeros: int = 0

    def sentences(self) -> list[str]:
        """What a reader should know, one line each."""
        lines = {
            "partial months, at the begin of a series, are not learned from": self.partial,
            "months in which a store that usually sells was closed are not learned from": self.closed,
            "months without a sale of series that sell rarely count as zero": self.zeros,
        }
        return [f"{count:,} {what}" for what, count in lines.items() if count]


def complete(rows: pd.DataFrame, until: int | None = None) -> Completed:
    """Judge the monthly rows of the aggregate step; rows without SaleDays, as of earlier releases, stay as they are.

    `until` is the last month (index) of all series where the rows are of some.
    """
    if not set(NEEDED) <= set(rows) or rows.empty:
        return Completed(rows)
    rows = rows.assign(MonthStart=pd.to_datetime(rows["MonthStart"]), _key=series_keys(rows))
    usual = rows[rows["SaleDays"] > 0].groupby("_key")["SaleDays"].median()
    regular = (rows["_key"].map(usual).fillna(0) >= MIN_REGULAR_DAYS).to_numpy()
    closed = regular & (rows["SaleDays"] == 0).to_numpy()
    partial = _is_partial(rows) & regular & ~closed
    kept = rows[~closed & ~partial].reset_index(drop=True)
    until = int(month_index(rows["MonthStart"]).max()) if until is None else until
    filled = _with_zeros(kept, ~regular[~closed & ~partial], until)
    zeros = len(filled) - len(kept)
    return Completed(filled.drop(columns="_key"), int(partial.sum()), int(closed.sum()), zeros)


def _is_partial(rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Where a series begins late in its first month of all, shape (rows,)."""
    first, last = pd.to_datetime(rows["FirstDay"]), pd.to_datetime(rows["LastDay"])
    of_series = pd.DataFrame({"key": rows["_key"], "first": first, "last": last, "days": rows["SaleDays"]})
    spans = of_series.groupby("key").agg(first=("first", "min"), last=("last", "max"), days=("days", "sum"))
    gap = (spans["last"] - spans["first"]).dt.days / (spans["days"] - 1).clip(lower=1)
    late = (first - rows["MonthStart"]).dt.days > rows["_key"].map(gap) + SLACK_DAYS
    is_first = first == rows["_key"].map(spans["first"])
    return np.asarray(is_first & late, dtype=bool)


def _with_zeros(rows: pd.DataFrame, is_sparse: npt.NDArray[np.bool_], until: int) -> pd.DataFrame:
    """The rows, and below them a row of zero sales for each missing month of the sparse series among them."""
    places, months = _missing(rows, is_sparse, until)
    if not len(places):
        return rows
    # A zero is like the month before it in what a series keeps, such as its city.
    filled = rows.iloc[np.concatenate([np.arange(len(rows)), places])].reset_index(drop=True)
    is_zero = np.arange(len(filled)) >= len(rows)
    unknown = [name for name in ("Price", "Weather", "Promotion", "Holiday", *NEEDED[1:]) if name in filled]
    sums = [name for name in (TARGET, "SaleDays", *WEEKDAYS) if name in filled]
    starts = pd.to_datetime([f"{month // 12}-{month % 12 + 1:02d}-01" for month in months])
    changed = {name: filled[name].mask(is_zero) for name in unknown}
    changed |= {name: filled[name].mask(is_zero, 0) for name in sums}
    changed["MonthStart"] = pd.Series([*rows["MonthStart"], *starts])
    changed["IsWeekend"] = pd.Series([*rows["IsWeekend"], *(weekend_share(int(month)) for month in months)])
    return filled.assign(**changed)


def _missing(
    rows: pd.DataFrame, is_sparse: npt.NDArray[np.bool_], until: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]:
    """(place of the row before, index) of each month without a row, of the series and months that count as zero."""
    at = np.flatnonzero(is_sparse)
    series, _ = pd.factorize(rows["_key"].to_numpy()[at])
    months = month_index(rows["MonthStart"])[at]
    span = pd.DataFrame({"series": series, "month": months}).groupby("series")["month"].agg(["min", "max"])
    first, last = span["min"].to_numpy(), np.minimum(until, span["max"].to_numpy() + MAX_SILENT_MONTHS)
    # One number per series and month, so that a whole table is one sorted array.
    width = until + 1
    wanted = np.concatenate(
        [
            number * width + np.arange(begin, end + 1)
            for number, (begin, end) in enumerate(zip(first, last, strict=True))
        ]
        or [np.empty(0, dtype=np.int64)]
    )
    there = series * width + months
    order = np.argsort(there, kind="stable")
    missing = np.setdiff1d(wanted, there)
    before = at[order][np.searchsorted(there[order], missing) - 1]
    return before, missing % width

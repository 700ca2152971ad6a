"""What the models learn from: calendar features, and what a store sold before a month began.

A row is a store-month: a series (StoreID, plus Category or Product at a finer grain) and a calendar month. Months are
counted as year * 12 + month - 1, so that a gap of a store is a gap here too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand.errors import StepError
from demand.months import month_name, season
from demand.state import KEPT_NUMBERS, KEPT_TEXTS, SEPARATOR, State

TARGET = "TotalSales"
GRAIN_COLUMNS = ("Category", "Product")
CONTEXTUAL = ("StoreID", "Country", "City", "Price", "Weather", "Promotion", "Holiday", "IsWeekend", "Season")
LAGS = (1, 2, 3, 12)
WINDOWS = (3, 12)
HISTORY = tuple(f"Lag{lag}" for lag in LAGS) + tuple(f"RollingMean{window}" for window in WINDOWS)
CATEGORICAL = frozenset({"StoreID", "Country", "City", "Weather", "Season", *GRAIN_COLUMNS})
FLAGS = frozenset({"Promotion", "Holiday"})
# Known before a month begins: from the calendar, from the plan, or from earlier months. Weather is not.
KNOWN_BEFORE = frozenset({*CONTEXTUAL, *GRAIN_COLUMNS, *HISTORY}) - {"Weather"}
MAX_SPAN_MONTHS = 1200

# What pandas 3 does by default: a frame that differs from another in one column shares the rest with it.
pd.options.mode.copy_on_write = True


def month_index(dates: pd.Series) -> npt.NDArray[np.int64]:
    """Months since year 0 of a datetime column, shape (rows,)."""
    return np.asarray(dates.dt.year * 12 + dates.dt.month - 1, dtype=np.int64)


def series_columns(monthly: pd.DataFrame) -> list[str]:
    """StoreID and, at a finer grain, the column that it adds."""
    return ["StoreID", *(name for name in GRAIN_COLUMNS if name in monthly and monthly[name].notna().any())]


def feature_names(candidate: str, monthly: pd.DataFrame) -> list[str]:
    """Features of `contextual` or `history`; a finer grain adds its column to both."""
    names = [*CONTEXTUAL, *series_columns(monthly)[1:]]
    return names + list(HISTORY) if candidate == "history" else names


def add_calendar(monthly: pd.DataFrame) -> pd.DataFrame:
    """The same rows with MonthYear ('2024-02') and Season, in the order of month and series."""
    rows = monthly.assign(MonthStart=pd.to_datetime(monthly["MonthStart"]))
    rows["MonthYear"] = rows["MonthStart"].dt.strftime("%Y-%m")
    rows["Season"] = (rows["MonthStart"].dt.month - 1).map(season)
    rows["StoreID"] = rows["StoreID"].astype(str)
    return rows.sort_values(["MonthStart", *series_columns(rows)], kind="stable", ignore_index=True)


def prepared(monthly: pd.DataFrame) -> pd.DataFrame:
    """Monthly rows with the calendar, as recipes take them."""
    rows = add_calendar(monthly)
    return rows.assign(**{flag: rows[flag].astype("float64") for flag in ("Promotion", "Holiday")})


@dataclass
class SalesHistory:
    """Sales by series and calendar month: `values` has shape (series, months) in units, NaN where nothing is recorded.

    This is the state that serving needs to build the history features of a month to come.
    """

    keys: pd.Index
    first_month: int
    values: npt.NDArray[np.float64]

    @classmethod
    def of(cls, rows: pd.DataFrame) -> "SalesHistory":
        """History of `rows` (StoreID, MonthStart, TotalSales).

        Raises:
            StepError: the months span more than a century, which a wrong date causes.
        """
        months = month_index(rows["MonthStart"])
        first, last = int(months.min()), int(months.max())
        if last - first > MAX_SPAN_MONTHS:
            raise StepError(f"sales span {month_name(first)} to {month_name(last)}: correct the dates at the source")
        places, keys = pd.factorize(series_keys(rows))
        values = np.full((len(keys), last - first + 1), np.nan)
        values[places, months - first] = rows[TARGET].to_numpy(dtype=np.float64)
        return cls(pd.Index(keys), first, values)

    def positions(self, rows: pd.DataFrame) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]:
        """Series and month position of each row; a series without history is -1."""
        return self.keys.get_indexer(pd.Index(series_keys(rows))), month_index(rows["MonthStart"]) - self.first_month

    def until(self, month: int) -> "SalesHistory":
        """The same with `month` (index) and all after it unknown."""
        values = self.values.copy()
        values[:, max(0, month - self.first_month) :] = np.nan
        return SalesHistory(self.keys, self.first_month, values)

    def at_origin(self, month: int) -> "SalesHistory":
        """What is known at the end of `month` (index): no later month, and no series that has not sold by then."""
        cut = self.until(month + 1)
        known = np.flatnonzero(np.isfinite(cut.values).any(axis=1))
        return SalesHistory(cut.keys[known], cut.first_month, cut.values[known])

    def with_room_until(self, month: int) -> "SalesHistory":
        """A copy with months until `month` (index), empty where they are new."""
        more = max(0, month - self.first_month + 1 - self.values.shape[1])
        empty = np.full((len(self.keys), more), np.nan)
        return SalesHistory(self.keys, self.first_month, np.concatenate([self.values, empty], axis=1))

    def record(self, rows: pd.DataFrame, sales: npt.NDArray[np.float64]) -> None:
        """Put `sales` (units, shape (rows,)) in the place of what the rows' months hold."""
        series, months = self.positions(rows)
        self.values[series[series >= 0], months[series >= 0]] = sales[series >= 0]

    def before(self, rows: pd.DataFrame) -> "Past":
        """What was sold before each row's month."""
        return Past(self.values, *self.positions(rows))

    def features(self, rows: pd.DataFrame) -> pd.DataFrame:
        """History features of each row, as known the moment before its month begins."""
        past = self.before(rows)
        columns = {f"Lag{lag}": past.lag(lag) for lag in LAGS}
        columns |= {f"RollingMean{window}": past.mean(window) for window in WINDOWS}
        return pd.DataFrame(columns, index=rows.index)


class Past(NamedTuple):
    """A history's `values`, and the places in it, series and month, of some rows; each of shape (rows,)."""

    values: npt.NDArray[np.float64]
    series: npt.NDArray[np.intp]
    months: npt.NDArray[np.int64]

    def lag(self, months_back: int) -> npt.NDArray[np.float64]:
        """Sales `months_back` calendar months before each row's month; NaN where unknown."""
        wanted = self.months - months_back
        known = (self.series >= 0) & (wanted >= 0) & (wanted < self.values.shape[1])
        result = np.full(len(wanted), np.nan)
        result[known] = self.values[self.series[known], wanted[known]]
        return result

    def mean(self, window: int) -> npt.NDArray[np.float64]:
        """Mean of the known sales of the `window` calendar months before each row's month; NaN where none is."""
        known = np.stack([self.lag(back) for back in range(1, window + 1)])
        count = np.isfinite(known).sum(axis=0)
        total = np.nansum(known, axis=0)
        result = np.full(len(self.months), np.nan)
        np.divide(total, count, out=result, where=count > 0)
        return result


def series_keys(rows: pd.DataFrame) -> npt.NDArray[np.object_]:
    """One text per row that names its series; rows of a series share it, since many rows have few series."""
    code, names = np.zeros(len(rows), dtype=np.int64), [""]
    for position, name in enumerate(series_columns(rows)):
        places, values = pd.factorize(rows[name].astype(object), use_na_sentinel=True)
        texts = [*map(str, values), ""]  # the last is that of -1, unknown
        pairs, code = np.unique(code * len(texts) + places % len(texts), return_inverse=True)
        heads, tails = np.divmod(pairs, len(texts))
        separator = SEPARATOR if position else ""
        names = [names[head] + separator + texts[tail] for head, tail in zip(heads, tails, strict=True)]
    return np.array(names, dtype=object)[code]


def model_frame(rows: pd.DataFrame, features: Sequence[str], masked: Iterable[str] = ()) -> pd.DataFrame:
    """The features alone, as the models take them: text as str, flags and numbers as float64, NaN where unknown.

    Columns in `masked` are made unknown.
    """
    hidden, frame = set(masked), {}
    for name in features:
        column = pd.Series(np.nan, index=rows.index) if name in hidden or name not in rows else rows[name]
        if name in CATEGORICAL:
            frame[name] = column.astype(object).where(column.notna(), np.nan)
        else:
            frame[name] = column.astype("float64")
    return pd.DataFrame(frame, index=rows.index)


def state_of(rows: pd.DataFrame) -> State:
    """State after the monthly `rows` of the aggregate or the prepare step, its series by their keys."""
    history = SalesHistory.of(rows)
    last = rows.sort_values("MonthStart", kind="stable").assign(_key=series_keys)
    known = last.groupby("_key").last().reindex(history.keys)
    keys = np.array(list(history.keys), dtype=np.str_)
    order = np.argsort(keys, kind="stable")
    known = known.iloc[order]
    return State(
        tuple(series_columns(rows)),
        keys[order],
        history.first_month,
        history.values[order],
        {name: known[name].fillna("").astype(str).to_numpy(dtype=np.str_) for name in KEPT_TEXTS},
        {name: known[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in KEPT_NUMBERS},
    )

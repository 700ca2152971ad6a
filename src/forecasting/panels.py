"""The months of every series as arrays: what a direct model learns from, cut at any origin."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand.known import Known
from demand.panel import PLANNED, WEEKDAYS, Panel
from forecasting.features import TARGET, month_index, series_keys

FloatArray = npt.NDArray[np.float64]
# Series with fewer days with sales in a usual month tell nothing of weekdays, as monthly reports do not.
MIN_WEEKDAY_DAYS = 3
SEED = 7


@dataclass(frozen=True)
class Months:
    """Sales, weekdays and plans of every series and month.

    Attributes:
        keys: one text per series, shape (series,), sorted.
        first_month: index of the month of `sales[:, 0]`.
        sales: units, shape (series, months), NaN where unknown.
        weekdays: units by weekday until each month, shape (series, months, 7); zero while sales are rare.
        days: days with a sale until each month, shape (series, months); zero while sales are rare.
        plans: each of PLANNED -> shape (series, months), NaN where unknown, in float32's precision.
    """

    keys: npt.NDArray[np.str_]
    first_month: int
    sales: FloatArray
    weekdays: FloatArray
    days: FloatArray
    plans: dict[str, FloatArray]

    @classmethod
    def of(cls, rows: pd.DataFrame) -> "Months":
        """From monthly rows (`forecasting.gaps.complete`): StoreID, MonthStart, TotalSales, and what else they have."""
        keys, months = series_keys(rows), month_index(pd.to_datetime(rows["MonthStart"]))
        names, places = np.unique(keys.astype(str), return_inverse=True)
        first = int(months.min())
        at, shape = (places, months - first), (len(names), int(months.max()) - first + 1)
        sales = np.full(shape, np.nan)
        sales[at] = rows[TARGET].to_numpy(dtype=np.float64)
        weekdays, days = _weekdays(rows, at, shape)
        plans = {name: _plan(rows, name, at, shape) for name in PLANNED}
        return cls(names, first, sales, weekdays, days, plans)

    @property
    def last_month(self) -> int:
        """Index of the last month."""
        return self.first_month + int(self.sales.shape[1]) - 1

    def panel(self, origin: int | None = None) -> Panel:
        """What is known at the end of the month `origin` (index), by default the last one."""
        kept = (self.last_month if origin is None else origin) - self.first_month + 1
        plans = {name: values[:, :kept] for name, values in self.plans.items()}
        weekdays, days = self.weekdays[:, kept - 1], self.days[:, kept - 1]
        return Panel(self.keys, self.first_month, self.sales[:, :kept], weekdays, days, plans)

    def known(self, origin: int | None = None) -> Known:
        """The same with all that follows from it."""
        return Known(self.panel(origin))

    def thinned(self, most: int) -> "Months":
        """Some `most` of the series, drawn with a seed, or all where there are not more."""
        if len(self.keys) <= most:
            return self
        at = np.sort(np.random.default_rng(SEED).choice(len(self.keys), most, replace=False))
        plans = {name: values[at] for name, values in self.plans.items()}
        return Months(self.keys[at], self.first_month, self.sales[at], self.weekdays[at], self.days[at], plans)

    def sales_of(self, month: int) -> FloatArray:
        """Sales of a month (index), shape (series,), NaN where unknown or outside."""
        place = month - self.first_month
        inside = 0 <= place < self.sales.shape[1]
        return self.sales[:, place] if inside else np.full(len(self.keys), np.nan)

    def plan_of(self, month: int) -> dict[str, FloatArray]:
        """What was recorded of a month's PLANNED, each of shape (series,)."""
        return {name: values[:, month - self.first_month] for name, values in self.plans.items()}


def _weekdays(
    rows: pd.DataFrame, at: tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]], shape: tuple[int, int]
) -> tuple[FloatArray, FloatArray]:
    """(units by weekday, days with a sale) until each month; nothing as long as a series' sales are too rare."""
    weekdays, days = np.zeros((*shape, 7)), np.zeros(shape)
    if not {*WEEKDAYS, "SaleDays"} <= set(rows):
        return weekdays, days
    weekdays[at] = rows[list(WEEKDAYS)].to_numpy(dtype=np.float64)
    days[at] = rows["SaleDays"].to_numpy(dtype=np.float64)
    months = (days > 0).cumsum(axis=1)
    weekdays, days = weekdays.cumsum(axis=1), days.cumsum(axis=1)
    rare = days < MIN_WEEKDAY_DAYS * months
    weekdays[rare], days[rare] = 0.0, 0.0
    return weekdays, days


def _plan(
    rows: pd.DataFrame, name: str, at: tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]], shape: tuple[int, int]
) -> FloatArray:
    plan = np.full(shape, np.nan)
    if name in rows:
        plan[at] = rows[name].astype("float64").to_numpy(dtype=np.float32, na_value=np.nan)
    return plan

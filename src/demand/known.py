"""What the sales of a panel say of trading days, levels and months of the year. NumPy alone, since serving uses it.

Sales are compared by trading day: a month's trading days are its calendar days, each weighted by what the series sells
on that weekday (1 on average). So a month with five Saturdays counts for more than one with four where Saturdays sell,
and a series that reports every Friday has as many trading days as seven times its Fridays.
"""

import calendar
import warnings
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from demand.panel import Panel

FloatArray = npt.NDArray[np.float64]
YEAR = 12
# Days with sales at which a series' own weekdays count as much as those of all series.
WEEKDAY_PRIOR_DAYS = 28.0
# Months around one that say what is usual in it: half a year on either side.
HALF_YEAR, MIN_AROUND = 6, 6
MIN_RATIO, MAX_RATIO = 0.05, 20.0
# A level below this fraction of the mean one is a series that hardly sold; ratios to it would say nothing.
MIN_LEVEL = 0.02


@lru_cache(maxsize=4096)
def weekday_counts(month: int) -> tuple[int, ...]:
    """How often each weekday, Monday first, occurs in a month (index)."""
    first, days = calendar.monthrange(month // YEAR, month % YEAR + 1)
    return tuple(sum((first + day) % 7 == weekday for day in range(days)) for weekday in range(7))


def counts_of(months: range) -> FloatArray:
    """The same of many months, shape (months, 7)."""
    return np.array([weekday_counts(month) for month in months], dtype=np.float64).reshape(-1, 7)


@dataclass(frozen=True)
class Pooled:
    """What all series together say of each of them. With it some series are known as well as among all.

    Attributes:
        weekdays: sales of each weekday over the mean one, shape (7,).
        mean_rate: sales per trading day over all series and months; a millionth where nothing was sold.
        season: rates of the calendar months over the usual ones around them, shape (12,).
        sold_of_usual: sales of each known month over what the levels of today would sell in it, shape (m,).
    """

    weekdays: FloatArray
    mean_rate: float
    season: FloatArray
    sold_of_usual: FloatArray


class Known:
    """A panel, and what follows from it; every property is worked out once.

    Shapes: n series, m months. Whatever is said of a series is the same to the last bit whether the panel holds all
    series or, with what all of them say (`pooled`), some.
    """

    def __init__(self, panel: Panel, pooled: Pooled | None = None) -> None:
        self.panel = panel
        self._of_all = pooled
        self.sales = panel.sales
        self.months = range(panel.first_month, panel.last_month + 1)

    @cached_property
    def weights(self) -> FloatArray:
        """Weight of each weekday, shape (n, 7), 1 on average over the calendar.

        A series' own shares are shrunk towards those of all series by how many days with sales it has.
        """
        sold, usual = np.clip(self.panel.weekdays, 0.0, None), self._usual_weekdays
        totals = sold.sum(axis=1, keepdims=True)
        own = np.where(totals > 0, sold / np.where(totals > 0, totals, 1.0) * 7 / usual, self._weekdays_of_all)
        trust = (self.panel.days / (self.panel.days + WEEKDAY_PRIOR_DAYS))[:, None]
        return np.asarray(trust * own + (1 - trust) * self._weekdays_of_all)

    @cached_property
    def _usual_weekdays(self) -> FloatArray:
        usual = counts_of(self.months).sum(axis=0)
        return np.asarray(usual / usual.sum() * 7)

    @cached_property
    def _weekdays_of_all(self) -> FloatArray:
        if self._of_all is not None:
            return self._of_all.weekdays
        sold = np.clip(self.panel.weekdays, 0.0, None)
        total = sold.sum(axis=1, keepdims=True).sum()
        return np.asarray(sold.sum(axis=0) / total * 7 / self._usual_weekdays) if total > 0 else np.ones(7)

    def trading_days(self, month: int) -> FloatArray:
        """Weekday-weighted days of a month (index), shape (n,)."""
        return self._weighted(counts_of(range(month, month + 1)))[:, 0]

    @cached_property
    def trading(self) -> FloatArray:
        """Trading days of the known months, shape (n, m), at least a millionth."""
        return np.maximum(self._weighted(counts_of(self.months)), 1e-6)

    def _weighted(self, counts: FloatArray) -> FloatArray:
        """Sum over the weekdays of weight x count, shape (n, months); `@` rounds a row by how many there are."""
        total = self.weights[:, :1] * counts[:, 0]
        for weekday in range(1, 7):
            total += self.weights[:, weekday : weekday + 1] * counts[:, weekday]
        return total

    @cached_property
    def is_known(self) -> npt.NDArray[np.bool_]:
        """Where sales are known, shape (n, m)."""
        return np.isfinite(self.sales)

    @cached_property
    def rates(self) -> FloatArray:
        """Sales per trading day, shape (n, m), NaN where unknown."""
        return np.asarray(self.sales / self.trading)

    @cached_property
    def mean_rate(self) -> float:
        """Sales per trading day over all series and months; a millionth where nothing was sold."""
        if self._of_all is not None:
            return self._of_all.mean_rate
        days = float(self.trading[self.is_known].sum())
        rate = float(np.nansum(self.sales)) / days if days else 0.0
        return rate if rate > 0 else 1e-6

    def rate_of_last(self, months: int) -> FloatArray:
        """Sales over trading days of the last months, shape (n,), NaN where none is known."""
        known = self.is_known[:, -months:]
        days = np.where(known, self.trading[:, -months:], 0.0).sum(axis=1)
        sold = np.where(known, self.sales[:, -months:], 0.0).sum(axis=1)
        return np.asarray(np.divide(sold, days, out=np.full(len(days), np.nan), where=days > 0))

    @cached_property
    def level(self) -> FloatArray:
        """Sales per trading day of the last twelve months, shape (n,); where unknown, of all months or all series."""
        level = self.rate_of_last(YEAR)
        level = np.where(np.isfinite(level), level, self.rate_of_last(len(self.months)))
        level = np.where(np.isfinite(level), level, self.mean_rate)
        return np.maximum(level, MIN_LEVEL * self.mean_rate)

    def rate_at(self, month: int) -> FloatArray:
        """Sales per trading day of one month (index), shape (n,), NaN where unknown."""
        place = month - self.panel.first_month
        inside = 0 <= place < self.sales.shape[1]
        return self.rates[:, place] if inside else np.full(len(self.sales), np.nan)

    def sold_of_usual(self, month: int) -> float:
        """Sales of all series in a month (index) over what their levels of today would sell in it; NaN before all."""
        place = month - self.panel.first_month
        if place < 0:
            return float("nan")
        if self._of_all is not None:
            return float(self._of_all.sold_of_usual[place])
        at = self.is_known[:, place]
        usual = float((self.level * self.trading[:, place])[at].sum())
        return float(self.sales[at, place].sum()) / usual if usual > 0 else float("nan")

    @cached_property
    def _usual_rates(self) -> FloatArray:
        """Mean rate of the twelve or thirteen months around each month, shape (n, m); NaN where too few are known."""
        n, m = self.rates.shape
        rates = np.where(self.is_known, self.rates, 0.0)
        sums = np.concatenate([np.zeros((n, 1)), rates.cumsum(axis=1)], axis=1)
        counts = np.concatenate([np.zeros((n, 1)), self.is_known.cumsum(axis=1)], axis=1)
        begin, end = np.maximum(0, np.arange(m) - HALF_YEAR), np.minimum(m, np.arange(m) + HALF_YEAR + 1)
        begin = np.minimum(begin, np.maximum(0, end - YEAR))
        end = np.maximum(end, np.minimum(m, begin + YEAR))
        known = counts[:, end] - counts[:, begin]
        total = sums[:, end] - sums[:, begin]
        return np.asarray(np.divide(total, known, out=np.full((n, m), np.nan), where=known >= MIN_AROUND))

    @cached_property
    def month_profiles(self) -> tuple[FloatArray, FloatArray]:
        """Rates of the calendar months over the usual ones around them: of all series (12,), of each series (n, 12)."""
        usable = self.is_known & np.isfinite(self._usual_rates)
        rates, usual = np.where(usable, self.rates, 0.0), np.where(usable, self._usual_rates, 0.0)
        top, bottom = np.zeros((len(rates), YEAR)), np.zeros((len(rates), YEAR))
        for place, month in enumerate(self.months):
            top[:, month % YEAR] += rates[:, place]
            bottom[:, month % YEAR] += usual[:, place]
        pooled = self._of_all.season if self._of_all is not None else _ratio(top.sum(axis=0), bottom.sum(axis=0), 1.0)
        own = _ratio(top, bottom, pooled)
        return np.clip(pooled, MIN_RATIO, MAX_RATIO), np.clip(own, MIN_RATIO, MAX_RATIO)

    @cached_property
    def pooled(self) -> Pooled:
        """What these series say together, or what all of them do where that was given."""
        if self._of_all is not None:
            return self._of_all
        sold = np.array([self.sold_of_usual(month) for month in self.months])
        return Pooled(self._weekdays_of_all, self.mean_rate, self.month_profiles[0], sold)

    def of_series(self, places: npt.NDArray[np.intp]) -> "Known":
        """Some of the series, known as they are among all."""
        return Known(self.panel.of_series(places), self.pooled)


def _ratio(top: FloatArray, bottom: FloatArray, otherwise: FloatArray | float) -> FloatArray:
    """top / bottom where bottom is above zero."""
    return np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1.0), otherwise)


def row_mean(values: FloatArray) -> FloatArray:
    """Mean over the last axis of what is known; NaN, without a warning, where nothing is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmean(values, axis=1)) if values.shape[1] else np.full(len(values), np.nan)

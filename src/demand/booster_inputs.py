"""The input of a booster: a month ahead, and what is known of a series at the origin. Training and serving share it.

Everything is relative: sales per trading day over the series' level, prices over the series' mean price. The booster
learns sales / scale, where scale is level x trading days of the month ahead ("level"), or the profile's forecast
("profile").
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from demand import profile as profiles
from demand.known import MIN_LEVEL, YEAR, Known, row_mean
from demand.panel import PLANNED
from demand.profile import Profile

FloatArray = npt.NDArray[np.float64]
SmallFloat = npt.NDArray[np.float32]
# Horizons that are learned; further ahead the last of them is used, with the season and trading days of the month.
MAX_HORIZON = 6
BASES = ("level", "profile")
# Column -> what it is called where a forecast is explained.
GROUPS = {
    "Horizon": "Horizon",
    "Month": "Month",
    "TradingDays": "TradingDays",
    "Rate1": "RecentSales",
    "Rate2": "RecentSales",
    "Rate3": "RecentSales",
    "Mean3": "RecentSales",
    "Mean6": "RecentSales",
    "LastYear": "LastYear",
    "TwoYearsAgo": "LastYear",
    "AroundLastYear": "LastYear",
    "AllLastYear": "Season",
    "Season": "Season",
    "Profile": "Season",
    "Trend": "Trend",
    "Price": "Price",
    "LastPrice": "LastPrice",
    "Promotion": "Promotion",
    "PromotionShare": "PastPromotions",
    "LastPromotion": "PastPromotions",
    "PromotionLastYear": "PastPromotions",
    "Holiday": "Holiday",
    "HolidayLastYear": "HolidayLastYear",
    "Age": "Age",
    "Size": "Size",
}
COLUMNS = tuple(GROUPS)
PLAN_PLACES = {name: COLUMNS.index(name) for name in PLANNED}
MAX_AGE = 36


class Inputs(NamedTuple):
    """Of one month ahead: `x` (series, COLUMNS) in float32, `scale` (series,) in units, `price` (series,) by which a
    planned price is divided."""

    x: SmallFloat
    scale: FloatArray
    price: FloatArray


def inputs(known: Known, month: int, base: str, profile: Profile) -> Inputs:
    """Inputs of every series for `month` (index) after the last known one, without a plan for it.

    Args:
        known: what is known at the origin.
        month: the month ahead.
        base: one of BASES.
        profile: settings of the profile that takes part.
    """
    days = np.maximum(known.trading_days(month), 1e-6)
    of_profile = profiles.forecast(known, profile, range(month, month + 1))[:, 0] / days
    scale = known.level if base == "level" else np.maximum(of_profile, MIN_LEVEL * known.level)
    mean_price = row_mean(known.panel.plans["Price"][:, -YEAR:])
    columns = {
        **_calendar(known, month, days),
        **_past(known, month, scale),
        "Profile": of_profile / known.level,
        **_plans(known, month, mean_price),
    }
    x = np.stack([np.broadcast_to(columns[name], scale.shape) for name in COLUMNS], axis=1)
    return Inputs(x.astype(np.float32), scale * days, mean_price)


def with_plan(given: Inputs, plan: Mapping[str, FloatArray]) -> SmallFloat:
    """`given.x` with what is planned of the month: each of PLANNED -> shape (series,), NaN where nothing is."""
    x = given.x.copy()
    for name, values in plan.items():
        place = PLAN_PLACES[name]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # what is no number then is left out
            known = np.asarray(values / given.price if name == "Price" else values, dtype=np.float32)
        x[:, place] = np.where(np.isfinite(known), known, x[:, place])
    return x


@lru_cache(maxsize=1024)
def _same_month(month: int, last: int) -> int:
    """The latest known month of the same calendar month."""
    return month - YEAR * -(-(month - last) // YEAR)


def _calendar(known: Known, month: int, days: FloatArray) -> dict[str, FloatArray]:
    n, pooled = len(known.sales), known.month_profiles[0]
    last = known.panel.last_month
    return {
        "Horizon": np.full(n, float(min(month - last, MAX_HORIZON))),
        "Month": np.full(n, float(month % YEAR)),
        "TradingDays": days / known.trading[:, -YEAR:].mean(axis=1),
        "Season": np.full(n, pooled[month % YEAR]),
        "Age": np.minimum(known.is_known.sum(axis=1), MAX_AGE).astype(np.float64),
        "Size": np.log(known.level / known.mean_rate),
    }


def _past(known: Known, month: int, scale: FloatArray) -> dict[str, FloatArray]:
    last, rates = known.panel.last_month, known.rates
    same = _same_month(month, last)
    columns = {f"Rate{back}": known.rate_at(last + 1 - back) / scale for back in (1, 2, 3)}
    columns |= {f"Mean{months}": row_mean(rates[:, -months:]) / scale for months in (3, 6)}
    neighbours = np.stack([known.rate_at(same - 1), known.rate_at(same + 1)], axis=1)
    return columns | {
        "LastYear": known.rate_at(same) / scale,
        "TwoYearsAgo": known.rate_at(same - YEAR) / scale,
        "AroundLastYear": row_mean(neighbours) / scale,
        "AllLastYear": known.sold_of_usual(same) * known.level / scale,
        "Trend": row_mean(rates[:, -2 * YEAR : -YEAR]) / known.level,
    }


def _plans(known: Known, month: int, mean_price: FloatArray) -> dict[str, FloatArray]:
    """What was recorded of prices, promotions and holidays; the month's price is the last one, the rest is unknown."""
    plans, none = known.panel.plans, np.full(len(known.sales), np.nan)
    same = _same_month(month, known.panel.last_month) - known.panel.first_month
    price = last_known(plans["Price"][:, -YEAR:]) / mean_price
    return {
        "Price": price,
        "LastPrice": price,
        "Promotion": none,
        "PromotionShare": row_mean(plans["Promotion"][:, -YEAR:]),
        "LastPromotion": plans["Promotion"][:, -1],
        "PromotionLastYear": plans["Promotion"][:, same] if same >= 0 else none,
        "Holiday": none,
        "HolidayLastYear": plans["Holiday"][:, same] if same >= 0 else none,
    }


def last_known(values: FloatArray) -> FloatArray:
    """The last finite value of each row, shape (rows,), NaN where there is none."""
    known = np.isfinite(values)
    if not values.shape[1]:
        return np.full(len(values), np.nan)
    place = values.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1)
    return np.where(known.any(axis=1), values[np.arange(len(values)), place], np.nan)

"""The days that are generated, and what a shop and its customers see on each."""

import datetime as dt
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from warehouse.places import CITIES, City

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Settings:
    """What to generate; months are whole and `end` (year, month) is the last of them."""

    seed: int = 20251101
    months: int = 36
    end: tuple[int, int] = (2026, 10)
    stores_per_city: int = 3
    cities: tuple[City, ...] = field(default=CITIES)


@dataclass(frozen=True)
class Calendar:
    """Days of the period: ordinal of each, its month (from 0), weekday (Monday 0) and day of the year (0 to 1)."""

    days: Ints
    month: Ints
    weekday: Ints
    year_part: Floats
    day_of_month: Ints


@dataclass(frozen=True)
class Factors:
    """Per store and day, shape (stores, days): what the shop and its customers see."""

    open: Flags
    promotion: Flags
    holiday: Flags
    weather: Ints
    heat: Floats
    level: Floats


def make_calendar(settings: Settings) -> Calendar:
    """The days from the first of the first month to the last of the last."""
    year, month = settings.end
    last = dt.date(year + month // 12, month % 12 + 1, 1).toordinal() - 1
    first_month = year * 12 + month - settings.months
    first = dt.date(first_month // 12, first_month % 12 + 1, 1).toordinal()
    days = np.arange(first, last + 1)
    dates = [dt.date.fromordinal(int(day)) for day in days]
    return Calendar(
        days=days,
        month=np.array([date.year * 12 + date.month - 1 - first_month for date in dates]),
        weekday=np.array([date.weekday() for date in dates]),
        year_part=np.array([date.timetuple().tm_yday / 365.25 for date in dates]),
        day_of_month=np.array([date.day for date in dates]),
    )

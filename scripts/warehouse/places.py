"""Where GloboJava sells: cities with their climate, currencies, and the public holidays of each country."""

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True)
class City:
    """Mean temperature and half its yearly swing in degrees Celsius, and the fraction of wet days."""

    name: str
    country: str
    mean: float
    swing: float
    wet: float


CITIES = (
    City("Seattle", "U.S.", 11.5, 8, 0.42),
    City("Portland", "U.S.", 12.5, 8.5, 0.40),
    City("San Francisco", "U.S.", 14, 4, 0.18),
    City("Los Angeles", "U.S.", 18, 5, 0.09),
    City("Phoenix", "U.S.", 24, 11, 0.08),
    City("Denver", "U.S.", 10.5, 12, 0.23),
    City("Austin", "U.S.", 20.5, 9.5, 0.23),
    City("Chicago", "U.S.", 10, 14, 0.33),
    City("Atlanta", "U.S.", 17, 10, 0.31),
    City("Miami", "U.S.", 25, 4.5, 0.36),
    City("New York", "U.S.", 12.5, 12.5, 0.33),
    City("Boston", "U.S.", 11, 12.5, 0.34),
    City("Vancouver", "Canada", 10.5, 7.5, 0.45),
    City("Calgary", "Canada", 4.5, 13, 0.30),
    City("Winnipeg", "Canada", 3, 18, 0.31),
    City("Toronto", "Canada", 9, 13.5, 0.36),
    City("Ottawa", "Canada", 6.5, 15.5, 0.39),
    City("Montreal", "Canada", 7, 15.5, 0.41),
    City("Mexico City", "Mexico", 16.5, 2.5, 0.36),
    City("Guadalajara", "Mexico", 20, 3.5, 0.27),
    City("Monterrey", "Mexico", 22.5, 7, 0.19),
    City("Tijuana", "Mexico", 17.5, 4.5, 0.08),
    City("Puebla", "Mexico", 16, 2.5, 0.33),
    City("Merida", "Mexico", 26, 3, 0.29),
)

# Units of the store's currency for the price of one U.S. dollar: what a cup costs, not the exchange rate.
PRICE_LEVEL = {"U.S.": 1.0, "Canada": 1.25, "Mexico": 13.0}

# (month, day) and (month, weekday with Monday 0, which one; -1 the last). Sources: U.S. 5 U.S.C. 6103; Canada Holidays
# Act and the common provincial days; Mexico Ley Federal del Trabajo art. 74 and the days that shops keep.
_FIXED = {
    "U.S.": ((1, 1), (6, 19), (7, 4), (11, 11), (12, 24), (12, 25), (12, 31)),
    "Canada": ((1, 1), (7, 1), (9, 30), (12, 24), (12, 25), (12, 26)),
    "Mexico": ((1, 1), (1, 6), (5, 1), (9, 16), (11, 1), (11, 2), (12, 12), (12, 25)),
}
_FLOATING = {
    "U.S.": ((1, 0, 3), (2, 0, 3), (5, 0, -1), (9, 0, 1), (10, 0, 2), (11, 3, 4)),
    "Canada": ((2, 0, 3), (8, 0, 1), (9, 0, 1), (10, 0, 2)),
    "Mexico": ((2, 0, 1), (3, 0, 3), (11, 0, 3)),
}


def holidays(country: str, year: int) -> set[dt.date]:
    """Public holidays of `country` in `year`; Good Friday counts in Canada and Mexico."""
    days = {dt.date(year, month, day) for month, day in _FIXED[country]}
    days |= {nth_weekday(year, month, weekday, nth) for month, weekday, nth in _FLOATING[country]}
    if country != "U.S.":
        days.add(easter(year) - dt.timedelta(days=2))
    return days


def nth_weekday(year: int, month: int, weekday: int, nth: int) -> dt.date:
    """The `nth` (from 1, or -1 for the last) `weekday` (Monday 0) of a month."""
    if nth < 0:
        last = dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)
        return last - dt.timedelta(days=(last.weekday() - weekday) % 7)
    first = dt.date(year, month, 1)
    return first + dt.timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


def easter(year: int) -> dt.date:
    """Easter Sunday (Gregorian), by the algorithm in Meeus, Astronomical Algorithms, chapter 8."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return dt.date(year, month, day + 1)

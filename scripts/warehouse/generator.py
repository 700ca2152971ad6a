"""Generated GloboJava sales: one row per store, day and category, and one more for a return.

Daily demand of a store and category is Poisson with a mean that is the product of what moves a coffee shop: the
store's size and its slow drift, growth, the season by climate, weekday, holiday, weather, price and promotion.
Campaigns run to the end of a month and are drawn anew each month, so last month and last year tell less than price
and promotion do. Everything comes from one seed: two runs give equal bytes.
"""

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.days import Calendar, Factors, Flags, Floats, Ints, Settings, make_calendar
from warehouse.places import PRICE_LEVEL, City, holidays
from warehouse.sales_rows import to_table

BASE_UNITS = np.array([85.0, 45.0, 38.0])  # a day, in a store of ordinary size
BASE_PRICE = np.array([4.2, 4.9, 3.8])  # U.S. dollars
ELASTICITY = -1.1
PROMOTION_UPLIFT = 0.30
PRICE_CUT = 0.15
HOLIDAY_EFFECT = np.array([0.80, 0.85, 1.15])
WEATHER_EFFECT = np.array([[0.97, 1.0, 1.08, 1.12], [1.12, 1.0, 0.85, 0.70], [1.0, 1.0, 0.97, 0.93]])
WEEKDAY_EFFECT = np.array([0.95, 0.95, 0.98, 1.0, 1.08, 1.12, 0.97])
# How demand answers to a degree above 15 C.
HEAT = np.array([-0.017, 0.030, -0.002])


def generate(settings: Settings | None = None) -> pa.Table:
    """Sales in the contract's columns and types, ordered by SaleDate; about 230 000 rows with the default settings."""
    settings = settings or Settings()
    rng = np.random.default_rng(settings.seed)
    calendar = make_calendar(settings)
    cities = [city for city in settings.cities for _ in range(settings.stores_per_city)]
    factors = make_factors(rng, calendar, cities)
    price = make_prices(rng, calendar, cities, factors)
    units = rng.poisson(mean_units(rng, calendar, factors, price, cities)).astype(np.float64)
    return to_table(rng, calendar, cities, factors, price, units)


def write_sales(path: Path, settings: Settings | None = None) -> int:
    """Write generated sales to the Parquet file `path`; returns the number of rows."""
    table = generate(settings)
    pq.write_table(table, path, compression="zstd")
    return int(table.num_rows)


def make_factors(rng: np.random.Generator, calendar: Calendar, cities: list[City]) -> Factors:
    """Draw openings, campaigns, weather and each store's level."""
    holiday = np.stack([_holidays(calendar, city.country) for city in cities])
    heat, weather = _weather(rng, calendar, cities)
    opened, age = _open_days(rng, calendar, len(cities))
    christmas = (calendar.year_part > 0.97) & holiday[0]  # most shops are shut on the main one of the three days
    return Factors(
        open=opened & ~(christmas & (rng.random(holiday.shape) < 0.5)),
        promotion=_campaigns(rng, calendar, cities),
        holiday=holiday,
        weather=weather,
        heat=heat,
        level=_levels(rng, calendar, len(cities)) * _ramp_up(age),
    )


def _holidays(calendar: Calendar, country: str) -> Flags:
    years = {dt.date.fromordinal(int(day)).year for day in calendar.days}
    days = sorted(date.toordinal() for year in years for date in holidays(country, year))
    return np.isin(calendar.days, days)


def _weather(rng: np.random.Generator, calendar: Calendar, cities: list[City]) -> tuple[Floats, Ints]:
    """Degrees above 15 C and the index into WEATHERS; stores of one city share both."""
    names = list(dict.fromkeys(city.name for city in cities))
    which = np.array([names.index(city.name) for city in cities])
    climate = {city.name: city for city in cities}
    mean, swing, wet = (np.array([getattr(climate[n], a) for n in names])[:, None] for a in ("mean", "swing", "wet"))
    shape = (len(names), len(calendar.days))
    # The warmest day is late in July.
    season = swing * np.cos(2 * np.pi * (calendar.year_part - 0.56))
    temperature = mean + season + rng.normal(0, 2.0, (shape[0], calendar.month[-1] + 1))[:, calendar.month]
    temperature = temperature + rng.normal(0, 3.0, shape)
    falls = rng.random(shape) < wet
    dry = np.where(rng.random(shape) < 0.6, 0, 1)
    weather = np.where(falls, np.where(temperature < 0, 3, 2), dry)
    return (temperature - 15)[which], weather[which]


def _open_days(rng: np.random.Generator, calendar: Calendar, stores: int) -> tuple[Flags, Ints]:
    """Which days a store is open, and its age in days: one in seven opens later, one in 14 closes, some are rebuilt."""
    count = len(calendar.days)
    order = rng.permutation(stores)
    opening, closing = np.full(stores, -10_000), np.full(stores, count)
    late, gone = order[: stores // 7], order[stores // 7 : stores // 7 + stores // 14]
    opening[late] = rng.integers(count // 6, count * 3 // 5, len(late))
    closing[gone] = rng.integers(count // 2, count - 60, len(gone))
    rebuilt = np.full(stores, -1_000)
    some = order[-(stores // 9) :] if stores >= 9 else order[:0]
    rebuilt[some] = rng.integers(count // 6, count - 60, len(some))
    day = np.arange(count)
    age = day - opening[:, None]
    shut = (day >= rebuilt[:, None]) & (day < rebuilt[:, None] + 18)
    return (age >= 0) & (day < closing[:, None]) & ~shut, age


def _ramp_up(age: Ints) -> Floats:
    """A new store reaches its level within about half a year."""
    return 1 - 0.55 * np.exp(-np.clip(age, 0, None) / 60.0)


def _campaigns(rng: np.random.Generator, calendar: Calendar, cities: list[City]) -> Flags:
    """Campaigns of a country or of a single store, from some day in the first week to the end of the month."""
    months = int(calendar.month[-1]) + 1
    countries = sorted({city.country for city in cities})
    national = rng.random((len(countries), months)) < 0.15
    local = rng.random((len(cities), months)) < 0.20
    running = local | national[[countries.index(city.country) for city in cities]]
    first_day = rng.integers(1, 8, running.shape)
    return running[:, calendar.month] & (calendar.day_of_month >= first_day[:, calendar.month])


def _levels(rng: np.random.Generator, calendar: Calendar, stores: int) -> Floats:
    """Size of a store, its growth a year and a slow drift from month to month."""
    months = int(calendar.month[-1]) + 1
    size = np.exp(rng.normal(0, 0.30, (stores, 1)))
    growth = rng.normal(0.07, 0.06, (stores, 1)) * np.arange(months) / 12
    drift = np.cumsum(rng.normal(0, 0.030, (stores, months)), axis=1)
    return (size * np.exp(growth + drift))[:, calendar.month]


def make_prices(rng: np.random.Generator, calendar: Calendar, cities: list[City], factors: Factors) -> Floats:
    """Price per unit in the store's currency, shape (stores, days, categories): rises each year, cut in campaigns."""
    level = np.array([PRICE_LEVEL[city.country] for city in cities])[:, None, None]
    own = np.exp(rng.normal(0, 0.05, (len(cities), 1, 1)))
    rise = 1 + 0.035 * (calendar.month // 12)[None, :, None]
    cut = np.where(factors.promotion, 1 - PRICE_CUT, 1.0)[:, :, None]
    return np.asarray(np.round(BASE_PRICE * level * own * rise * cut, 2))


def mean_units(
    rng: np.random.Generator, calendar: Calendar, factors: Factors, price: Floats, cities: list[City]
) -> Floats:
    """Expected units, shape (stores, days, categories)."""
    usual = BASE_PRICE * np.array([PRICE_LEVEL[city.country] for city in cities])[:, None, None]
    promoted = np.where(factors.promotion, 1 + PROMOTION_UPLIFT, 1.0)
    shared = factors.level * promoted * WEEKDAY_EFFECT[calendar.weekday]
    units = BASE_UNITS * shared[:, :, None] * (price / usual) ** ELASTICITY
    units = units * np.exp(HEAT * factors.heat[:, :, None].clip(-30, 20))
    units = units * WEATHER_EFFECT.T[factors.weather]
    units = units * np.where(factors.holiday[:, :, None], HOLIDAY_EFFECT, 1.0)
    return np.asarray(units * np.exp(rng.normal(0, 0.10, units.shape)))

"""From arrays by store, day and category to the rows of the contract: times, returns, missing values, order."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from warehouse.days import Calendar, Factors
from warehouse.places import City

CATEGORIES = ("Hot drinks", "Cold drinks", "Food")
PRODUCTS = (
    ("Espresso", "Cappuccino", "Latte", "Filter coffee", "Hot chocolate"),
    ("Cold brew", "Iced latte", "Frappe", "Iced tea"),
    ("Croissant", "Sandwich", "Muffin", "Cookie"),
)
WEATHERS = ("Sunny", "Cloudy", "Rainy", "Snowy")
RETURNED = 0.004  # rows of which a part comes back the same day
# Fractions of missing values.
MISSING = {"City": 0.004, "Product": 0.01, "Price": 0.004, "Weather": 0.03, "Promotion": 0.01, "Holiday": 0.003}
EPOCH_ORDINAL = 719_163  # 1970-01-01
DAY_SECONDS = 86_400


def to_table(
    rng: np.random.Generator,
    calendar: Calendar,
    cities: list[City],
    factors: Factors,
    price: npt.NDArray[np.float64],
    units: npt.NDArray[np.float64],
) -> pa.Table:
    """The contract's columns; one row per open store, day and category, then returns, ordered by time."""
    store, day, category = np.nonzero(np.broadcast_to(factors.open[:, :, None], units.shape))
    quantity = units[store, day, category]
    seconds = rng.integers(19 * 3600, 22 * 3600, len(store))  # a day's row is written when the till closes
    back = np.flatnonzero((rng.random(len(store)) < RETURNED) & (quantity > 4))
    rows = np.concatenate([np.arange(len(store)), back])
    quantity = np.concatenate([quantity, -np.ceil(quantity[back] * 0.04)])
    seconds = np.concatenate([seconds, seconds[back] + 600])
    time = (calendar.days[day][rows] - EPOCH_ORDINAL) * DAY_SECONDS + seconds
    order = np.lexsort((category[rows], store[rows], time))
    rows, quantity, time = rows[order], quantity[order], time[order]
    store, day, category = store[rows], day[rows], category[rows]
    columns = {
        "SaleID": pa.array(np.arange(1, len(rows) + 1)),
        "SaleDate": pa.array(time * 1_000_000).cast(pa.timestamp("us")),
        "StoreID": _texts(store, [f"S{number:03d}" for number in range(1, len(cities) + 1)]),
        "Country": _texts(store, [city.country for city in cities]),
        "City": _texts(store, [city.name for city in cities], _gaps(rng, "City", len(rows))),
        "Category": _texts(category, CATEGORIES),
        "Product": _products(rng, category),
        "Price": pa.array(price[store, day, category], mask=_gaps(rng, "Price", len(rows))),
        "Quantity": pa.array(quantity),
        "Weather": _texts(factors.weather[store, day], WEATHERS, _gaps(rng, "Weather", len(rows))),
        "Promotion": pa.array(factors.promotion[store, day], mask=_gaps(rng, "Promotion", len(rows))),
        "Holiday": pa.array(factors.holiday[store, day], mask=_gaps(rng, "Holiday", len(rows))),
    }
    return pa.table(columns)


def _gaps(rng: np.random.Generator, column: str, rows: int) -> npt.NDArray[np.bool_]:
    return np.asarray(rng.random(rows) < MISSING[column])


def _texts(
    codes: npt.NDArray[np.int64], names: list[str] | tuple[str, ...], gaps: npt.NDArray[np.bool_] | None = None
) -> pa.Array:
    indices = pa.array(codes.astype(np.int32), mask=gaps)
    return pa.DictionaryArray.from_arrays(indices, pa.array(names)).cast(pa.string())


def _products(rng: np.random.Generator, category: npt.NDArray[np.int64]) -> pa.Array:
    """The product that led its category that day."""
    names = [product for products in PRODUCTS for product in products]
    counts = np.array([len(products) for products in PRODUCTS])
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    drawn = (rng.random(len(category)) * counts[category]).astype(np.int64)
    return _texts(first[category] + drawn, names, _gaps(rng, "Product", len(category)))

"""The grain of a model: what one of its monthly rows stands for. A model is of one grain, and its name carries it.

demand-forecast forecasts stores, demand-forecast-category the categories of each store, demand-forecast-product the
products of each store. A grain has versions, a champion and an endpoint of its own, so that no model is ever compared
with, or put in the place of, one of another grain.
"""

from collections.abc import Iterable

# The one place of this name in Python; ml/pipelines and ml/deploy say it for Azure ML, held equal by a test.
MODEL_NAME = "demand-forecast"
GRAINS = ("store", "category", "product")
# What a finer grain adds to the key of a monthly row.
COLUMN = {"category": "Category", "product": "Product"}


def grain_of(columns: Iterable[str]) -> str:
    """Grain of a model with the features `columns`, or of monthly rows with the key `columns`."""
    known = set(columns)
    return next((grain for grain, column in COLUMN.items() if column in known), "store")


def key_columns(grain: str) -> tuple[str, ...]:
    """Columns that name a series."""
    return ("StoreID", COLUMN[grain]) if grain in COLUMN else ("StoreID",)


def name_of(base: str, grain: str) -> str:
    """Name of the models of a grain (and of their endpoint): `base` alone for stores."""
    return base if grain == "store" else f"{base}-{grain}"

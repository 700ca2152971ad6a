"""A forest's forecasts under other plans, worked out beforehand: its trees are too large for a page.

Of each month ahead the forecast stands for every price, promotion and holiday of a grid; the months before it count as
they are planned. A direct model needs no grid (`planning.explorer.tables`).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from demand.forecaster import Forecaster
from planning.explorer.tables import encoded

Rows = list[dict[str, Any]]
# Of the last known price.
PRICES = (0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3)
FLAGS: tuple[bool | None, ...] = (None, False, True)
# Rows that the forest is asked for in all; a hundred thousand take it some ten seconds.
MAX_ROWS = 60_000


class Axes(NamedTuple):
    """What may be chosen: factors of the last price, and values of the two flags."""

    prices: tuple[float, ...]
    promotions: tuple[bool | None, ...]
    holidays: tuple[bool | None, ...]

    @property
    def size(self) -> int:
        """Rows of one month."""
        return len(self.prices) * len(self.promotions) * len(self.holidays)


def axes_of(features: Sequence[str]) -> Axes:
    """The axes of a model that reads these features; what it does not read has one value."""
    flags = (FLAGS if name in features else (None,) for name in ("Promotion", "Holiday"))
    return Axes(PRICES if "Price" in features else (1.0,), *flags)


def model_of(axes: Axes) -> dict[str, Any]:
    """The axes, for the page."""
    return {
        "kind": "grid",
        "prices": axes.prices,
        "promotions": axes.promotions,
        "holidays": axes.holidays,
        "offset": 0.02,
    }


def series_of(forecaster: Forecaster, rows: Rows, price: float | None, axes: Axes) -> dict[str, Any]:
    """Forecast, P10 and P90 of one series, shape (months, prices, promotions, holidays, 3), float64 in base64."""
    made = [forecaster.forecast(_variants(row, price, axes)) for row in rows]
    values = np.array([[each[:3] for each in month] for month in made], np.float64)
    return {"grid": encoded(values), "usual": [0.0] * len(rows)}


def _variants(row: dict[str, Any], price: float | None, axes: Axes) -> Rows:
    return [
        row | _given("Price", None if price is None else factor * price) | _given("Promotion", promotion)
        | _given("Holiday", holiday)
        for factor in axes.prices
        for promotion in axes.promotions
        for holiday in axes.holidays
    ]  # fmt: skip


def _given(name: str, value: Any) -> dict[str, Any]:
    return {name: value}

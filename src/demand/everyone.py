"""What some series have to know of all, so that they are forecast to the last bit as they are among all."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan, nan
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from demand.known import YEAR, Pooled
from demand.state import State

FloatArray = npt.NDArray[np.float64]
FILE = "everyone.json"


@dataclass(frozen=True)
class Everyone:
    """Figures of all series.

    Attributes:
        first_month, last_month: indices of the months that all sales span.
        sold_back: whether returns were recorded, so that a forecast may lie below zero.
        mean_before: month (index) -> mean of all sales before it, in units; 0 without any.
        usual_units: mean of what the series sell in a usual month of the last year, in units; NaN where unknown.
        pooled: origin (index) -> what all series say together at its end.
    """

    first_month: int
    last_month: int
    sold_back: bool
    usual_units: float
    mean_before: Mapping[int, float]
    pooled: Mapping[int, Pooled]

    @classmethod
    def of(cls, state: State, pooled: Mapping[int, Pooled]) -> "Everyone":
        """Of every series, whose `pooled` figures are known at the origins that forecasts are made from."""
        first = state.first_month
        return cls(
            state.first_month,
            state.last_month,
            bool((state.sales < 0).any()),
            usual_of(usual_of_each(state.sales[:, -YEAR:]).tolist()),
            {origin + 1: _mean(state.sales[:, : origin + 1 - first]) for origin in pooled},
            pooled,
        )

    def write(self, folder: Path) -> None:
        """Write everyone.json; a float is written so that it is read as the same."""
        content = {**vars(self), "pooled": {origin: _plain(each) for origin, each in self.pooled.items()}}
        (folder / FILE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Everyone":
        """Read what `write` wrote."""
        content = json.loads((folder / FILE).read_text(encoding="utf-8"))
        content["pooled"] = {int(origin): _pooled(each) for origin, each in content["pooled"].items()}
        content["mean_before"] = {int(month): mean for month, mean in content["mean_before"].items()}
        return cls(**content)


def usual_of(months: list[float]) -> float:
    """Mean of the known values, added from the latest on as `SalesHistory.mean` does; NaN where none is known."""
    total = sum(months[::-1])
    if not isnan(total):
        return total / len(months) if months else nan
    known = [value for value in reversed(months) if not isnan(value)]
    return sum(known) / len(known) if known else nan


def usual_of_each(sales: FloatArray) -> FloatArray:
    """`usual_of` each row of shape (series, months), to the last bit; shape (series,)."""
    total, count = np.zeros(len(sales)), np.isfinite(sales).sum(axis=1)
    for month in sales.T[::-1]:
        total += np.where(np.isnan(month), 0.0, month)
    return np.where(count, total / np.maximum(count, 1), nan)


def _mean(sales: FloatArray) -> float:
    known = np.isfinite(sales)
    return float(np.nansum(sales) / known.sum()) if known.any() else 0.0


def _plain(pooled: Pooled) -> dict[str, Any]:
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in vars(pooled).items()}


def _pooled(content: Mapping[str, Any]) -> Pooled:
    season, sold = np.array(content["season"]), np.array(content["sold_of_usual"])
    return Pooled(np.array(content["weekdays"]), float(content["mean_rate"]), season, sold)

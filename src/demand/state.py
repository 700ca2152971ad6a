"""What was sold until now, packed with a model: the history features of months to come are made from it.

A series is a store (plus Category or Product at a finer grain). Months are counted as year * 12 + month - 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
# What a request may leave out, since a store keeps it from month to month.
KEPT_TEXTS, KEPT_NUMBERS = ("Country", "City"), ("Price",)
SEPARATOR = "\x1f"


@dataclass(frozen=True)
class State:
    """Sales and last known attributes of every series.

    Attributes:
        key_columns: StoreID and what the grain adds.
        keys: one text per series.
        first_month: index of the month of `sales[:, 0]`.
        sales: units, shape (series, months), NaN where nothing is recorded.
        texts: column -> last known text of each series, "" where none is known.
        numbers: column -> last known number of each series, NaN where none is known.
    """

    key_columns: tuple[str, ...]
    keys: npt.NDArray[np.str_]
    first_month: int
    sales: FloatArray
    texts: dict[str, npt.NDArray[np.str_]]
    numbers: dict[str, FloatArray]

    @property
    def last_month(self) -> int:
        """Index of the last month with sales."""
        return self.first_month + int(self.sales.shape[1]) - 1

    def key_values(self, number: int) -> dict[str, str]:
        """StoreID, and Category or Product, of a series."""
        key = str(self.keys[number])
        parts = key.split(SEPARATOR) if len(self.key_columns) > 1 else [key]
        return dict(zip(self.key_columns, parts, strict=True))

    def save(self, path: Path) -> None:
        """Write one NumPy archive; equal states give equal bytes."""
        parts: dict[str, Any] = {f"text_{name}": values for name, values in self.texts.items()}
        parts |= {f"number_{name}": values for name, values in self.numbers.items()}
        columns, first = np.array(self.key_columns), np.array(self.first_month)
        with path.open("wb") as stream:
            np.savez(stream, key_columns=columns, keys=self.keys, first_month=first, sales=self.sales, **parts)

    @classmethod
    def load(cls, path: Path) -> "State":
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as parts:
            return cls(
                tuple(map(str, parts["key_columns"])),
                parts["keys"],
                int(parts["first_month"]),
                parts["sales"],
                {name: parts[f"text_{name}"] for name in KEPT_TEXTS},
                {name: parts[f"number_{name}"] for name in KEPT_NUMBERS},
            )


def series_key(values: Sequence[str | None]) -> str:
    """The text that names a series, from the values of `State.key_columns`."""
    return values[0] or "" if len(values) == 1 else SEPARATOR.join(value or "" for value in values)

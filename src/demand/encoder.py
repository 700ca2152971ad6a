"""The model's input, from features to the forest's columns: a fitted scikit-learn transformer as plain tables.

Training writes the tables (`forecasting.export`), serving applies them row by row without scikit-learn, which takes
15 ms for one row. For the few rows of a request plain Python is faster than NumPy too, and it is no slower for many.
"""

from collections.abc import Mapping, MutableSequence, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

# One row of the forest's input.
Vector = MutableSequence[float]


@dataclass(frozen=True)
class OneHot:
    """A text column that sets one of the forest's columns to 1; an unseen text sets none, a missing one the usual."""

    name: str
    columns: Mapping[str, int]
    missing: int

    def fill(self, vector: Vector, text: str | None) -> None:
        """Set the text's column."""
        column = self.missing if text is None else self.columns.get(text, -1)
        if column >= 0:
            vector[column] = 1.0


@dataclass(frozen=True)
class Encoded:
    """A text column that becomes one number: what such rows sold on average."""

    name: str
    column: int
    values: Mapping[str, float]
    missing: float
    unseen: float

    def fill(self, vector: Vector, text: str | None) -> None:
        """Set the column."""
        vector[self.column] = self.missing if text is None else self.values.get(text, self.unseen)


@dataclass(frozen=True)
class Number:
    """A numeric feature or a flag: relative to the level or not, then imputed, then standardised."""

    name: str
    column: int
    missing: float
    mean: float
    scale: float
    relative: bool


class Encoder:
    """Built from the tables that `forecasting.export.tables` returns.

    Attributes:
        width: columns of the forest's input.
        texts: names of the text features.
        numbers: names of the numeric features and flags.
    """

    def __init__(self, tables: Mapping[str, Any]) -> None:
        self.width = int(tables["width"])
        self._blocks: list[OneHot | Encoded] = [
            *(OneHot(**entry) for entry in tables["one_hot"]),
            *(Encoded(**entry) for entry in tables["encoded"]),
        ]
        self.texts = [block.name for block in self._blocks]
        numbers = [Number(**entry) for entry in tables["numbers"]]
        self.numbers = [number.name for number in numbers]
        self._numbers = [(one.column, one.missing, one.mean, one.scale, one.relative) for one in numbers]
        level = tables["level"]
        self._level = self.numbers.index(level["name"]) if level else None
        self._usual, self._smallest = (float(level["usual"]), float(level["smallest"])) if level else (1.0, 1.0)

    def encode(self, texts: Sequence[str | None], numbers: Sequence[float]) -> tuple[list[float], float]:
        """(one row of the forest's input, what its forecast is multiplied by to be units).

        Args:
            texts: values of `self.texts`, None where unknown.
            numbers: values of `self.numbers`, NaN where unknown.
        """
        vector = [0.0] * self.width
        return vector, self.fill(vector, texts, numbers)

    def fill(self, vector: Vector, texts: Sequence[str | None], numbers: Sequence[float]) -> float:
        """The same into `vector`, which has `width` zeros; the factor."""
        factor = 1.0
        if self._level is not None:
            level = numbers[self._level]
            factor = max(self._usual if isnan(level) else level, self._smallest)
        for value, (column, missing, mean, scale, relative) in zip(numbers, self._numbers, strict=True):
            known = missing if isnan(value) else value / factor if relative else value
            vector[column] = (known - mean) / scale
        for block, text in zip(self._blocks, texts, strict=True):
            block.fill(vector, text)
        return factor

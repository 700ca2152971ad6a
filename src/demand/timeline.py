"""Sales of every series by month: what is recorded, and forecasts of months ahead once they are made."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
YEAR = 12
# Beyond this a forecast would only repeat itself.
MAX_HORIZON = 60


class Timeline:
    """A row of a series is a year before the first known month, the known ones and MAX_HORIZON ahead, NaN if unknown.

    Only rows with a forecast in them are kept: `known` may be mapped from a file, and of many series few are asked for.
    """

    def __init__(self, known: FloatArray, rows: dict[int, FloatArray] | None = None) -> None:
        """`known` has shape (series, months); of `rows`, which have forecasts, a copy is made."""
        self._known, self._rows = known, dict(rows or {})

    def branch(self) -> "Timeline":
        """One that begins as this and goes its own way."""
        return Timeline(self._known, self._rows)

    def of(self, number: int) -> FloatArray:
        """The row of a series (-1: one that is not known), to be read."""
        row = self._rows.get(number)
        if row is None:
            months = self._known.shape[1]
            row = np.full(YEAR + months + MAX_HORIZON, np.nan)
            if number >= 0:
                row[YEAR : YEAR + months] = self._known[number]
        return row

    def year_before(self, number: int, place: int) -> list[float]:
        """The twelve months before a place in the row."""
        if number >= 0 and number not in self._rows and 2 * YEAR <= place <= YEAR + self._known.shape[1]:
            months: list[float] = self._known[number, place - 2 * YEAR : place - YEAR].tolist()
            return months
        ahead: list[float] = self.of(number)[place - YEAR : place].tolist()
        return ahead

    def put(self, number: int, place: int, units: float) -> None:
        """Keep the forecast of a month."""
        row = self.of(number).copy()  # that of a branch's origin stays as it is
        row[place] = units
        self._rows[number] = row

"""How far the naive forecast errs on the months that were known: what MASE and RMSSE divide an error by.

Sources: Hyndman and Koehler 2006 (MASE, scaled in-sample by the seasonal naive forecast); the guide of the M5
competition, 2020 (RMSSE, the same with squares). A series of less than 13 known months is scaled by the month before
instead.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasting.panels import Months

FloatArray = npt.NDArray[np.float64]
YEAR = 12


@dataclass(frozen=True)
class Scales:
    """In-sample errors of the naive forecast of every series at every origin.

    Attributes:
        keys: one text per series, sorted.
        first_month: index of the origin of column 0.
        absolute: mean absolute error in units, shape (series, months); NaN where nothing can be told.
        squared: mean squared error in units squared, of the same shape.
    """

    keys: npt.NDArray[np.str_]
    first_month: int
    absolute: FloatArray
    squared: FloatArray

    @classmethod
    def of(cls, rows: pd.DataFrame) -> "Scales":
        """From monthly rows; the column of an origin knows the months until it, itself included."""
        months = Months.of(rows)
        return cls(months.keys, months.first_month, _means(months.sales, 1), _means(months.sales, 2))

    def ratios(self, table: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
        """(absolute, squared) error of each row of a back-test (Key, Origin, Actual, Forecast) over its scale, each of
        shape (rows,); NaN where the series has no scale, as one that never changed."""
        series = pd.Index(self.keys.astype(object)).get_indexer(pd.Index(table["Key"]))
        origin = table["Origin"].to_numpy(dtype=np.int64) - self.first_month
        missed = (table["Actual"] - table["Forecast"]).abs().to_numpy(dtype=np.float64)
        absolute, squared = (
            self._over(missed**power, scale, series, origin) for scale, power in ((self.absolute, 1), (self.squared, 2))
        )
        return absolute, squared

    @staticmethod
    def _over(
        missed: FloatArray, scale: FloatArray, series: npt.NDArray[np.intp], origin: npt.NDArray[np.int64]
    ) -> FloatArray:
        below = np.where(series >= 0, scale[series, np.clip(origin, 0, scale.shape[1] - 1)], np.nan)
        return np.asarray(np.divide(missed, below, out=np.full(len(missed), np.nan), where=below > 0))


def _means(sales: FloatArray, power: int) -> FloatArray:
    """Mean of the naive error to a power over the months until each, shape (series, months)."""
    seasonal, last = (_running_mean(sales, lag, power) for lag in (YEAR, 1))
    return np.asarray(np.where(np.isfinite(seasonal), seasonal, last))


def _running_mean(sales: FloatArray, lag: int, power: int) -> FloatArray:
    missed = np.full(sales.shape, np.nan)
    missed[:, lag:] = np.abs(sales[:, lag:] - sales[:, :-lag]) ** power
    count = np.isfinite(missed).cumsum(axis=1)
    return np.asarray(np.divide(np.nancumsum(missed, axis=1), count, out=np.full(sales.shape, np.nan), where=count > 0))

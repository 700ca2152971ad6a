"""Which settings of the profile to use: those that would have erred least so far."""

from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt

from demand.booster_inputs import MAX_HORIZON
from demand.known import Known
from demand.profile import GRID, Profile, forecast
from forecasting.panels import Months

FloatArray = npt.NDArray[np.float64]
# Origins whose errors count; older ones say little of the sales of today.
MAX_ORIGINS = 18
MIN_KNOWN_MONTHS = 4
# Series by which the three settings are chosen; more of them choose the same.
MAX_SERIES = 2000


class Profiles:
    """Settings of the profile at every origin of `months`, each from errors that were known by then."""

    def __init__(self, months: Months) -> None:
        self.months = months
        self._judged = months.thinned(MAX_SERIES)
        # The known sales of many series at many origins do not fit into memory; who asks goes origin by origin.
        self.known = lru_cache(maxsize=2)(self._known)
        self.at = cache(self._at)
        self._errors = cache(self._errors_of)

    def _known(self, origin: int) -> Known:
        return self.months.known(origin)

    def _at(self, origin: int) -> Profile:
        """The settings at an origin (index); the default where too little is known to choose."""
        first = max(self.months.first_month + MIN_KNOWN_MONTHS - 1, origin - MAX_ORIGINS)
        total = np.zeros(len(GRID))
        for earlier in range(first, origin):
            total += self._errors(earlier)[:, : min(MAX_HORIZON, origin - earlier)].sum(axis=1)
        return GRID[int(np.argmin(total))] if total.any() else Profile()

    def _errors_of(self, origin: int) -> FloatArray:
        """Sum of the absolute errors of each of GRID at each horizon, shape (settings, horizons), in units."""
        ahead = range(origin + 1, origin + MAX_HORIZON + 1)
        known = self._judged.known(origin)
        sales = np.stack([self._judged.sales_of(month) for month in ahead], axis=1)
        return np.stack([np.nansum(np.abs(forecast(known, each, ahead) - sales), axis=0) for each in GRID])

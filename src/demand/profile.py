"""The profile: level x month of the year x trading days. No learned model; its three settings come from past errors.

The month profile is shrunk twice: towards no season at all (`season`), and each series' own months towards those of all
series (`own`).
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from demand.known import YEAR, Known

FloatArray = npt.NDArray[np.float64]
MIN_OWN, MAX_OWN = 0.2, 5.0


@dataclass(frozen=True)
class Profile:
    """Settings of a profile.

    Attributes:
        window: months that make the level.
        season: 0 (no season) to 1 (the season as it was).
        own: 0 (the season of all series) to 1 (each series' own).
    """

    window: int = 3
    season: float = 0.35
    own: float = 0.0


GRID = tuple(Profile(*each) for each in product((1, 2, 3, 6, 12), (0.0, 0.35, 0.7, 1.0), (0.0, 0.3, 0.6)))


def season_of(known: Known, profile: Profile) -> FloatArray:
    """Factor of each calendar month, shape (series, 12)."""
    pooled, own = known.month_profiles
    relative = np.clip(own / pooled, MIN_OWN, MAX_OWN) ** (profile.own * profile.season)
    return np.asarray((1 + profile.season * (pooled - 1)) * relative)


def forecast(known: Known, profile: Profile, months: range) -> FloatArray:
    """Sales of the months (indices) in units, shape (series, months)."""
    season = season_of(known, profile)
    level = _level(known, season, profile.window)
    days = np.stack([known.trading_days(month) for month in months], axis=1)
    return np.asarray(level[:, None] * season[:, [month % YEAR for month in months]] * days)


def _level(known: Known, season: FloatArray, window: int) -> FloatArray:
    """Sales per trading day of a usual month, shape (series,), from the last `window` months, or all, or all series."""
    usual = known.trading * season[:, [month % YEAR for month in known.months]]
    usual = np.where(known.is_known, usual, 0.0)
    sold = np.where(known.is_known, known.sales, 0.0)
    level = np.full(len(usual), known.mean_rate)
    for months in (len(known.months), window):
        days = usual[:, -months:].sum(axis=1)
        level = np.where(days > 0, sold[:, -months:].sum(axis=1) / np.where(days > 0, days, 1.0), level)
    return level

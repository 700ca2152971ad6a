"""How far two samples lie apart.

- Population stability index: sum (q - p) ln(q / p) over bins, p and q the fractions of the reference and of today
  (Siddiqi 2006, "Credit Risk Scorecards"; 0.25 and above is called a major shift). Its expectation under no change is
  about (bins - 1)(1/n + 1/m) (Yurdakul and Naranjo 2020, "Statistical properties of the population stability index"),
  which is taken off here: with a hundred stores it is not small.
- Jensen-Shannon distance of categories, base 2, from 0 to 1: `scipy.spatial.distance.jensenshannon`.
- Wasserstein distance over the reference's standard deviation: `scipy.stats.wasserstein_distance`.
"""

from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance

FloatArray = npt.NDArray[np.float64]
BINS = 5
# Fewer values say nothing of a distribution.
MIN_VALUES = 30
# A bin without values counts as if it had this fraction of one.
EMPTY = 0.5


def psi(reference: FloatArray, today: FloatArray, bins: int = BINS) -> float | None:
    """Population stability index over quantiles of the reference, less what chance gives; None for too few values."""
    reference, today = _finite(reference), _finite(today)
    if min(len(reference), len(today)) < MIN_VALUES:
        return None
    edges = np.unique(np.quantile(reference, np.linspace(0, 1, bins + 1)[1:-1]))
    places = (np.searchsorted(edges, values, side="right") for values in (reference, today))
    before, now = (_fractions(each, len(edges) + 1) for each in places)
    value = float(((now - before) * np.log(now / before)).sum())
    chance = len(edges) * (1 / len(reference) + 1 / len(today))
    return max(0.0, value - chance)


def mix(reference: Sequence[Hashable], today: Sequence[Hashable]) -> float | None:
    """Jensen-Shannon distance of two samples of categories; None for too few of them."""
    if min(len(reference), len(today)) < MIN_VALUES:
        return None
    names = sorted({*reference, *today}, key=str)
    places = {name: place for place, name in enumerate(names)}
    counts = [np.bincount([places[each] for each in sample], minlength=len(names)) for sample in (reference, today)]
    return float(np.nan_to_num(jensenshannon(*counts, base=2)))


def shift(reference: FloatArray, today: FloatArray) -> float | None:
    """Wasserstein distance in standard deviations of the reference; None for too few values, or where none varies."""
    reference, today = _finite(reference), _finite(today)
    spread = float(reference.std()) if len(reference) else 0.0
    if min(len(reference), len(today)) < MIN_VALUES or spread <= 0:
        return None
    return float(wasserstein_distance(reference, today)) / spread


def _fractions(places: npt.NDArray[np.intp], count: int) -> FloatArray:
    counts = np.maximum(np.bincount(places, minlength=count).astype(np.float64), EMPTY)
    return np.asarray(counts / counts.sum())


def _finite(values: FloatArray) -> FloatArray:
    return np.asarray(values[np.isfinite(values)], dtype=np.float64)

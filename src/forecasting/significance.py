"""Whether one forecast is better than another, or whether the months merely fell so."""

import math

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def p_value(rival: FloatArray, own: FloatArray, horizon: int = 1) -> float | None:
    """One-sided p of "own errs less than rival" from errors by month, in units, shape (months,), oldest first.

    Diebold and Mariano's test (1995) on the differences of the months' absolute errors, with the correction for few
    months of Harvey, Leybourne and Newbold (1997), eq. 9, and Student's t with months - 1 degrees of freedom. Months
    stand for all stores in them: stores share their shocks, so they are not further evidence.

    Returns:
        None where there are too few months, or every difference is the same (of equal forecasts it is 1).
    """
    from scipy.stats import t as student  # noqa: PLC0415  it takes half a second

    gain = np.asarray(rival, dtype=np.float64) - np.asarray(own, dtype=np.float64)
    n = len(gain)
    if n < 2 * horizon or n < 2:
        return None
    if not gain.any():
        return 1.0
    centered = gain - gain.mean()
    lagged = [float(centered[lag:] @ centered[: n - lag]) / n for lag in range(horizon)]
    variance = (lagged[0] + 2 * sum(lagged[1:])) / n
    if variance <= 1e-24 * float(np.abs(gain).max()) ** 2:
        return 0.0 if gain.mean() > 0 else 1.0
    corrected = (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n
    statistic = float(gain.mean()) / math.sqrt(variance) * math.sqrt(corrected)
    return float(student.sf(statistic, n - 1))

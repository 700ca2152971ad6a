"""The blend of several candidates: each counts the more, the less it erred in the back-test so far."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float64]
# A part that errs twice as much counts a sixteenth.
POWER = 4
FORECASTS = ("Forecast", "Planned")


def weights(tables: Sequence[pd.DataFrame], column: str, until: int | None = None) -> FloatArray:
    """Weights of the parts, shape (parts,), that add up to 1: back-test WAPE to the power of -POWER.

    Args:
        tables: back-tests of the parts.
        column: Forecast or Planned.
        until: last month (index) whose sales are known; None for all.
    """
    wapes = np.array([_wape(each if until is None else each[each["Month"] <= until], column) for each in tables])
    if not np.isfinite(wapes).all():
        return np.full(len(tables), 1 / len(tables))
    share = np.maximum(wapes, 1e-6) ** -float(POWER)
    return np.asarray(share / share.sum())


def _wape(table: pd.DataFrame, column: str) -> float:
    sold = float(table["Actual"].abs().sum())
    return float((table["Actual"] - table[column]).abs().sum()) / sold if sold else float("nan")


def blend(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The back-test of the blend: at each origin with the weights that were known there."""
    first, *others = aligned(list(tables.values()))
    parts = [first, *others]
    result = first.copy()
    for column in FORECASTS:
        values = np.zeros(len(first))
        for origin in np.unique(first["Origin"]):
            at = (first["Origin"] == origin).to_numpy()
            shares = weights(parts, column, int(origin))
            values[at] = sum(share * part.loc[at, column].to_numpy() for share, part in zip(shares, parts, strict=True))
        result[column] = values
    return result


def aligned(tables: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """The same rows of each, in one order: those that all tables have."""
    names = ["Key", "Origin", "Month"]
    common = tables[0][names]
    for table in tables[1:]:
        common = common.merge(table[names], on=names)
    common = common.sort_values(["Month", "Origin", "Key"], ignore_index=True)
    return [common.merge(table, on=names, how="left", validate="one_to_one") for table in tables]

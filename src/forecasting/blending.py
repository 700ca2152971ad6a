"""The blend of several candidates: each counts the more, the less it erred in the back-test so far."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float64]
# A part that errs twice as much counts a sixteenth.
POWER = 4
FORECASTS = ("Forecast", "Planned")
# What tells the rows of a back-test apart.
ROW = ["Key", "Origin", "Month"]
ORDER = ["Month", "Origin", "Key"]


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


def aligned(tables: Sequence[pd.DataFrame], judged_only: bool = False) -> list[pd.DataFrame]:
    """The same rows of each, in one order: those that all tables have; with `judged_only` those that are judged."""
    first = tables[0]
    if not all(has_rows_of(table, first) for table in tables[1:]):
        return _joined([table[table["Judged"]] if judged_only else table for table in tables])
    kept = np.flatnonzero(first["Judged"]) if judged_only else np.arange(len(first))
    order = first.iloc[kept].reset_index(drop=True).sort_values(ORDER).index.to_numpy()
    places = kept[order]
    base = first.iloc[places].reset_index(drop=True)
    return [base, *(with_forecasts(base, table, places) for table in tables[1:])]


def has_rows_of(table: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether two back-tests forecast the same months of the same series from the same origins, in one order."""
    return table[ROW].equals(other[ROW])


def with_forecasts(base: pd.DataFrame, table: pd.DataFrame, places: npt.NDArray[np.intp] | None = None) -> pd.DataFrame:
    """`base` with the forecasts of `table` (at `places`) of the same rows; all else is in memory once for both."""
    at = slice(None) if places is None else places
    return base.assign(**{name: table[name].to_numpy()[at] for name in FORECASTS})


def _joined(tables: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    common = tables[0][ROW]
    for table in tables[1:]:
        common = common.merge(table[ROW], on=ROW)
    common = common.sort_values(ORDER, ignore_index=True)
    return [common.merge(table, on=ROW, how="left", validate="one_to_one") for table in tables]

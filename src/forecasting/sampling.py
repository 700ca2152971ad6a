"""Which series models learn from, are judged and are watched by where there are more than one machine should hold.

A sample stratified by country and size: of each stratum the same share, those with the smallest SHA-256 of their key,
so that next month's sample is nearly the same. Forecasts and the endpoint know every series.
"""

import hashlib

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand.steps import read_rows
from forecasting.series_parts import KEYS, Table

# Series that a step holds the rows of, unless it is told otherwise.
MAX_SERIES = 10_000
# Classes of size within a country, by units sold.
SIZES = 10


def rows_of(table: Table, most: int) -> tuple[pd.DataFrame, int]:
    """(rows of all series, or of a sample where there are more than `most`; how many series these are)."""
    if table.series <= most:
        return read_rows(table.path.parent, table.path.name), table.series
    sample = drawn(table.attributes(), most)
    return table.rows_of(sample), len(sample)


def drawn(series: pd.DataFrame, most: int) -> pd.DataFrame:
    """Some `most` of the series: KEYS, Country, Units (`series_parts.Table.attributes`); all where there are not more.

    A stratum gives its share rounded up, so there are a few more than `most` where strata are small.
    """
    if len(series) <= most:
        return series
    place = series["Units"].rank(method="first", pct=True)
    size = np.minimum((place * SIZES).to_numpy().astype(int), SIZES - 1)
    ordered = series.assign(_size=size, _hash=_hashes(series)).sort_values("_hash", kind="stable")
    strata = ordered.groupby([ordered["Country"].fillna(""), "_size"], sort=False)
    wanted = np.ceil(strata["_hash"].transform("size") * most / len(series))
    kept: pd.DataFrame = ordered[strata.cumcount() < wanted]
    return kept.drop(columns=["_size", "_hash"])


def _hashes(series: pd.DataFrame) -> npt.NDArray[np.str_]:
    keys = series[list(KEYS)].fillna("").agg("\x1f".join, axis=1)
    return np.array([hashlib.sha256(key.encode()).hexdigest() for key in keys])

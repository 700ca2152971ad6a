"""Totals of a batch forecast, bottom-up: each level is the sum of the level below, so that they add up.

Bottom-up, since on real sales the sums of finer forecasts err about as the forecasts of sums do (docs/forecasting.md),
and nobody has to explain why a country is not its stores. A sum has no interval: how the errors of series go together
is not among what the model knows, and neither adding the bounds nor treating errors as independent would be right.
"""

from collections.abc import Sequence

import pandas as pd

SUMMED = ("TotalSales", "SameMonthLastYear")
UNKNOWN = "unknown"


def totals(table: pd.DataFrame, countries: Sequence[str | None]) -> pd.DataFrame:
    """Sums by month of each store (at a finer grain), of each country, and of all.

    Args:
        table: a batch forecast, one row per series and month: StoreID, MonthYear and SUMMED, in units.
        countries: each row's country, shape (rows,); None or "" where unknown.

    Returns:
        Level ("store", "country" or "all"), Country, StoreID, MonthYear, Series (how many are summed), and SUMMED;
        SameMonthLastYear is missing where no series has it.
    """
    named = [country or UNKNOWN for country in countries]
    rows = table[["StoreID", "MonthYear", *SUMMED]].assign(Country=named, Series=1)
    stores = _sums(rows, ["Country", "StoreID", "MonthYear"])
    of_countries = _sums(stores, ["Country", "MonthYear"])
    levels = [of_countries.assign(Level="country"), _sums(of_countries, ["MonthYear"]).assign(Level="all")]
    if (stores["Series"] > 1).any():
        levels.insert(0, stores.assign(Level="store"))
    columns = ["Level", "Country", "StoreID", "MonthYear", "Series", *SUMMED]
    return pd.concat(levels, ignore_index=True).reindex(columns=columns)


def _sums(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    sums = rows.groupby(keys, sort=True)[["Series", *SUMMED]].sum(min_count=1)
    return sums.reset_index()

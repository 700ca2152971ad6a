"""What the report draws and counts: sales and forecasts of every series by month, from the back-test's table."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand.state import SEPARATOR
from forecasting.features import TARGET, series_keys

FloatArray = npt.NDArray[np.float64]
# Months of sales that a chart shows; older ones are flat lines at its left.
SHOWN_MONTHS = 36
MIN_BAND_MONTHS = 3
LOW, HIGH = 0.1, 0.9


@dataclass(frozen=True)
class Series:
    """One line of the chart: a store, a country or all; units a month, shape (months,), NaN where unknown.

    `forecast`, P10 (`low`) and P90 (`high`) are those made when each month began.
    """

    name: str
    group: str
    actual: FloatArray
    forecast: FloatArray
    low: FloatArray
    high: FloatArray

    @property
    def missed(self) -> float:
        """Sum of the absolute errors, in units."""
        return float(np.nansum(np.abs(self.actual - self.forecast)))


@dataclass(frozen=True)
class Horizon:
    """How forecasts of one horizon (months ahead) did; fractions, None where undefined."""

    months: int
    wape: float | None
    bias: float | None
    coverage: float | None


@dataclass(frozen=True)
class Worst:
    """A store with great errors one month ahead.

    `missed` in units a month; `share` of all stores' errors, `wape` and `bias` as fractions, None where nothing sold.
    """

    name: str
    country: str
    missed: float
    share: float
    wape: float | None
    bias: float | None


@dataclass(frozen=True)
class SalesSeries:
    """Every series of a run. `months` as YYYY-MM; `stores` have the greatest errors first."""

    months: tuple[str, ...]
    totals: tuple[Series, ...]
    stores: tuple[Series, ...]
    horizons: tuple[Horizon, ...]
    new_stores: tuple[str, ...] = ()
    closed_stores: tuple[str, ...] = ()

    def worst(self, count: int = 10) -> list[Worst]:
        """The stores that add most to the error."""
        everything = sum(store.missed for store in self.stores)
        return [_worst(store, everything) for store in self.stores[:count] if store.missed > 0]


def series_of(rows: pd.DataFrame, table: pd.DataFrame) -> SalesSeries:
    """From what was sold and what was forecast.

    Args:
        rows: all monthly rows: StoreID (and what the grain adds), Country, MonthYear, TotalSales.
        table: forecasts of the selected candidate: the same keys, MonthYear, Horizon (1 is one month ahead), Actual,
            Forecast, P10 and P90 in units; the last two may be NaN.
    """
    rows, table = _named(rows), _named(table)
    months = sorted(rows["MonthYear"].unique())
    names, shown = sorted(rows["Name"].unique()), months[-SHOWN_MONTHS:]
    near = table[table["Horizon"] == 1]
    wide = {
        "actual": _wide(rows, TARGET, names, shown),
        **{key: _wide(near, column, names, shown) for key, column in _COLUMNS.items()},
    }
    countries = rows.groupby("Name")["Country"].last()
    groups = [str(countries.get(name) or "unknown") for name in names]
    stores = [
        Series(name, group, **{key: values[place] for key, values in wide.items()})
        for place, (name, group) in enumerate(zip(names, groups, strict=True))
    ]
    new, closed = _lifecycle(rows, months)
    return SalesSeries(
        tuple(shown),
        tuple(_totals(wide, groups)),
        tuple(sorted(stores, key=lambda store: (-store.missed, store.name))),
        tuple(_horizon(ahead, table[table["Horizon"] == ahead]) for ahead in sorted(table["Horizon"].unique())),
        new,
        closed,
    )


_COLUMNS: Mapping[str, str] = {"forecast": "Forecast", "low": "P10", "high": "P90"}


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    """With Name, the text that a reader knows a series by, and a country for each row."""
    places, keys = pd.factorize(series_keys(frame))
    name = np.array([str(key).replace(SEPARATOR, " / ") for key in keys], dtype=object)[places]
    country = frame["Country"] if "Country" in frame else pd.Series(None, frame.index, dtype=object)
    return frame.assign(Name=name, Country=country.astype(object).where(country.notna(), "unknown"))


def _wide(frame: pd.DataFrame, column: str, names: list[str], months: list[str]) -> FloatArray:
    """Shape (series, months), NaN where there is no row."""
    values = np.full((len(names), len(months)), np.nan)
    part = frame[frame["MonthYear"].isin(months)]
    places = (
        pd.Index(names).get_indexer(pd.Index(part["Name"])),
        pd.Index(months).get_indexer(pd.Index(part["MonthYear"])),
    )
    values[places] = part[column].to_numpy(dtype=np.float64)
    return values


def _totals(wide: Mapping[str, FloatArray], groups: list[str]) -> Iterator[Series]:
    """All stores, and those of each country where there are several."""
    yield _total("All stores", "Totals", wide, np.ones(len(groups), dtype=bool))
    names = sorted(set(groups))
    for name in names if len(names) > 1 else ():
        yield _total(name, "Countries", wide, np.array([group == name for group in groups]))


def _total(name: str, group: str, wide: Mapping[str, FloatArray], at: npt.NDArray[np.bool_]) -> Series:
    """Sums, over the forecast months of those stores alone that have a forecast, so that both sides count the same.

    Quantiles of stores do not add up to the quantile of their sum. The band of a total is the middle 80 % of its own
    relative errors over the forecast months.
    """
    actual, forecast = wide["actual"][at], wide["forecast"][at]
    is_forecast = np.isfinite(forecast)
    judged = is_forecast.any(axis=0)
    counted = np.where(judged, np.where(is_forecast, actual, np.nan), actual)
    sold, expected = _sum(counted), _sum(forecast)
    low, high = np.full(len(sold), np.nan), np.full(len(sold), np.nan)
    usable = judged & np.isfinite(sold) & (expected > 0)
    if usable.sum() >= MIN_BAND_MONTHS:
        below, above = np.quantile(sold[usable] / expected[usable], (LOW, HIGH))
        low, high = np.minimum(below, 1.0) * expected, np.maximum(above, 1.0) * expected
    return Series(name, group, sold, expected, low, high)


def _sum(values: FloatArray) -> FloatArray:
    return np.where(np.isfinite(values).any(axis=0), np.nansum(values, axis=0), np.nan)


def _horizon(months: int, part: pd.DataFrame) -> Horizon:
    actual, forecast, low, high = (part[name].to_numpy(dtype=np.float64) for name in ("Actual", *_COLUMNS.values()))
    sold = float(np.abs(actual).sum())
    bounded = np.isfinite(low) & np.isfinite(high)
    covered = (actual[bounded] >= low[bounded]) & (actual[bounded] <= high[bounded])
    return Horizon(
        int(months),
        float(np.abs(actual - forecast).sum()) / sold if sold else None,
        float((forecast - actual).sum()) / sold if sold else None,
        float(covered.mean()) if len(covered) else None,
    )


def _worst(store: Series, everything: float) -> Worst:
    at = np.isfinite(store.forecast) & np.isfinite(store.actual)
    sold = float(np.abs(store.actual[at]).sum())
    return Worst(
        store.name,
        store.group,
        store.missed / int(at.sum()),
        store.missed / everything,
        store.missed / sold if sold else None,
        float((store.forecast[at] - store.actual[at]).sum()) / sold if sold else None,
    )


def _lifecycle(rows: pd.DataFrame, months: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(stores that first sold within the last year, stores without sales in the last month); not of the first year."""
    spans: Any = rows[rows[TARGET].notna()].groupby("Name")["MonthYear"].agg(["min", "max"])
    year_ago = months[-12] if len(months) > 12 else months[0]
    new = spans.index[(spans["min"] >= year_ago) & (spans["min"] > months[0])]
    return tuple(map(str, new)), tuple(map(str, spans.index[spans["max"] < months[-1]]))

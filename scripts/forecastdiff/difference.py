"""Two forecasts of the same stores and months, and what differs between them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from forecasting.scoring import HALF_OF_80

KEYS = ["StoreID", "Category", "Product"]
TOP = 10
# Units: below this two forecasts are written alike.
SAME = 0.05


@dataclass(frozen=True)
class Mover:
    """A series whose forecasts differ most: units over all months, and why."""

    series: str
    before: float
    after: float
    reason: str


@dataclass(frozen=True)
class Difference:
    """What a change does; fractions, and units over the months ahead."""

    selected: tuple[str, str]
    promoted: tuple[bool, bool]
    months: tuple[int, int]
    series: tuple[int, int]
    totals: Mapping[str, tuple[float, float]]
    movers: list[Mover]
    changed_series: int
    wape: tuple[float, float]
    wape_change: tuple[float, float] | None
    width: tuple[float, float]
    stock: list[str] = field(default_factory=list)

    @property
    def is_none(self) -> bool:
        """Whether not one forecast differs."""
        return not self.changed_series and self.series[0] == self.series[1] and self.months[0] == self.months[1]


def between(
    before: pd.DataFrame,
    after: pd.DataFrame,
    backtests: tuple[pd.DataFrame, pd.DataFrame],
    verdicts: tuple[Mapping[str, Any], Mapping[str, Any]],
) -> Difference:
    """Compare two sides.

    Args:
        before, after: forecasts.parquet: the keys, MonthYear, TotalSales, P10, P90, Flags.
        backtests: rows of the back-tests: Key, Country, MonthYear, Horizon, Actual, Forecast, Judged, Model.
        verdicts: of both runs.
    """
    selected = (str(verdicts[0]["selected"]), str(verdicts[1]["selected"]))
    both = _joined(before, after)
    country = _countries(backtests[1]) | _countries(backtests[0])
    sums = both.groupby("Series")[["TotalSales_a", "TotalSales_b"]].sum(min_count=1)
    change = (sums["TotalSales_b"].fillna(0) - sums["TotalSales_a"].fillna(0)).abs()
    moved = change[change > SAME].sort_values(ascending=False, kind="stable")
    return Difference(
        selected=selected,
        promoted=(bool(verdicts[0]["promoted"]), bool(verdicts[1]["promoted"])),
        months=(before["MonthYear"].nunique(), after["MonthYear"].nunique()),
        series=(_series(before).nunique(), _series(after).nunique()),
        totals=_totals(both, country),
        movers=[_mover(name, sums.loc[name], both[both["Series"] == name], selected) for name in moved.index[:TOP]],
        changed_series=len(moved),
        wape=(_wape(backtests[0], selected[0]), _wape(backtests[1], selected[1])),
        wape_change=_wape_change(backtests, selected),
        width=(_width(before), _width(after)),
        stock=_stock(both),
    )


def _series(rows: pd.DataFrame) -> "pd.Series[str]":
    keys = [name for name in KEYS if name in rows]
    return rows[keys].astype(str).agg(" ".join, axis=1)


def _joined(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    columns = ["Series", "MonthYear", "TotalSales", "P10", "P90", "Flags"]
    left, right = (rows.assign(Series=_series(rows))[columns] for rows in (before, after))
    return left.merge(right, on=["Series", "MonthYear"], how="outer", suffixes=("_a", "_b"), sort=True)


def _countries(backtest: pd.DataFrame) -> dict[str, str]:
    if "Country" not in backtest:
        return {}
    known = backtest.drop_duplicates("Key")
    return {str(key): str(value) for key, value in zip(known["Key"], known["Country"], strict=True)}


def _totals(both: pd.DataFrame, country: Mapping[str, str]) -> dict[str, tuple[float, float]]:
    """Units by country over the months that both sides forecast, and of all."""
    shared = both.dropna(subset=["TotalSales_a", "TotalSales_b"])
    names = shared["Series"].map(lambda name: country.get(name) or country.get(name.split(" ")[0]) or "unknown")
    sums = shared.groupby(names)[["TotalSales_a", "TotalSales_b"]].sum()
    made = {str(name): (float(row.iloc[0]), float(row.iloc[1])) for name, row in sums.iterrows()}
    total = shared[["TotalSales_a", "TotalSales_b"]].sum()
    return made | {"all": (float(total.iloc[0]), float(total.iloc[1]))}


def _mover(name: Any, sums: "pd.Series[float]", rows: pd.DataFrame, selected: tuple[str, str]) -> Mover:
    before, after = (0.0 if math.isnan(each) else float(each) for each in sums)
    return Mover(str(name), before, after, _reason(rows, selected))


def _reason(rows: pd.DataFrame, selected: tuple[str, str]) -> str:
    if rows["TotalSales_a"].isna().all():
        return "it was not forecast before"
    if rows["TotalSales_b"].isna().all():
        return "it is not forecast any more"
    if rows[["TotalSales_a", "TotalSales_b"]].isna().any().any():
        return "other months are forecast"
    flags = [set(filter(None, ";".join(rows[f"Flags_{side}"].fillna("")).split(";"))) for side in "ab"]
    if flags[0] != flags[1]:
        return f"flags: {', '.join(sorted(flags[0])) or 'none'} -> {', '.join(sorted(flags[1])) or 'none'}"
    if selected[0] != selected[1]:
        return f"{selected[1]} forecasts it, it was {selected[0]}"
    return f"{selected[1]} learned otherwise"


def _judged(backtest: pd.DataFrame, model: str) -> pd.DataFrame:
    return backtest[(backtest["Model"] == model) & (backtest["Horizon"] == 1) & backtest["Judged"]]


def _wape(backtest: pd.DataFrame, model: str) -> float:
    rows = _judged(backtest, model)
    return float((rows["Actual"] - rows["Forecast"]).abs().sum() / rows["Actual"].abs().sum())


def _wape_change(backtests: tuple[pd.DataFrame, pd.DataFrame], selected: tuple[str, str]) -> tuple[float, float] | None:
    """80 % interval of the difference of both WAPE (jackknife over the months that both judged)."""
    missed = []
    for backtest, model in zip(backtests, selected, strict=True):
        rows = _judged(backtest, model)
        wrong = (rows["Actual"] - rows["Forecast"]).abs().groupby(rows["MonthYear"]).sum()
        missed.append(pd.DataFrame({"error": wrong, "sold": rows["Actual"].abs().groupby(rows["MonthYear"]).sum()}))
    months = missed[0].index.intersection(missed[1].index)
    count = len(months)
    if count < 3:
        return None
    first, second = (each.loc[months] for each in missed)

    def difference(a: pd.DataFrame, b: pd.DataFrame) -> float:
        return float(b["error"].sum() / b["sold"].sum() - a["error"].sum() / a["sold"].sum())

    left_out = np.array([difference(first.drop(month), second.drop(month)) for month in months])
    spread = float(((left_out - left_out.mean()) ** 2).sum())
    error = HALF_OF_80 * math.sqrt((count - 1) / count * spread)
    middle = difference(first, second)
    return middle - error, middle + error


def _width(rows: pd.DataFrame) -> float:
    """P90 - P10 over the forecast, of all rows together."""
    total = float(rows["TotalSales"].sum())
    return float((rows["P90"] - rows["P10"]).sum() / total) if total else math.nan


def _stock(both: pd.DataFrame) -> list[str]:
    """Series whose new forecast leaves the old interval in some month: who ordered by it has the wrong stock."""
    outside = (both["TotalSales_b"] > both["P90_a"] + SAME) | (both["TotalSales_b"] < both["P10_a"] - SAME)
    rows = both[outside & both["TotalSales_a"].notna()]
    return [f"{name} ({count} months)" for name, count in rows["Series"].value_counts(sort=True).items()]

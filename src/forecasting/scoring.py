"""Figures of the verdict, from the back-tests: one month ahead, and months 1 to 6, with and without the plan."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasting import blending, intervals, metrics
from forecasting.scales import Scales
from forecasting.verdict import Errors, Figures, Further

FloatArray = npt.NDArray[np.float64]
# From this share of months without a sale on, a series counts as intermittent.
MIN_ZERO_SHARE = 1 / 3
MIN_RANGE_MONTHS = 3
# P90 of the normal distribution.
HALF_OF_80 = 1.2816


def judged(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The judged rows that all back-tests have, in one order."""
    same = blending.aligned(list(tables.values()), judged_only=True)
    return dict(zip(tables, same, strict=True))


def one_step(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of one month ahead."""
    return table[table["Horizon"] == 1]


def monthly_errors(table: pd.DataFrame) -> pd.Series:
    """Sum of the absolute errors one month ahead, in units, by month (index), oldest first."""
    rows = one_step(table)
    return (rows["Actual"] - rows["Forecast"]).abs().groupby(rows["Month"]).sum().sort_index()


def with_bounds(table: pd.DataFrame) -> pd.DataFrame:
    """The table with P10 and P90, each month's from the other months."""
    low, high = intervals.held_out(table) if len(table) else (np.empty(0), np.empty(0))
    return table.assign(P10=low, P90=high)


def figures(table: pd.DataFrame, scales: Scales, is_bounded: bool = True) -> Figures:
    """Every figure of one model; coverage and pinball only where it has an interval.

    Args:
        table: judged rows of its back-test.
        scales: of the same sales, by which MASE and RMSSE divide.
        is_bounded: whether it has an interval.
    """
    table = with_bounds(table) if is_bounded else table.assign(P10=np.nan, P90=np.nan)
    near = one_step(table)
    return Figures(
        one_step=errors(near),
        multi_step=errors(table),
        one_step_with_plan=errors(near, "Planned"),
        multi_step_with_plan=errors(table, "Planned"),
        coverage_p10_p90=_coverage(near) if is_bounded else None,
        multi_step_coverage_p10_p90=_coverage(table) if is_bounded else None,
        further=further(near, scales, is_bounded),
    )


def errors(table: pd.DataFrame, column: str = "Forecast") -> Errors:
    """WAPE, MAE, RMSE and R2 of a column."""
    return Errors(**metrics.errors(_column(table, "Actual"), _column(table, column)))


def _coverage(table: pd.DataFrame) -> float | None:
    return metrics.coverage(_column(table, "Actual"), _column(table, "P10"), _column(table, "P90"))


def further(near: pd.DataFrame, scales: Scales, is_bounded: bool) -> Further:
    """Bias, scaled errors and pinball loss one month ahead, and the intervals over months of these and of the WAPE."""
    if not len(near) or not near["Actual"].abs().sum() or not np.isfinite(_column(near, "Forecast")).all():
        return Further()
    sums = _sums(near, scales, is_bounded).groupby(near["Month"].to_numpy()).sum()
    values = _values(sums.sum())
    ranges = _over_months(sums, values)
    low, high = ranges.pop("wape", (None, None))
    return Further(
        **{key: value for key, value in values.items() if key != "wape"}, wape_low=low, wape_high=high, ranges=ranges
    )


def _sums(near: pd.DataFrame, scales: Scales, is_bounded: bool) -> pd.DataFrame:
    """What the figures are sums of, for each row."""
    actual, forecast = _column(near, "Actual"), _column(near, "Forecast")
    absolute, squared = scales.ratios(near)
    sparse = np.where(intermittent(near), squared, np.nan)
    columns = {"sold": np.abs(actual), "missed": np.abs(actual - forecast), "bias": forecast - actual}
    columns |= {"mase": absolute, "rmsse": squared, "rmsse_intermittent": sparse}
    columns |= {f"n_{name}": np.isfinite(columns[name]) for name in ("mase", "rmsse", "rmsse_intermittent")}
    if is_bounded:
        for name, column, share in (("pinball_p10", "P10", 0.1), ("pinball_p90", "P90", 0.9)):
            columns[name] = metrics.pinball_losses(actual, _column(near, column), share)
    return pd.DataFrame(columns)


def _values(sums: pd.Series) -> dict[str, float | None]:
    """Each figure, None where undefined; pinball loss and bias over sales."""
    sold = float(sums["sold"])
    over_sales = {"wape": "missed", **{name: name for name in ("bias", "pinball_p10", "pinball_p90") if name in sums}}
    values: dict[str, float | None] = {
        name: float(sums[key]) / sold if sold else None for name, key in over_sales.items()
    }
    for name, power in (("mase", 1.0), ("rmsse", 0.5), ("rmsse_intermittent", 0.5)):
        count = float(sums[f"n_{name}"])
        values[name] = (float(sums[name]) / count) ** power if count else None
    return values


def _over_months(sums: pd.DataFrame, values: Mapping[str, float | None]) -> dict[str, tuple[float, float]]:
    """P10 and P90 of each figure, from how it differs from month to month (jackknife over months, normal)."""
    total, n = sums.sum(), len(sums)
    left_out = [_values(total - sums.loc[month]) for month in sums.index] if n >= MIN_RANGE_MONTHS else []
    ranges = {}
    for name, value in values.items():
        others = np.array([each[name] for each in left_out], dtype=np.float64)
        if value is None or not len(others) or not np.isfinite(others).all():
            continue
        error = HALF_OF_80 * float(np.sqrt((n - 1) / n * ((others - others.mean()) ** 2).sum()))
        ranges[name] = (value - error if name == "bias" else max(0.0, value - error), value + error)
    return ranges


def intermittent(table: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Rows of series that sold nothing in at least MIN_ZERO_SHARE of their months, and something in others."""
    is_zero = table["Actual"].eq(0).groupby(table["Key"]).transform("mean")
    return np.asarray((is_zero >= MIN_ZERO_SHARE) & (is_zero < 1))


def segments(table: pd.DataFrame, new_until: Mapping[str, int]) -> dict[str, npt.NDArray[np.bool_]]:
    """Segment -> which rows one month ahead it has: countries, store sizes, new stores, intermittent series, months
    with a promotion.

    Args:
        table: judged rows one month ahead.
        new_until: series -> the month (index) until which it counts as new, a year after its first.
    """
    country = (table["Country"] if "Country" in table else pd.Series(None, table.index)).fillna("unknown").astype(str)
    named = {f"country {name}": (country == name).to_numpy() for name in sorted(country.unique())}
    size = pd.qcut(table["Usual"].rank(method="first"), 3, labels=("small", "medium", "large"))
    named |= {f"{name} stores": (size == name).to_numpy() for name in ("small", "medium", "large")}
    until = table["Key"].map(new_until).to_numpy(dtype=np.float64)
    named["new stores"] = np.asarray(table["Month"].to_numpy() <= until)
    named["intermittent series"] = intermittent(table)
    if "Promotion" in table:
        named["promotion months"] = (table["Promotion"] == 1).to_numpy()
    return {name: at for name, at in named.items() if at.any()}


def by_segment(
    tables: Mapping[str, pd.DataFrame], new_until: Mapping[str, int], prefix: str = ""
) -> dict[str, dict[str, Any]]:
    """Segment -> model -> {"one_step": errors}; with `prefix` only its segments, without the prefix."""
    near = {name: one_step(table) for name, table in tables.items()}
    first = next(iter(near.values()))
    if first.empty:
        return {}
    return {
        segment.removeprefix(prefix): {
            name: {"one_step": metrics.errors(_column(rows[at], "Actual"), _column(rows[at], "Forecast"))}
            for name, rows in near.items()
        }
        for segment, at in segments(first, new_until).items()
        if segment.startswith(prefix)
    }


def _column(table: pd.DataFrame, name: str) -> FloatArray:
    return table[name].to_numpy(dtype=np.float64)

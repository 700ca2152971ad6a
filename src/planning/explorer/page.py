"""Puts the explorer together: which series it has room for, what each needs, and the totals of all."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from demand import explain
from demand.booster_inputs import COLUMNS, PLAN_PLACES
from demand.direct import DirectForecaster
from demand.forecaster import Forecast, Forecaster
from demand.months import month_name
from pages import page as pages
from planning.asked import Asked
from planning.batch import asked_rows, of_series
from planning.explorer import grid, tables

FOLDER = Path(__file__).parent
# Months of sales before the first forecast.
SHOWN_MONTHS = 36
# Of the 10 MB that a page may weigh; and series whose drivers are worked out, which takes milliseconds each.
MAX_BYTES, MAX_EXPLAINED = 8_000_000, 500
UNKNOWN = "unknown"
FILE = "explorer.html"
Rows = list[dict[str, Any]]


class Batch(NamedTuple):
    """A batch forecast: a row, a forecast and a country for each series and month ahead, series by series."""

    rows: Sequence[dict[str, Any]]
    forecasts: Sequence[Forecast]
    countries: Sequence[str | None]
    horizon: int


class Everything(NamedTuple):
    """Of all series, the page's and those that it has no room for: how many, and sums of a country's or all months."""

    series: int
    totals: list[dict[str, Any]]

    @classmethod
    def of(cls, table: pd.DataFrame, horizon: int) -> "Everything":
        """From MonthYear, TotalSales and Country of a batch forecast."""
        named = table.assign(Country=table["Country"].fillna(UNKNOWN))
        sums = named.groupby(["Country", "MonthYear"])["TotalSales"].sum().unstack()
        made = [{"name": str(name), "forecast": row.tolist()} for name, row in sums.iterrows()]
        every = {"name": "All", "forecast": named.groupby("MonthYear")["TotalSales"].sum().tolist()}
        return cls(len(table) // horizon, [every, *made])


def write(folder: Path, forecaster: Forecaster, table: pd.DataFrame, asked: Asked, target: Path) -> None:
    """Write explorer.html into `target`.

    Args:
        folder: of the model.
        forecaster: the model with the series that the page may show.
        table: the batch forecast of all series (`planning.batch.Batch.table`).
        asked: what was asked for.
        target: folder of the forecasts.
    """
    rows = asked_rows(forecaster.state, asked.horizon, asked.plan)
    shown = of_series(table, forecaster.state.keys.tolist())
    answers = zip(shown["TotalSales"], shown["P10"], shown["P90"], shown["Flags"], strict=True)
    forecasts = [Forecast(sales, low, high, flags.split()) for sales, low, high, flags in answers]
    batch = Batch(rows, forecasts, shown["Country"].tolist(), asked.horizon)
    named = {"name": asked.model, "version": asked.version}
    page = render(folder, forecaster, batch, named, Everything.of(table, asked.horizon))
    (target / FILE).write_text(page, encoding="utf-8")


def render(folder: Path, forecaster: Forecaster, batch: Batch, model: Mapping[str, Any], everything: Everything) -> str:
    """The page.

    Args:
        folder: of the model.
        forecaster: the model, loaded.
        batch: what it forecasts of the series that the page may show.
        model: name and version.
        everything: sums of all series.
    """
    groups = _groups(batch)
    shown = _with_room(folder, forecaster, groups)
    data = {
        **_months(forecaster, batch.horizon),
        "keys": forecaster.state.key_columns,
        "floor": forecaster.floor if math.isfinite(forecaster.floor) else None,
        "model": _model(folder, forecaster),
        "columns": {"count": len(COLUMNS), **PLAN_PLACES},
        "series": shown,
        "totals": everything.totals,
    }
    countries = sorted({each["country"] for each in shown})
    return pages.render(
        FOLDER,
        "explorer.html.jinja",
        model=model,
        first=month_name(forecaster.state.last_month + 1),
        last=month_name(forecaster.state.last_month + batch.horizon),
        known_until=month_name(forecaster.state.last_month),
        is_exact=isinstance(forecaster, DirectForecaster),
        left_out=everything.series - len(shown),
        countries=countries,
        data=pages.embedded(data),
    )


class Group(NamedTuple):
    """The months ahead of one series."""

    rows: Rows
    forecasts: Sequence[Forecast]
    country: str

    @property
    def units(self) -> float:
        """All of its forecasts."""
        return sum(each.sales for each in self.forecasts)


def _groups(batch: Batch) -> list[Group]:
    made, size = [], batch.horizon
    for at in range(0, len(batch.rows), size):
        end = at + size
        made.append(Group(list(batch.rows[at:end]), batch.forecasts[at:end], batch.countries[at] or UNKNOWN))
    return made


def _with_room(folder: Path, forecaster: Forecaster, groups: Sequence[Group]) -> list[dict[str, Any]]:
    """Series of the page, by name: those that sell most, as many as there is room for."""
    largest = sorted(groups, key=lambda each: -each.units)
    axes = grid.axes_of(forecaster.metadata.get("features", ()))
    made: list[dict[str, Any]] = []
    taken = 0
    for number, group in enumerate(largest):
        if not isinstance(forecaster, DirectForecaster) and (number + 1) * axes.size * len(group.rows) > grid.MAX_ROWS:
            break
        one = _series(forecaster, group, axes, number < MAX_EXPLAINED)
        taken += len(str(one))
        if taken > MAX_BYTES:
            break
        made.append(one)
    return sorted(made, key=lambda each: each["key"])


def _series(forecaster: Forecaster, group: Group, axes: grid.Axes, is_explained: bool) -> dict[str, Any]:
    state, first = forecaster.state, group.rows[0]
    number = forecaster.series(first)
    price = state.numbers["Price"][number] if number >= 0 else math.nan
    known = float(price) if math.isfinite(price) else None
    one = {
        "key": [str(first.get(name) or "") for name in state.key_columns],
        "country": group.country,
        "actual": _numbers(state.sales[number, -SHOWN_MONTHS:]),
        "forecast": [each.sales for each in group.forecasts],
        "low": [each.low for each in group.forecasts],
        "high": [each.high for each in group.forecasts],
        "plan": [[row.get(name) for name in ("Price", "Promotion", "Holiday")] for row in group.rows],
        "price": known,
        "flags": group.forecasts[0].flags,
        "drivers": _drivers(forecaster, first) if is_explained else None,
    }
    if isinstance(forecaster, DirectForecaster):
        return one | tables.series_of(forecaster, group.rows)
    return one | grid.series_of(forecaster, group.rows, known, axes)


def _drivers(forecaster: Forecaster, row: dict[str, Any]) -> list[list[Any]]:
    """[in a planner's words, units] of what moves the first month's forecast."""
    return [
        [explain.WORDS.get(each["feature"], each["feature"]), round(each["units"], 1)]
        for each in explain.drivers(forecaster, row)
    ]


def _model(folder: Path, forecaster: Forecaster) -> dict[str, Any]:
    if isinstance(forecaster, DirectForecaster):
        return tables.model_of(folder, forecaster)
    return grid.model_of(grid.axes_of(forecaster.metadata.get("features", ())))


def _months(forecaster: Forecaster, horizon: int) -> dict[str, list[str]]:
    last = forecaster.state.last_month
    first = max(forecaster.state.first_month, last - SHOWN_MONTHS + 1)
    return {
        "past": [month_name(month) for month in range(first, last + 1)],
        "ahead": [month_name(month) for month in range(last + 1, last + 1 + horizon)],
    }


def _numbers(values: Any) -> list[float | None]:
    return [round(float(value), 1) if np.isfinite(value) else None for value in values]

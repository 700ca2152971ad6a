"""Why a forecast is what it is: what each feature does to it, and what the store sold in this month before."""

from collections.abc import Sequence
from typing import Any

from demand.forecaster import Forecaster, Row
from demand.months import month_name

MAX_DRIVERS = 5


def drivers(forecaster: Forecaster, row: Row) -> list[dict[str, Any]]:
    """Features by what they do to the forecast of `row`, in units, greatest first.

    A feature's part is the forecast less the one in which the model must guess that feature, as it does where a value
    is missing; the others stay as they are, so the parts do not add up to the forecast (feature occlusion; Covert,
    Lundberg and Lee 2021, "Explaining by removing").
    """
    names, trees = forecaster.occluded(row)
    forecasts = trees.mean(axis=1)
    parts = [(name, float(forecasts[0] - without)) for name, without in zip(names, forecasts[1:], strict=True)]
    nonzero = [(name, units) for name, units in parts if abs(units) > 1e-9 * max(1.0, abs(float(forecasts[0])))]
    ordered = sorted(nonzero, key=lambda part: -abs(part[1]))[:MAX_DRIVERS]
    return [{"feature": name, "units": units} for name, units in ordered]


def past(forecaster: Forecaster, row: Row) -> list[dict[str, Any]]:
    """Recorded sales of the row's calendar month in the years before it, the latest first."""
    return [{"MonthYear": month_name(month), "TotalSales": units} for month, units in forecaster.past(row)]


def explain(forecaster: Forecaster, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """{"drivers", "past"} of each row."""
    return [{"drivers": drivers(forecaster, row), "past": past(forecaster, row)} for row in rows]

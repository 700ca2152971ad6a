"""Why a forecast is what it is: what each feature does to it, and what the store sold in this month before."""

from collections.abc import Sequence
from typing import Any

from demand.forecaster import Forecaster, Row
from demand.months import month_name

MAX_DRIVERS = 5
# What moves a forecast, in a planner's words.
WORDS = {
    "Lag1": "sales of the month before",
    "Lag2": "sales two months before",
    "Lag3": "sales three months before",
    "Lag12": "sales a year before",
    "RollingMean3": "mean of the last three months",
    "RollingMean12": "mean of the last twelve months, the store's level",
    "IsWeekend": "share of weekend days",
    "RecentSales": "sales of the last months",
    "LastYear": "sales around this month in earlier years",
    "Season": "time of the year, over all stores",
    "Trend": "the year before last, against the last one",
    "TradingDays": "trading days of the month",
    "Month": "calendar month",
    "LastPrice": "price until now",
    "PastPromotions": "promotions until now",
    "HolidayLastYear": "a holiday in this month last year",
    "Size": "size of the store",
    "Horizon": "how far ahead it is",
}


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

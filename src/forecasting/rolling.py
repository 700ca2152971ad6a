"""The rolling back-test: every candidate is learned anew at each origin and forecasts the months after it.

The result is a table with one row per series, origin and month (`COLUMNS`). Origins before the judged ones (`warm_up`)
are forecast too: they tell a blend its weights, and are not judged.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from demand.booster_inputs import MAX_HORIZON
from demand.errors import StepError
from forecasting.features import TARGET, month_index, series_columns
from forecasting.recipes import Fitted, Recipe, asked_columns, without_plan

FILE = "backtest.parquet"
# Origin and Month are indices; Forecast and Planned (with the plan of the month) in units.
COLUMNS = ("Month", "Origin", "Horizon", "Actual", "Forecast", "Planned", "Judged")
MIN_MONTHS = 4


@dataclass(frozen=True)
class Rolling:
    """Settings of the back-test; `origins` is the number of judged months."""

    origins: int = 12
    horizon: int = MAX_HORIZON
    warm_up: int = 2

    def months(self, first: int, last: int) -> range:
        """Origins (indices) of sales from `first` to `last`; the last judged month is `last`."""
        judged = last - self.origins
        return range(max(first + MIN_MONTHS - 1, judged - self.warm_up), last)


def backtest(
    recipe: Recipe, rows: pd.DataFrame, settings: Rolling, fit: Callable[[int], Fitted] | None = None
) -> pd.DataFrame:
    """Forecasts of a recipe from every origin.

    Args:
        recipe: how the candidate is learned.
        rows: monthly rows with the calendar (`forecasting.features.prepared`), all that is known today.
        settings: how many origins, how far ahead.
        fit: the recipe's `at_origins` of these rows, where the caller has it.

    Raises:
        StepError: too few months to learn from at any origin.
    """
    tables = list(each_origin(recipe, rows, settings, fit))
    if not tables:
        raise StepError(f"a back-test takes {MIN_MONTHS + 1} months of sales: import more months")
    return pd.concat(tables, ignore_index=True)


def each_origin(
    recipe: Recipe, rows: pd.DataFrame, settings: Rolling, fit: Callable[[int], Fitted] | None = None
) -> Iterator[pd.DataFrame]:
    """The same origin by origin, the oldest first; origins after which nothing was sold are left out."""
    months = month_index(rows["MonthStart"])
    last = int(months.max())
    with threadpool_limits(1):
        fit = fit or recipe.at_origins(rows)
    for origin in settings.months(int(months.min()), last):
        # Many small fits: threads would wait for each other most of the time, and for steps that run beside this one.
        with threadpool_limits(1):
            table = _from_origin(fit, rows, months, origin, settings.horizon)
        if len(table):
            yield table.assign(Judged=origin >= last - settings.origins)


def _from_origin(
    fit: Callable[[int], Fitted], rows: pd.DataFrame, months: npt.NDArray[np.int64], origin: int, horizon: int
) -> pd.DataFrame:
    ahead = (months > origin) & (months <= origin + horizon)
    if not ahead.any() or not (months <= origin).any():
        return pd.DataFrame()
    fitted = fit(origin)
    asked = rows.loc[ahead, asked_columns(rows)].reset_index(drop=True)
    shown = [*series_columns(rows), "MonthYear", "Country", "Promotion"]
    return asked[[name for name in shown if name in asked]].assign(
        Month=months[ahead],
        Origin=origin,
        Horizon=months[ahead] - origin,
        Actual=rows.loc[ahead, TARGET].to_numpy(dtype=np.float64),
        Forecast=fitted.forecast(without_plan(asked)),
        Planned=fitted.forecast(asked),
    )

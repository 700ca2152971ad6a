"""What a promotion and a price do to a model's forecasts, as a planner would ask: one changed, all else as it was."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand.direct_model import DirectModel
from demand.months import season, weekend_share
from forecasting.features import month_index, series_columns
from forecasting.packing import Packed
from forecasting.recipes import Fitted, FittedDirect, FittedForest

FloatArray = npt.NDArray[np.float64]
RISE = 0.10


def effects_of(packed: Packed, rows: pd.DataFrame) -> dict[str, float]:
    """`effects` on the month after `rows`, all that the model has learned from."""
    fitted: Fitted = FittedForest(packed.model, packed.features, rows)
    if isinstance(packed.model, DirectModel):
        fitted = FittedDirect(packed.model)
    return effects(fitted.forecast, next_month(rows), rows)


def next_month(rows: pd.DataFrame) -> pd.DataFrame:
    """The month after `rows` of every series that sold in their last one, without promotion, at its last price."""
    months = month_index(rows["MonthStart"])
    last = int(months.max())
    start = pd.Timestamp(year=(last + 1) // 12, month=(last + 1) % 12 + 1, day=1)
    known = [name for name in (*series_columns(rows), "Country", "City", "Price") if name in rows]
    return (
        rows.loc[months == last, known]
        .reset_index(drop=True)
        .assign(
            MonthStart=start,
            MonthYear=f"{start:%Y-%m}",
            Season=season(last + 1),
            IsWeekend=weekend_share(last + 1),
            Promotion=0.0,
            Holiday=0.0,
        )
    )


def effects(
    predict: Callable[[pd.DataFrame], FloatArray], asked: pd.DataFrame, known: pd.DataFrame
) -> dict[str, float]:
    """Relative change of the sum of all forecasts: {"promotion": 0.08, "price_up_10_percent": -0.02}.

    This is what the model makes of a change, not proof that the change is the cause.

    Args:
        predict: forecasts in units, shape (rows,), of rows such as `asked`.
        asked: months to forecast, with Promotion (0) and Price.
        known: what was learned from; a column that is missing, unknown or the same everywhere there has taught the
            model nothing and is left out.
    """
    changed: dict[str, tuple[Any, Any]] = {}
    if _varies(known, "Promotion"):
        changed["promotion"] = (asked, asked.assign(Promotion=1.0))
    if _varies(known, "Price"):
        changed["price_up_10_percent"] = (asked, asked.assign(Price=asked["Price"] * (1 + RISE)))
    sums = {name: tuple(float(np.sum(predict(each))) for each in pair) for name, pair in changed.items()}
    return {name: after / before - 1 for name, (before, after) in sums.items() if before > 0}


def _varies(rows: pd.DataFrame, name: str) -> bool:
    return name in rows and rows[name].dropna().nunique() > 1

"""A direct model as it is learned and saved: a panel and its parts. This module is packed into every saved model.

`DirectForecaster` serves the same from plain files; both take their inputs from `demand.booster_inputs`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand import booster_inputs, profile
from demand.known import Known
from demand.months import month_of
from demand.panel import PLANNED, Panel
from demand.parts import Part
from demand.state import SEPARATOR

FloatArray = npt.NDArray[np.float64]


class DirectModel:
    """Forecasts months after the panel's last one; columns as `demand.state.State.key_columns`, MonthYear, PLANNED.

    Attributes:
        panel: what was known when the model was fitted.
        parts: (part, its fitted booster or None for the profile itself).
        key_columns: columns that name a series.
    """

    def __init__(self, panel: Panel, parts: Sequence[tuple[Part, Any]], key_columns: Sequence[str]) -> None:
        self.panel, self.parts, self.key_columns = panel, tuple(parts), tuple(key_columns)

    def predict(self, x: pd.DataFrame) -> FloatArray:
        """Sales in units, shape (rows,). A series that is not known counts as an average one."""
        panel = self.panel.with_stranger()
        known = Known(panel)
        places = pd.Index(panel.keys[:-1].astype(object)).get_indexer(self._keys(x))
        months = np.array([month_of(str(name)) for name in x["MonthYear"]])
        sales = np.full(len(x), np.nan)
        for month in np.unique(months):
            at = months == month
            sales[at] = self._of_month(known, int(month), places[at], x[at])
        return sales

    def _keys(self, x: pd.DataFrame) -> pd.Index:
        columns = [x[name].astype(object).where(x[name].notna(), "").astype(str) for name in self.key_columns]
        key = columns[0]
        for column in columns[1:]:
            key = key + SEPARATOR + column
        return pd.Index(key.to_numpy(dtype=object))

    def _of_month(self, known: Known, month: int, places: npt.NDArray[np.intp], x: pd.DataFrame) -> FloatArray:
        plan = {name: _column(x, name) for name in PLANNED}
        planned = np.isfinite(np.stack(list(plan.values()))).any(axis=0)
        total = np.zeros(len(x))
        for part, booster in self.parts:
            units = units_of(part, booster, known, month, places, plan)
            total += np.where(planned, part.weight_with_plan, part.weight) * units
        return total


def units_of(
    part: Part, booster: Any, known: Known, month: int, places: npt.NDArray[np.intp], plan: dict[str, FloatArray]
) -> FloatArray:
    """Sales of the series at `places` in a month with their `plan`, in units, shape (rows,)."""
    if part.base is None:
        return np.asarray(profile.forecast(known, part.profile, range(month, month + 1))[places, 0])
    given = booster_inputs.inputs(known, month, part.base, part.profile)
    chosen = booster_inputs.Inputs(given.x[places], given.scale[places], given.price[places])
    x = booster_inputs.with_plan(chosen, plan)
    return np.asarray(booster.predict(x.astype(np.float64)) * chosen.scale)


def _column(x: pd.DataFrame, name: str) -> FloatArray:
    if name not in x:
        return np.full(len(x), np.nan)
    return x[name].astype("float64").to_numpy(dtype=np.float32, na_value=np.nan).astype(np.float64)

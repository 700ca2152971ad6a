"""Permutation importance of the selected candidate, over the judged months."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.inspection import permutation_importance

from demand import booster_inputs, profile
from demand.booster_inputs import GROUPS
from demand.direct_model import DirectModel
from demand.known import Known
from demand.parts import Part
from forecasting import metrics
from forecasting.features import TARGET, model_frame, month_index, series_keys
from forecasting.packing import Packed

FloatArray = npt.NDArray[np.float64]
REPEATS = 5


def importance(packed: Packed, rows: pd.DataFrame, months: int, seed: int = 7) -> dict[str, float]:
    """Input -> rise of the WAPE when it is shuffled over the rows, greatest first; {} without rows.

    The model is the one fitted on all months: this tells what it makes use of, not how good it is.

    Args:
        packed: the selected model.
        rows: all rows of this run with their history features.
        months: how many of the last months are looked at.
        seed: of the shuffles.
    """
    last = int(month_index(rows["MonthStart"]).max())
    recent = rows[month_index(rows["MonthStart"]) > last - months]
    if recent.empty or not recent[TARGET].abs().sum():
        return {}
    if isinstance(packed.model, DirectModel):
        rises = _of_direct(packed.model, recent, np.random.default_rng(seed))
    else:
        rises = _of_frame(packed.model, model_frame(recent, packed.features, ("Weather",)), recent, seed)
    return dict(sorted(rises.items(), key=lambda item: -item[1]))


def _of_frame(model: Any, frame: pd.DataFrame, rows: pd.DataFrame, seed: int) -> dict[str, float]:
    def negative_wape(fitted: Any, x: pd.DataFrame, y: Any) -> float:
        return -metrics.wape(y, fitted.predict(x))

    sales = rows[TARGET].to_numpy(dtype=np.float64)
    shuffled = permutation_importance(model, frame, sales, scoring=negative_wape, n_repeats=REPEATS, random_state=seed)
    return dict(zip(frame.columns, map(float, shuffled.importances_mean), strict=True))


def _of_direct(model: DirectModel, rows: pd.DataFrame, rng: np.random.Generator) -> dict[str, float]:
    """Of each group of booster inputs, with the recorded plan."""
    sales, months = rows[TARGET].to_numpy(dtype=np.float64), month_index(rows["MonthStart"])
    places = pd.Index(model.panel.keys.astype(object)).get_indexer(pd.Index(series_keys(rows)))
    parts = [_part_forecaster(model, part, booster, rows, months, places) for part, booster in model.parts]
    plain = metrics.wape(sales, np.sum([each(None) for each in parts], axis=0))
    rises = {}
    for group in dict.fromkeys(GROUPS.values()):
        order = rng.permutation(len(rows))
        rises[group] = metrics.wape(sales, np.sum([each((group, order)) for each in parts], axis=0)) - plain
    return rises


def _part_forecaster(
    model: DirectModel,
    part: Part,
    booster: Any,
    rows: pd.DataFrame,
    months: npt.NDArray[np.int64],
    places: npt.NDArray[np.intp],
) -> Callable[[tuple[str, npt.NDArray[np.intp]] | None], FloatArray]:
    """Weighted forecasts of a part, with the inputs of a group shuffled or with none."""
    x = np.zeros((len(rows), len(GROUPS)), np.float32)
    scale = np.zeros(len(rows))
    for month in np.unique(months):
        at = months == month
        known = Known(model.panel.until(int(month) - 1))
        if part.base is None:
            scale[at] = profile.forecast(known, part.profile, range(int(month), int(month) + 1))[places[at], 0]
            continue
        given = booster_inputs.inputs(known, int(month), part.base, part.profile)
        chosen = booster_inputs.Inputs(given.x[places[at]], given.scale[places[at]], given.price[places[at]])
        plan = {name: rows.loc[at, name].astype("float64").to_numpy() for name in booster_inputs.PLAN_PLACES}
        x[at], scale[at] = booster_inputs.with_plan(chosen, plan), chosen.scale

    def forecast(shuffled: tuple[str, npt.NDArray[np.intp]] | None) -> FloatArray:
        if part.base is None:
            return part.weight_with_plan * scale
        inputs = x.astype(np.float64)
        if shuffled:
            columns = [place for place, name in enumerate(GROUPS.values()) if name == shuffled[0]]
            inputs[:, columns] = inputs[shuffled[1]][:, columns]
        return np.asarray(part.weight_with_plan * booster.predict(inputs) * scale)

    return forecast

"""Forecasts of the held-out months with what is known before each begins, and their errors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand.model import tree_predictions
from demand.quantiles import Factors, spread
from forecasting import baselines, metrics
from forecasting.features import HISTORY, TARGET, SalesHistory, model_frame, month_index
from forecasting.packing import Packed

FloatArray = npt.NDArray[np.float64]
# Rows of months to come and the history before them -> sales in units, shape (rows,).
Forecaster = Callable[[pd.DataFrame, SalesHistory], FloatArray]
MASKED = ("Weather",)


@dataclass
class Scores:
    """Forecasts (rows,) in units and errors of one model or baseline; `recorded_weather` flatters, see design."""

    one_step: FloatArray
    multi_step: FloatArray
    low: FloatArray | None = None
    high: FloatArray | None = None
    multi_step_low: FloatArray | None = None
    multi_step_high: FloatArray | None = None
    recorded_weather: metrics.Errors | None = None
    leaks: list[str] = field(default_factory=list)


def frame_of(packed: Packed, rows: pd.DataFrame, history: SalesHistory, masked: Sequence[str] = MASKED) -> pd.DataFrame:
    """Input of a model for `rows`: history features come from `history`, whatever the rows hold."""
    known = rows.drop(columns=[name for name in HISTORY if name in rows])
    if set(packed.features) & set(HISTORY):
        known = pd.concat([known, history.features(known)], axis=1)
    return model_frame(known, packed.features, masked)


def model_forecaster(packed: Packed, masked: Sequence[str] = MASKED) -> Forecaster:
    """A model as a forecaster."""
    return lambda rows, history: np.asarray(packed.model.predict(frame_of(packed, rows, history, masked)), np.float64)


def baseline_forecaster(name: str) -> Forecaster:
    """A naive baseline as a forecaster."""
    return lambda rows, history: baselines.forecast(name, rows, history)


def multi_step(forecaster: Forecaster, rows: pd.DataFrame, history: SalesHistory) -> FloatArray:
    """Forecast every month of `rows` from the end of `history`: later lags are filled with own forecasts."""
    months = month_index(rows["MonthStart"])
    past, result = history.until(int(months.min())), np.full(len(rows), np.nan)
    for month in np.unique(months):
        at = months == month
        result[at] = forecaster(rows[at], past)
        past.record(rows[at], result[at])
    return result


def multi_step_frame(
    packed: Packed, rows: pd.DataFrame, history: SalesHistory, masked: Sequence[str] = MASKED
) -> pd.DataFrame:
    """Input of a model for every month of `rows`, forecast from the end of `history` as `multi_step` does."""
    frames: list[pd.DataFrame] = []

    def forecaster(part: pd.DataFrame, past: SalesHistory) -> FloatArray:
        frames.append(frame_of(packed, part, past, masked))
        return np.asarray(packed.model.predict(frames[-1]), np.float64)

    multi_step(forecaster, rows, history)
    return pd.concat(frames).loc[rows.index]


def interval(
    packed: Packed, frame: pd.DataFrame, ahead: npt.NDArray[np.bool_] | None = None
) -> tuple[FloatArray, FloatArray]:
    """(P10, P90) in units of each row of the model's input `frame`; `ahead` marks those more than one month ahead."""
    center, below, above = spread(tree_predictions(packed.model, frame).T)
    none = np.zeros(len(frame), dtype=bool)
    low, high = Factors.of(packed.metadata["interval"]).at(none if ahead is None else ahead)
    return center - low * below, center + high * above


def score(forecaster: Forecaster, rows: pd.DataFrame, history: SalesHistory) -> Scores:
    """One month ahead, and all months from one origin."""
    if rows.empty:
        return Scores(np.empty(0), np.empty(0))
    return Scores(forecaster(rows, history), multi_step(forecaster, rows, history))


def score_model(packed: Packed, rows: pd.DataFrame, history: SalesHistory) -> Scores:
    """As `score`, with the interval, the figure with recorded weather, and the features found to leak."""
    scores = score(model_forecaster(packed), rows, history)
    if rows.empty:
        return scores
    if "interval" in packed.metadata:
        scores.low, scores.high = interval(packed, frame_of(packed, rows, history))
        months = month_index(rows["MonthStart"])
        far = multi_step_frame(packed, rows, history)
        scores.multi_step_low, scores.multi_step_high = interval(packed, far, months > months.min())
    flattered = model_forecaster(packed, masked=())(rows, history)
    scores.recorded_weather = metrics.errors(rows[TARGET].to_numpy(dtype=np.float64), flattered)
    scores.leaks = [name for name in leaking(rows, history) if name in packed.features]
    return scores


def leaking(rows: pd.DataFrame, history: SalesHistory) -> list[str]:
    """History features, stored with `rows` or built now, that change when a row's own and later months are unknown."""
    months, found = month_index(rows["MonthStart"]), set()
    for month in np.unique(months):
        part = rows[months == month]
        honest = history.until(int(month)).features(part)
        built = history.features(part)
        for name in HISTORY:
            stored = part[name] if name in part else honest[name]
            if not (_same(honest[name], built[name]) and _same(honest[name], stored)):
                found.add(name)
    return sorted(found)


def _same(left: pd.Series, right: pd.Series) -> bool:
    return bool(np.allclose(left.to_numpy(np.float64), right.to_numpy(np.float64), rtol=1e-9, equal_nan=True))

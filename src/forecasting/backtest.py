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
Predictor = Callable[[pd.DataFrame, SalesHistory], FloatArray]
MASKED = ("Weather",)


@dataclass
class Backtest:
    """Forecasts (rows,) in units and errors of one model or baseline; `recorded_weather` flatters, see design."""

    one_step: FloatArray
    multi_step: FloatArray
    low: FloatArray | None = None
    high: FloatArray | None = None
    multi_step_low: FloatArray | None = None
    multi_step_high: FloatArray | None = None
    recorded_weather: metrics.Metrics | None = None
    leaks: list[str] = field(default_factory=list)


def frame_of(packed: Packed, rows: pd.DataFrame, history: SalesHistory, masked: Sequence[str] = MASKED) -> pd.DataFrame:
    """Input of a model for `rows`: history features come from `history`, whatever the rows hold."""
    known = rows.drop(columns=[name for name in HISTORY if name in rows])
    if set(packed.features) & set(HISTORY):
        known = pd.concat([known, history.features(known)], axis=1)
    return model_frame(known, packed.features, masked)


def model_predictor(packed: Packed, masked: Sequence[str] = MASKED) -> Predictor:
    """A model as a predictor."""
    return lambda rows, history: np.asarray(packed.model.predict(frame_of(packed, rows, history, masked)), np.float64)


def baseline_predictor(name: str) -> Predictor:
    """A naive baseline as a predictor."""
    return lambda rows, history: baselines.forecast(name, rows, history)


def multi_step(predictor: Predictor, rows: pd.DataFrame, history: SalesHistory) -> FloatArray:
    """Forecast every month of `rows` from the end of `history`: later lags are filled with own forecasts."""
    months = month_index(rows["MonthStart"])
    past, result = history.until(int(months.min())), np.full(len(rows), np.nan)
    for month in np.unique(months):
        at = months == month
        result[at] = predictor(rows[at], past)
        past.record(rows[at], result[at])
    return result


def multi_step_frame(
    packed: Packed, rows: pd.DataFrame, history: SalesHistory, masked: Sequence[str] = MASKED
) -> pd.DataFrame:
    """Input of a model for every month of `rows`, forecast from the end of `history` as `multi_step` does."""
    frames: list[pd.DataFrame] = []

    def predictor(part: pd.DataFrame, past: SalesHistory) -> FloatArray:
        frames.append(frame_of(packed, part, past, masked))
        return np.asarray(packed.model.predict(frames[-1]), np.float64)

    multi_step(predictor, rows, history)
    return pd.concat(frames).loc[rows.index]


def interval(
    packed: Packed, frame: pd.DataFrame, ahead: npt.NDArray[np.bool_] | None = None
) -> tuple[FloatArray, FloatArray]:
    """(P10, P90) in units of each row of the model's input `frame`; `ahead` marks those more than one month ahead."""
    center, below, above = spread(tree_predictions(packed.model, frame).T)
    none = np.zeros(len(frame), dtype=bool)
    low, high = Factors.of(packed.metadata["interval"]).at(none if ahead is None else ahead)
    return center - low * below, center + high * above


def backtest(predictor: Predictor, rows: pd.DataFrame, history: SalesHistory) -> Backtest:
    """One month ahead, and all months from one origin."""
    if rows.empty:
        return Backtest(np.empty(0), np.empty(0))
    return Backtest(predictor(rows, history), multi_step(predictor, rows, history))


def backtest_model(packed: Packed, rows: pd.DataFrame, history: SalesHistory) -> Backtest:
    """As `backtest`, with the interval, the errors with recorded weather, and the features that leak."""
    result = backtest(model_predictor(packed), rows, history)
    if rows.empty:
        return result
    if "interval" in packed.metadata:
        result.low, result.high = interval(packed, frame_of(packed, rows, history))
        months = month_index(rows["MonthStart"])
        far = multi_step_frame(packed, rows, history)
        result.multi_step_low, result.multi_step_high = interval(packed, far, months > months.min())
    flattered = model_predictor(packed, masked=())(rows, history)
    result.recorded_weather = metrics.errors(rows[TARGET].to_numpy(dtype=np.float64), flattered)
    result.leaks = [name for name in leaking(rows, history) if name in packed.features]
    return result


def leaking(rows: pd.DataFrame, history: SalesHistory) -> list[str]:
    """History features, stored with `rows` or built now, that change when a row's own and later months are unknown."""
    months, names = month_index(rows["MonthStart"]), set()
    for month in np.unique(months):
        part = rows[months == month]
        honest = history.until(int(month)).features(part)
        built = history.features(part)
        for name in HISTORY:
            stored = part[name] if name in part else honest[name]
            if not (_same(honest[name], built[name]) and _same(honest[name], stored)):
                names.add(name)
    return sorted(names)


def _same(left: pd.Series, right: pd.Series) -> bool:
    return bool(np.allclose(left.to_numpy(np.float64), right.to_numpy(np.float64), rtol=1e-9, equal_nan=True))

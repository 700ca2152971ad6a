"""A model that was registered before src/ became three packages is loaded and served as before."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from demand.forecaster import Forecaster
from demand.forest import Forest
from demand.state import State
from forecasting.features import model_frame
from forecasting.packing import load, read_metadata

FIXTURE = Path(__file__).parent / "fixtures" / "model_before_the_packages"
MODEL = FIXTURE / "model"
FORECASTS = json.loads((FIXTURE / "forecasts.json").read_text())


def rows() -> pd.DataFrame:
    """Rows of features, as the code of that time wrote them."""
    return pd.DataFrame(json.loads((FIXTURE / "rows.json").read_text()))


def test_the_pickle_of_a_former_release_loads_and_forecasts_the_same() -> None:
    packed = load(MODEL)
    frame = model_frame(rows(), packed.features)
    np.testing.assert_allclose(packed.model.predict(frame), FORECASTS, rtol=1e-12)


def test_the_serving_files_of_a_former_release_forecast_the_same() -> None:
    frame = model_frame(rows(), load(MODEL).features)
    served = Forest(MODEL / "endpoint").of_frame(frame).mean(axis=1)
    np.testing.assert_allclose(served, FORECASTS, rtol=1e-6)


def test_the_endpoint_serves_a_model_of_a_former_release() -> None:
    state = State.load(MODEL / "endpoint" / "history.npz")
    forecaster = Forecaster(MODEL, read_metadata(MODEL), state)
    (forecast,) = forecaster.forecast([{"StoreID": "S001", "Month": state.last_month + 1}])
    assert 0 < forecast.low <= forecast.sales <= forecast.high

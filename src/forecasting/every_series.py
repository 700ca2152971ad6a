"""Every series' state, beside the training rows of a run that learns from a sample of them (`forecasting.sampling`)."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from demand.direct_model import DirectModel
from demand.panel import Panel
from demand.state import State
from forecasting.features import series_keys
from forecasting.packing import Packed
from forecasting.series_parts import Table, state_and_panel

STATE, PANEL = "every_series_state.npz", "every_series_panel.npz"


def write(table: Table, train: Path) -> None:
    """Add every series' state and panel to the training folder."""
    state, panel = state_and_panel(table.each_part())
    state.save(train / STATE)
    panel.save(train / PANEL)


def state(train: Path) -> State | None:
    """Every series' state; None where the training rows hold all of them."""
    return State.load(train / STATE) if (train / STATE).is_file() else None


def known_to(model: DirectModel, train: Path) -> DirectModel:
    """The model with every series in its panel, so that it forecasts all, whichever it has learned from."""
    path = train / PANEL
    return DirectModel(Panel.load(path), model.parts, model.key_columns) if path.is_file() else model


def of_rows(packed: Packed, rows: pd.DataFrame) -> Packed:
    """A loaded model that knows the series of `rows` only: what is told of it by many forecasts needs no others."""
    model = packed.model
    if not isinstance(model, DirectModel):
        return packed
    at = np.flatnonzero(np.isin(model.panel.keys, np.unique(series_keys(rows)).astype(str)))
    if len(at) == len(model.panel.keys):
        return packed
    return replace(packed, model=DirectModel(model.panel.of_series(at), model.parts, model.key_columns))

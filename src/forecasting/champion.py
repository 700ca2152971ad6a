"""The registered champion: what a candidate is compared with, and how the model that is live does on today's sales.

A comparison counts only on months that neither side has learned from. A champion that was trained on held-out months,
as after a run that held out fewer, is therefore not scored itself: its recipe, features and parameters, is fitted again
on this run's training months, and both sides have then seen exactly the same. Other sales of the same months, such as
those of other stores, it has not seen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from demand import tracking
from demand.errors import StepError
from demand.grain import grain_of
from demand.served_model import serving_folder
from demand.state import State
from forecasting.backtest import model_predictor
from forecasting.export import HISTORY as HISTORY_FILE
from forecasting.features import HISTORY, TARGET, SalesHistory
from forecasting.lookback import error_beside_naive
from forecasting.packing import Packed, load
from forecasting.train import Settings, fit

NONE = "none"


@dataclass(frozen=True)
class Champion:
    """A registered version. `rival` is what the candidates are compared with: the model itself, or its recipe."""

    name: str
    version: str
    packed: Packed
    rival: Packed
    months_seen: int

    @property
    def is_refitted(self) -> bool:
        """Whether the rival is the recipe, fitted again, and not the registered model."""
        return self.rival is not self.packed

    @property
    def label(self) -> str:
        """What reasons call it."""
        return f"champion version {self.version}"

    def notes(self) -> list[str]:
        """What a reader must know of the comparison."""
        if not self.is_refitted:
            return []
        until = self.packed.metadata.get("trained_until") or "an unknown month"
        return [
            f"{self.label} was trained until {until} and has seen {self.months_seen} of the held-out months: its "
            "recipe was fitted again on this run's training months, and that is what was compared"
        ]


def read(name: str, version: str, train: pd.DataFrame, holdout: pd.DataFrame, grain: str) -> Champion | None:
    """The champion, ready to be compared; None if `version` is none.

    Args:
        name: name of the registered model.
        version: its version, or none.
        train, holdout: rows of the prepare step.
        grain: grain of those rows.

    Raises:
        StepError: there is no tracking server, no such version, it cannot be loaded, or it is of another grain.
    """
    if version == NONE:
        return None
    if not tracking.is_on():
        raise StepError(f"champion {name}:{version} cannot be read: set MLFLOW_TRACKING_URI, or pass --champion none")
    folder = tracking.download(f"models:/{name}/{version}")
    packed = load(folder)
    if grain_of(packed.features) != grain:
        raise StepError(
            f"champion {name}:{version} forecasts by {grain_of(packed.features)}, these sales are by {grain}: "
            "they cannot be compared; pass --champion none"
        )
    seen = months_seen(packed, folder, holdout)
    return Champion(name, version, packed, refitted(packed, train) if seen else packed, seen)


def months_seen(packed: Packed, folder: Path, holdout: pd.DataFrame) -> int:
    """How many of the held-out months a model has learned from, by the sales packed with it (`folder`).

    A month counts where any held-out store-month of it is there with the same sales.
    """
    until = str(packed.metadata.get("trained_until") or "9999-12")
    rows = holdout[holdout["MonthYear"].astype(str) <= until]
    packed_sales = serving_folder(folder) / HISTORY_FILE
    if rows.empty or not packed_sales.is_file():
        return int(rows["MonthYear"].nunique())
    state = State.load(packed_sales)
    known = SalesHistory(pd.Index(state.keys.astype(object)), state.first_month, state.sales)
    learned = known.lag(rows, 0)
    same = np.isclose(learned, rows[TARGET].to_numpy(dtype=np.float64), rtol=1e-9, atol=0.0)
    return int(rows.loc[same, "MonthYear"].nunique())


def refitted(packed: Packed, train: pd.DataFrame) -> Packed:
    """The recipe of a model, fitted on other months.

    Raises:
        StepError: the model does not state its recipe.
    """
    parameters: Mapping[str, Any] = packed.metadata.get("parameters") or {}
    try:
        settings = Settings(
            str(packed.metadata["candidate"]),
            "history" if set(packed.features) & set(HISTORY) else "contextual",
            n_estimators=int(parameters["n_estimators"]),
            min_samples_leaf=int(parameters["min_samples_leaf"]),
            max_features=float(parameters["max_features"]),
            seed=int(parameters["random_state"]),
        )
    except KeyError as error:
        raise StepError(
            f"the champion has seen held-out months and does not state its recipe ({error} is missing), so that it can "
            "neither be compared nor fitted again; pass --champion none"
        ) from error
    return Packed(*fit(settings, train))


def live(champion: Champion, rows: pd.DataFrame, history: SalesHistory) -> dict[str, Any]:
    """How the registered model itself does on `rows`, beside the same month of last year.

    Months that it has learned from flatter it (`months_seen`): one that loses even so is unfit for these sales.
    """
    shown = error_beside_naive(model_predictor(champion.packed)(rows, history), rows, history)
    about = {"name": champion.name, "version": champion.version, "months_seen": champion.months_seen}
    return {**about, **shown}

"""The registered champion: what a candidate is compared with, and how the model that is live does on today's sales.

A comparison counts only on months that neither side has learned from. The registered model has learned from all months
that there were: so its recipe is back-tested on the same origins as the candidates, and both sides have then seen
exactly the same. Where a candidate has the champion's recipe, its back-test is the champion's.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand import tracking
from demand.errors import StepError
from demand.grain import grain_of
from demand.months import month_of
from demand.served_model import serving_folder
from demand.state import State
from forecasting import blending
from forecasting.candidates import Candidate, keyed
from forecasting.export import HISTORY as HISTORY_FILE
from forecasting.features import HISTORY, TARGET, SalesHistory, month_index
from forecasting.forests import Settings
from forecasting.lookback import look_back
from forecasting.packing import NONE, read_metadata
from forecasting.recipes import recipe_of
from forecasting.rolling import Rolling, backtest

REGISTERED = "registered"


@dataclass(frozen=True)
class Champion:
    """A registered version: its folder, metadata and recipe."""

    name: str
    version: str
    folder: Path
    metadata: Mapping[str, Any]
    recipe: Mapping[str, Any]

    @property
    def label(self) -> str:
        """What reasons call it."""
        return f"champion version {self.version}"

    def learned(self, rows: pd.DataFrame) -> npt.NDArray[np.int64]:
        """Months (indices) of `rows` that it has learned from, by the sales packed with it.

        A month counts where at least half of what sold in it was the same then: corrections and a few new stores do not
        make the sales others, whereas the same months of other stores it has not seen.
        """
        months, packed = month_index(rows["MonthStart"]), serving_folder(self.folder) / HISTORY_FILE
        until = month_of(str(self.metadata.get("trained_until")))
        if until is None or not packed.is_file():
            return np.empty(0, dtype=np.int64)
        state = State.load(packed)
        known = SalesHistory(pd.Index(state.keys.astype(object)), state.first_month, state.sales)
        sales = rows[TARGET].to_numpy(dtype=np.float64)
        sold = np.isfinite(sales) & (sales != 0) & (months <= until)
        same = pd.Series(np.isclose(known.before(rows).lag(0)[sold], sales[sold], rtol=1e-9, atol=0.0))
        share = same.groupby(months[sold]).mean()
        return share.index[share >= 0.5].to_numpy(dtype=np.int64)

    def age_months(self, rows: pd.DataFrame) -> int:
        """The latest months of `rows` that it has not learned from: all of them where these are other sales."""
        months, learned = month_index(rows["MonthStart"]), self.learned(rows)
        newest = int(learned.max()) if len(learned) else int(months.min()) - 1
        return int(months.max()) - newest

    def notes(self) -> list[str]:
        """What a reader must know of the comparison."""
        until = self.metadata.get("trained_until") or "an unknown month"
        return [
            f"{self.label} was fitted on months until {until}: its recipe was learned anew at every origin of this "
            "back-test, as the candidates were, and that is what was compared"
        ]


def read(name: str, version: str, grain: str) -> Champion | None:
    """The champion, ready to be compared; None if `version` is none.

    Args:
        name: name of the registered model.
        version: its version, none, or `registered`: the one that the registry has as champion, if any. A schedule
            starts the pipeline with that, since nobody is there to name a version.
        grain: grain of this run's rows.

    Raises:
        StepError: there is no tracking server, no such version, it tells no recipe, or it is of another grain.
    """
    if version == NONE:
        return None
    if not tracking.is_on():
        raise StepError(f"champion {name}:{version} cannot be read: set MLFLOW_TRACKING_URI, or pass --champion none")
    if version == REGISTERED:
        known = tracking.champion(name)
        if known is None:
            return None
        version = known
    folder = tracking.download(f"models:/{name}/{version}")
    metadata = read_metadata(folder)
    if grain_of(metadata.get("features", ())) != grain:
        raise StepError(
            f"champion {name}:{version} forecasts by {grain_of(metadata.get('features', ()))}, these sales are by "
            f"{grain}: they cannot be compared; pass --champion none"
        )
    return Champion(name, version, folder, metadata, recipe(metadata))


def recipe(metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    """The recipe of a model; of forests that were registered before recipes were kept, from their parameters.

    Raises:
        StepError: the model does not tell its recipe.
    """
    if "recipe" in metadata:
        return dict(metadata["recipe"])
    parameters: Mapping[str, Any] = metadata.get("parameters") or {}
    try:
        return {
            "kind": "forest",
            "candidate": str(metadata["candidate"]),
            "features": "history" if set(metadata.get("features", ())) & set(HISTORY) else "contextual",
            "n_estimators": int(parameters["n_estimators"]),
            "min_samples_leaf": int(parameters["min_samples_leaf"]),
            "max_features": float(parameters["max_features"]),
            "max_rows": Settings.max_rows,
            "seed": int(parameters["random_state"]),
        }
    except KeyError as error:
        raise StepError(
            f"the champion does not tell its recipe ({error} is missing), so that it cannot be compared; "
            "pass --champion none"
        ) from error


def text(settings: Mapping[str, Any]) -> str:
    """A recipe as one text; equal for equal recipes, whatever their candidates are called."""

    def nameless(value: Any) -> Any:
        if isinstance(value, Mapping) and value.get("kind") == "blend":
            return {"kind": "blend", "parts": sorted(text(part) for part in value["parts"].values())}
        return {key: each for key, each in _filled(value).items() if key != "candidate"}

    return json.dumps(nameless(settings), sort_keys=True)


def _filled(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """With what this release has as defaults, so that a setting that is new does not make another recipe."""
    try:
        return recipe_of("", settings).settings()
    except (StepError, TypeError):  # of a kind, or with a setting, that this release does not know
        return settings


def backtest_of(
    settings: Mapping[str, Any], candidates: Mapping[str, Candidate], rows: pd.DataFrame, rolling: Rolling
) -> pd.DataFrame:
    """The back-test of a recipe on the rows of this run: a candidate's, where one has the same recipe."""
    same = next((each for each in candidates.values() if text(each.metadata["recipe"]) == text(settings)), None)
    if same is not None:
        return same.table
    if settings["kind"] == "blend":
        parts = {name: backtest_of(part, candidates, rows, rolling) for name, part in settings["parts"].items()}
        return blending.blend(parts)
    return keyed(backtest(recipe_of("champion", settings), rows, rolling))


def live(champion: Champion, rows: pd.DataFrame, months: int) -> dict[str, Any]:
    """How the registered model itself does on the last `months` of `rows`, beside the same month of last year.

    Months that it has learned from flatter it (`months_seen`): one that loses even so is unfit for these sales.
    """
    learned = set(champion.learned(rows).tolist())
    recent = sorted(set(month_index(rows["MonthStart"]).tolist()))[-months:] if months else []
    seen = len(learned.intersection(recent))
    about = {"name": champion.name, "version": champion.version, "months_seen": seen}
    shown = look_back(champion.folder, champion.metadata, rows, months) if months else {}
    return {**about, **{key: value for key, value in shown.items() if key not in ("from", "until")}}

"""Recipes: how each candidate is learned from monthly rows, at any origin, and how it then forecasts.

A recipe sees rows until its origin and nothing else. What it is asked of months to come are rows without sales, weather
and history (`asked_columns`), so that it cannot know what nobody knows.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand.direct_model import DirectModel
from demand.errors import StepError
from demand.panel import PLANNED
from demand.parts import Part
from forecasting import baselines, boosting
from forecasting.boosting import BoosterSettings
from forecasting.features import HISTORY, SalesHistory, model_frame, month_index, series_columns
from forecasting.forests import Settings, thinned
from forecasting.forests import fit as fit_forest
from forecasting.forests import predict as predict_forest
from forecasting.panels import Months
from forecasting.profiling import Profiles

FloatArray = npt.NDArray[np.float64]
CALENDAR = ("MonthStart", "MonthYear", "Season", "IsWeekend")
# What a store keeps from month to month: taken from its last month where a row leaves it out, as serving does.
KEPT = ("Country", "City", "Price")


class Fitted(Protocol):
    """A fitted recipe."""

    def forecast(self, asked: pd.DataFrame) -> FloatArray:
        """Sales in units, shape (rows,), of months after the origin; all months between must be asked too."""
        ...


class Recipe(Protocol):
    """How a candidate is learned."""

    @property
    def name(self) -> str:
        """What the candidate is called."""
        ...

    def fit(self, rows: pd.DataFrame) -> Fitted:
        """From monthly rows until the origin."""
        ...

    def at_origins(self, rows: pd.DataFrame) -> Callable[[int], Fitted]:
        """Fits at any origin (month index), each from the rows until it; what they have in common is done once."""
        ...

    def settings(self) -> dict[str, Any]:
        """As JSON; `recipe_of` makes an equal recipe of it."""
        ...


def asked_columns(rows: pd.DataFrame) -> list[str]:
    """What a forecast may know of a month to come, in the order of `rows`."""
    kept = {*series_columns(rows), *CALENDAR, *KEPT, *PLANNED}
    return [name for name in rows if name in kept]


def _cut(recipe: Recipe, rows: pd.DataFrame) -> Callable[[int], Fitted]:
    """`Recipe.at_origins` of a recipe whose fits have nothing in common."""
    # In the order of the months, the rows until an origin are the first ones, which need no copy.
    rows = rows.sort_values("MonthStart", kind="stable", ignore_index=True)
    months = month_index(rows["MonthStart"])
    return lambda origin: recipe.fit(rows.iloc[: np.searchsorted(months, origin, side="right")])


def without_plan(asked: pd.DataFrame) -> pd.DataFrame:
    """The same rows with nothing planned."""
    return asked.assign(**dict.fromkeys(PLANNED, np.nan))


@dataclass(frozen=True)
class ForestRecipe:
    """A Random Forest on one of the feature sets."""

    name: str
    forest: Settings

    def fit(self, rows: pd.DataFrame) -> "FittedForest":
        """A forest on features that are made anew from the rows' own past."""
        model, metadata = fit_forest(self.forest, with_history(thinned(rows, self.forest), rows))
        return FittedForest(model, list(metadata["features"]), rows)

    def at_origins(self, rows: pd.DataFrame) -> Callable[[int], Fitted]:
        """A forest an origin."""
        return _cut(self, rows)

    def settings(self) -> dict[str, Any]:
        """Kind and fields."""
        return {"kind": "forest", **asdict(self.forest)}


@dataclass(frozen=True)
class FittedForest:
    """A forest, its features, and the rows it learned from."""

    model: Any
    features: list[str]
    rows: pd.DataFrame

    def forecast(self, asked: pd.DataFrame) -> FloatArray:
        """Where the features need sales of a month between, its forecast stands in; without history, all at once."""
        asked = _with_kept(asked, self.rows)
        if set(self.features) & set(HISTORY):
            return _month_by_month(self._of_month, asked, SalesHistory.of(self.rows))
        return self._predict(asked)

    def _of_month(self, part: pd.DataFrame, past: SalesHistory) -> FloatArray:
        return self._predict(pd.concat([part, past.features(part)], axis=1))

    def _predict(self, rows: pd.DataFrame) -> FloatArray:
        return predict_forest(self.model, model_frame(rows, self.features))


@dataclass(frozen=True)
class NaiveRecipe:
    """A naive baseline of `forecasting.baselines`: nothing is learned."""

    name: str

    def fit(self, rows: pd.DataFrame) -> "FittedNaive":
        """Keep the sales."""
        return FittedNaive(self.name, SalesHistory.of(rows))

    def at_origins(self, rows: pd.DataFrame) -> Callable[[int], "FittedNaive"]:
        """The sales until each origin."""
        history = SalesHistory.of(rows)
        return lambda origin: FittedNaive(self.name, history.at_origin(origin))

    def settings(self) -> dict[str, Any]:
        """Kind and name."""
        return {"kind": "naive", "name": self.name}


@dataclass(frozen=True)
class FittedNaive:
    """A naive baseline and the past that it repeats."""

    name: str
    history: SalesHistory

    def forecast(self, asked: pd.DataFrame) -> FloatArray:
        """Month by month, as the forests do."""
        return _month_by_month(partial(baselines.forecast, self.name), asked, self.history)


def _month_by_month(
    predict: Callable[[pd.DataFrame, SalesHistory], FloatArray], asked: pd.DataFrame, history: SalesHistory
) -> FloatArray:
    """Forecast months in their order; each forecast is the past of the months after it."""
    months = month_index(asked["MonthStart"])
    past = history.with_room_until(int(months.max()))
    sales = np.full(len(asked), np.nan)
    for month in np.unique(months):
        part = asked[months == month]
        sales[months == month] = predict(part, past)
        past.record(part, sales[months == month])
    return sales


def with_history(rows: pd.DataFrame, past: pd.DataFrame | None = None) -> pd.DataFrame:
    """Rows with the history features, made anew from `past`, all that was sold; from the rows themselves without it."""
    known = rows.drop(columns=[name for name in HISTORY if name in rows])
    history = SalesHistory.of(known if past is None else past)
    return pd.concat([known, history.features(known)], axis=1)


def _with_kept(asked: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """What the rows leave out of KEPT, from each series' last month that has it."""
    keys = series_columns(rows)
    last = rows.sort_values("MonthStart", kind="stable").groupby(keys)[[name for name in KEPT if name in rows]].last()
    kept = asked[keys].merge(last.reset_index(), on=keys, how="left").set_index(asked.index)
    return asked.assign(
        **{str(name): asked[name].where(asked[name].notna(), kept[name]) for name in last if name in asked}
    )


@dataclass(frozen=True)
class DirectRecipe:
    """A profile, or a booster where `booster` says how."""

    name: str
    booster: BoosterSettings | None = None

    def fit(self, rows: pd.DataFrame) -> "FittedDirect":
        """The profile of these rows, and the booster learned from every origin in them."""
        return self.at_origins(rows)(int(month_index(rows["MonthStart"]).max()))

    def at_origins(self, rows: pd.DataFrame) -> Callable[[int], "FittedDirect"]:
        """An earlier origin's profiles and training rows are among those of a later one."""
        months = Months.of(rows)
        profiles = Profiles(months)
        learned = boosting.training_rows(months, self.booster, profiles.at, profiles.known) if self.booster else None

        def fit(origin: int) -> FittedDirect:
            part, booster = Part(self.name, profiles.at(origin)), None
            if self.booster and learned:
                booster = boosting.fit(learned.until(origin), self.booster)
                if booster is not None:
                    part = Part(self.name, part.profile, self.booster.base, f"{self.name}.onnx")
            return FittedDirect(DirectModel(months.panel(origin), [(part, booster)], series_columns(rows)))

        return fit

    def settings(self) -> dict[str, Any]:
        """Kind and fields."""
        return {"kind": "profile"} if self.booster is None else {"kind": "booster", **asdict(self.booster)}


@dataclass(frozen=True)
class FittedDirect:
    """A direct model."""

    model: DirectModel

    def forecast(self, asked: pd.DataFrame) -> FloatArray:
        """Every month from the origin."""
        return self.model.predict(asked)


def recipe_of(name: str, settings: Mapping[str, Any]) -> Recipe:
    """The recipe of `Recipe.settings`.

    Raises:
        StepError: of a kind that this release does not know.
    """
    given = dict(settings)
    kind = given.pop("kind", None)
    if kind == "forest":
        return ForestRecipe(name, Settings(**given))
    if kind == "profile":
        return DirectRecipe(name)
    if kind == "booster":
        return DirectRecipe(name, BoosterSettings(**given))
    raise StepError(f"{name}: its recipe is {kind!r}, which this release does not know")

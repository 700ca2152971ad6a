"""What a part adds: the same back-test without it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor

from demand.booster_inputs import GROUPS
from demand.panel import WEEKDAYS
from demand.profile import GRID
from forecasting import blending
from forecasting.boosting import LEFT_OUT, BoosterSettings
from forecasting.candidates import keyed
from forecasting.recipes import DirectRecipe
from forecasting.rolling import Rolling, backtest
from results import measure
from results.sets import SalesSet

Wapes = tuple[float, float, float]


class Row(NamedTuple):
    """One line of the page: what was left out or changed, of which candidate, and the errors then."""

    change: str
    candidate: str
    measure: Callable[[SalesSet], Wapes]


@dataclass(frozen=True)
class Squares(BoosterSettings):
    """A booster that minimises squares."""

    def estimator(self) -> HistGradientBoostingRegressor:
        """The unfitted booster."""
        made: HistGradientBoostingRegressor = super().estimator().set_params(loss="squared_error")
        return made


@dataclass(frozen=True)
class Trees(BoosterSettings):
    """A Random Forest on the same rows and inputs."""

    def estimator(self) -> Any:
        """The unfitted forest."""
        return RandomForestRegressor(100, min_samples_leaf=5, max_features=0.5, random_state=self.seed)


@dataclass(frozen=True)
class Without(BoosterSettings):
    """A booster that does not see the inputs of some groups."""

    groups: tuple[str, ...] = ()

    def estimator(self) -> Any:
        """The unfitted booster."""
        kept = [place for place, name in enumerate(GROUPS.values()) if name not in self.groups]
        return _Columns(super().estimator(), kept)


class _Columns:
    """An estimator of some of the columns."""

    def __init__(self, inner: HistGradientBoostingRegressor, kept: list[int]) -> None:
        self.inner, self.kept = inner, kept

    def fit(self, x: Any, y: Any, sample_weight: Any) -> "_Columns":
        self.inner.fit(x[:, self.kept], y, sample_weight=sample_weight)
        return self

    def predict(self, x: Any) -> Any:
        return self.inner.predict(np.asarray(x)[:, self.kept])


def rows() -> Iterator[Row]:
    """Every line, in the page's order."""
    yield Row("as it is", "profile", lambda sales: measure.wapes(DirectRecipe("profile"), sales.rows))
    yield Row("every day counts alike (no trading days)", "profile", _without_trading_days("profile"))
    yield Row("no month of the year", "profile", _without_season)
    yield Row("as it is", "booster", lambda sales: measure.wapes(_booster(), sales.rows))
    yield Row("every day counts alike (no trading days)", "booster", _without_trading_days("booster"))
    yield Row("squares for the L1 loss", "booster", lambda sales: measure.wapes(_booster(Squares()), sales.rows))
    yield Row("a Random Forest in its place", "booster", lambda sales: measure.wapes(_booster(Trees()), sales.rows))
    yield Row(
        "on the profile's forecast, not the level", "booster", lambda sales: measure.wapes(_on_profile(), sales.rows)
    )
    for group in inputs():
        yield Row(without(group), "booster", of_booster_without(group))
    for group in LEFT_OUT:
        yield Row(f"with {group}, which is left out", "booster", _with_all)
    yield Row("as it is", "blend", lambda sales: _blend(sales.rows, DirectRecipe("profile"), _booster()))
    yield Row("with a third part, the booster on the profile", "blend", _of_three)


def _booster(settings: BoosterSettings | None = None) -> DirectRecipe:
    return DirectRecipe("booster", settings or BoosterSettings())


def _on_profile() -> DirectRecipe:
    return DirectRecipe("on_profile", BoosterSettings(base="profile"))


def inputs() -> list[str]:
    """Groups of inputs that the booster learns from."""
    return [group for group in dict.fromkeys(GROUPS.values()) if group not in LEFT_OUT]


def without(group: str) -> str:
    """What the page calls a booster without a group."""
    return f"without {group}"


def of_booster_without(*groups: str) -> Callable[[SalesSet], Wapes]:
    """The errors of a booster that does not see these groups."""
    return lambda sales: measure.wapes(_booster(Without(groups=groups)), sales.rows)


def _with_all(sales: SalesSet) -> Wapes:
    with mock.patch("forecasting.boosting.LEFT_OUT", ()):
        return measure.wapes(_booster(), sales.rows)


def _without_trading_days(name: str) -> Callable[[SalesSet], Wapes]:
    recipe = DirectRecipe("profile") if name == "profile" else _booster()
    return lambda sales: measure.wapes(recipe, sales.rows.drop(columns=[*WEEKDAYS, "SaleDays"], errors="ignore"))


def _without_season(sales: SalesSet) -> Wapes:
    # The profile then chooses among fewer settings.
    with mock.patch("forecasting.profiling.GRID", tuple(each for each in GRID if each.season == 0)):
        return measure.wapes(DirectRecipe("profile"), sales.rows)


def _of_three(sales: SalesSet) -> Wapes:
    return _blend(sales.rows, DirectRecipe("profile"), _booster(), _on_profile())


def _blend(rows: pd.DataFrame, *parts: DirectRecipe) -> Wapes:
    rolling = Rolling(measure.origins(rows))
    return measure.wapes_of(blending.blend({each.name: keyed(backtest(each, rows, rolling)) for each in parts}))

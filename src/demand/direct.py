"""Forecasts of a direct model: every month ahead from the last known one, without the months between."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import nan
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from demand import booster_inputs, parts, profile
from demand.booster_inputs import COLUMNS, GROUPS, PLAN_PLACES, Inputs
from demand.ensemble import Ensemble
from demand.everyone import Everyone
from demand.forecaster import Forecast, Forecaster, Row
from demand.known import YEAR, Known
from demand.panel import PLANNED, Panel
from demand.parts import Part, Parts
from demand.served_model import serving_folder
from demand.state import State

FloatArray = npt.NDArray[np.float64]
SmallFloat = npt.NDArray[np.float32]


class Composition(NamedTuple):
    """What one row's forecast is made of; lists have an entry for each part of the model.

    Attributes:
        units: the forecast of a part without a booster; None for one with.
        inputs: of a part's booster without a plan, shape (COLUMNS,), float32; None for one without.
        factors: what the booster's output is multiplied by, in units.
        prices: what a planned price is divided by; NaN where the series has none.
        usual: the series' level in units a month.
        scale: of the series' interval.
    """

    units: list[float | None]
    inputs: list[SmallFloat | None]
    factors: list[float]
    prices: list[float]
    usual: float
    scale: float


class DirectForecaster(Forecaster):
    """A direct model's folder, loaded; asked and answering as `Forecaster`.

    What a row says of Price, Promotion and Holiday counts for its own month. Without a price the store's last one is
    taken; a promotion or holiday that is not given is unknown to the model, which is not the same as none.
    """

    def __init__(
        self,
        folder: Path,
        metadata: Mapping[str, Any],
        state: State | None = None,
        panel: Panel | None = None,
        everyone: Everyone | None = None,
    ) -> None:
        """Load `folder`; `state` and `panel` take the place of the packed ones, as newer sales do in the batch step.

        Where they have some of the series, `everyone` tells what these have to know of all.
        """
        serving = serving_folder(folder)
        self._index(state or State.load(serving / "history.npz"), metadata, everyone)
        self._pooled = everyone.pooled if everyone else {}
        made_of = Parts.read(serving)
        self._parts, self._intervals = made_of.parts, made_of.intervals
        self._boosters = [Ensemble(serving / part.file) if part.file else None for part in self._parts]
        self._panel = (panel or Panel.load(serving / parts.PANEL)).with_stranger()
        self._places = {str(key): place for place, key in enumerate(self._panel.keys[:-1])}
        self._of_series = [self._places.get(str(key), -1) for key in self.state.keys] + [-1]
        self._origin = self._panel.last_month
        weights = [(part.weight, part.weight_with_plan) for part in self._parts]
        self._weights = np.array(weights, dtype=np.float64).T
        scales = self._intervals.scales
        self._scales = [scales.get(str(key), 1.0) for key in self._panel.keys[:-1]] + [1.0]
        # Months of the requests so far, and the origins they are forecast from.
        self._known = lru_cache(maxsize=8)(self._known_at)
        self._month = lru_cache(maxsize=96)(self._inputs_of)

    def forecast(self, rows: Sequence[Row]) -> list[Forecast]:
        """As `Forecaster.forecast`; a month that is known already is forecast from the month before it."""
        numbers = [self.series(row) for row in rows]
        places = [self._of_series[number] for number in numbers]
        sales = self._values(rows, places)
        return [
            self._answer(float(units), row, number, place)
            for units, row, number, place in zip(sales, rows, numbers, places, strict=True)
        ]

    def _answer(self, sales: float, row: Row, number: int, place: int) -> Forecast:
        origin = self._origin_of(row["Month"])
        bounds = self._intervals.bounds(
            sales, self._units_a_month(row["Month"], place), row["Month"] - origin, self._scales[place]
        )
        low, high = (max(bound, self._floor) for bound in bounds)
        return Forecast(max(sales, self._floor), low, max(high, self._floor), self._flags(row, number))

    @property
    def made_of(self) -> Parts:
        """The model's parts and intervals."""
        return Parts(self._parts, self._intervals)

    def composition(self, row: Row) -> Composition:
        """What the forecast of `row` is made of, but for the row's own plan."""
        place, month = self._of_series[self.series(row)], row["Month"]
        units: list[float | None] = []
        inputs: list[SmallFloat | None] = []
        factors, prices = [], []
        for of_profile, given in self._month(month):
            units.append(float(of_profile[place]) if given is None else None)
            inputs.append(None if given is None else given.x[place])
            factors.append(1.0 if given is None else float(given.scale[place]))
            prices.append(nan if given is None else float(given.price[place]))
        return Composition(units, inputs, factors, prices, self._units_a_month(month, place), self._scales[place])

    def _units_a_month(self, month: int, place: int) -> float:
        return float(self._known(self._origin_of(month)).level[place]) * 365.25 / YEAR

    def _origin_of(self, month: int) -> int:
        return max(self._panel.first_month, min(self._origin, month - 1))

    def _known_at(self, origin: int) -> Known:
        panel = self._panel if origin == self._origin else self._panel.until(origin)
        return Known(panel, self._pooled.get(origin))

    def _inputs_of(self, month: int) -> list[tuple[FloatArray, Inputs | None]]:
        """For each part (its forecast without a booster, the booster's inputs) of every series in a month."""
        known = self._known(self._origin_of(month))
        return [self._of_part(part, known, month) for part in self._parts]

    def _of_part(self, part: Part, known: Known, month: int) -> tuple[FloatArray, Inputs | None]:
        if part.base is None:
            return profile.forecast(known, part.profile, range(month, month + 1))[:, 0], None
        return np.empty(0), booster_inputs.inputs(known, month, part.base, part.profile)

    def _values(self, rows: Sequence[Row], places: Sequence[int]) -> FloatArray:
        """Sales in units, shape (rows,)."""
        given = [self._month(row["Month"]) for row in rows]
        total = np.zeros(len(rows))
        planned = [any(row.get(name) is not None for name in PLANNED) for row in rows]
        weights = self._weights[np.array(planned, dtype=int)]
        for at, booster in enumerate(self._boosters):
            if booster is None:
                units = np.array([one[at][0][place] for one, place in zip(given, places, strict=True)])
            else:
                x, scale = self._rows_of(rows, places, [one[at][1] for one in given])
                units = booster.predict(x) * scale
            total += weights[:, at] * units
        return total

    def _rows_of(
        self, rows: Sequence[Row], places: Sequence[int], given: Sequence[Inputs | None]
    ) -> tuple[SmallFloat, FloatArray]:
        """Inputs of the rows with what they plan, shape (rows, columns), and the scale of each."""
        x, scale = np.empty((len(rows), len(COLUMNS)), np.float32), np.empty(len(rows))
        for at, (row, place, one) in enumerate(zip(rows, places, given, strict=True)):
            assert one is not None  # noqa: S101  a booster has inputs
            x[at], scale[at] = one.x[place], one.scale[place]
            for name, column in PLAN_PLACES.items():
                value = row.get(name)
                if value is not None and (name != "Price" or np.isfinite(one.price[place])):
                    x[at, column] = value / one.price[place] if name == "Price" else value
        return x, scale

    def occluded(self, row: Row) -> tuple[list[str], FloatArray]:
        """(groups of inputs that have a value, forecasts of shape (1 + groups, 1)), as `Forecaster.occluded`."""
        place = self._of_series[self.series(row)]
        values = [self._without(row, place, None)]
        names = []
        for group in dict.fromkeys(GROUPS.values()):
            units = self._without(row, place, group)
            if units != values[0]:
                names.append(group)
                values.append(units)
        return names, np.array(values)[:, None]

    def _without(self, row: Row, place: int, group: str | None) -> float:
        """The forecast of `row` where a group of inputs is unknown; to the profile trading days and season are."""
        planned = any(row.get(name) is not None for name in PLANNED)
        hidden = [column for column, name in enumerate(GROUPS.values()) if name == group]
        total = 0.0
        parts_of_month = self._month(row["Month"])
        for part, booster, weight, (_, given) in zip(
            self._parts, self._boosters, self._weights[int(planned)], parts_of_month, strict=True
        ):
            if booster is None:
                total += weight * self._profile_without(part, row["Month"], place, group)
                continue
            x, scale = self._rows_of([row], [place], [given])
            x[:, hidden] = nan
            total += weight * float(booster.predict(x)[0] * scale[0])
        return total

    def _profile_without(self, part: Part, month: int, place: int, group: str | None) -> float:
        known = self._known(self._origin_of(month))
        units = float(profile.forecast(known, part.profile, range(month, month + 1))[place, 0])
        if group == "TradingDays":
            usual = known.trading[place, -YEAR:].mean()
            return float(units * usual / max(known.trading_days(month)[place], 1e-6))
        if group == "Season":
            return float(units / profile.season_of(known, part.profile)[place, month % YEAR])
        return units


def load_forecaster(
    folder: Path,
    metadata: Mapping[str, Any],
    state: State | None = None,
    panel: Panel | None = None,
    everyone: Everyone | None = None,
) -> Forecaster:
    """The forecaster of a model folder: direct, or of a forest; see there for the others.

    Raises:
        StepError: the model has no serving files.
    """
    if (serving_folder(folder) / parts.FILE).is_file():
        return DirectForecaster(folder, metadata, state, panel, everyone)
    return Forecaster(folder, metadata, state, everyone)

"""Forecasts of a direct model: every month ahead from the last known one, without the months between."""

from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from math import nan
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from demand import booster_inputs, parts, profile
from demand.ahead import Ahead, Arrays, kept_plans
from demand.booster_inputs import COLUMNS, GROUPS, PLAN_PLACES, Inputs
from demand.ensemble import Ensemble
from demand.everyone import Everyone
from demand.forecaster import Forecast, Forecaster, Row
from demand.known import YEAR, Known, Pooled
from demand.panel import PLANNED, Panel
from demand.parts import Part, Parts
from demand.served_model import serving_folder
from demand.state import State

FloatArray = npt.NDArray[np.float64]
SmallFloat = npt.NDArray[np.float32]
# With so many series, a month that is not kept is worked out for all at once; with more, for those that are asked for.
SERIES_AT_ONCE = 10_000
MAX_FLOAT32 = float(np.finfo(np.float32).max)


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


class MonthOfPart(NamedTuple):
    """What a part of the model forecasts of a month, and what from.

    Attributes:
        units: without a plan, shape (series,); None where a booster has not been asked.
        inputs: of its booster; None where it has none.
    """

    units: FloatArray | None
    inputs: Inputs | None


class Month(NamedTuple):
    """Of one month and all series, or some: what each part says, and the series' levels."""

    parts: list[MonthOfPart]
    level: FloatArray


class Located(NamedTuple):
    """The place of a row's series in a month's arrays."""

    month: Month
    place: int

    @property
    def usual(self) -> float:
        """The series' level in units a month."""
        return float(self.month.level[self.place]) * 365.25 / YEAR


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
        self._serving = serving_folder(folder)
        given = state is not None or panel is not None or not Ahead.is_in(self._serving)
        self._ahead = None if given else Ahead.read(self._serving)
        everyone = self._ahead.everyone if self._ahead else everyone
        self._given, self._pooled = panel, everyone.pooled if everyone else {}
        known = self._ahead.state if self._ahead else state or State.load(self._serving / "history.npz")
        self._index(known, metadata, everyone)
        made_of = Parts.read(self._serving)
        self._parts, self._intervals = made_of.parts, made_of.intervals
        self._boosters = [Ensemble(self._serving / part.file) if part.file else None for part in self._parts]
        weights = [(part.weight, part.weight_with_plan) for part in self._parts]
        self._weights = np.array(weights, dtype=np.float64).T
        self._pairs = [[float(each) for each in column] for column in self._weights]
        # Months of the requests so far, the origins they are forecast from, and series that were looked into.
        self._pooled_at = lru_cache(maxsize=8)(self._pool)
        self._month = lru_cache(maxsize=96)(self._of_all)
        self._known = lru_cache(maxsize=64)(self._known_of)

    @cached_property
    def _panel(self) -> Panel:
        """Of every series, and of one more that is not known."""
        if self._ahead:
            return self._ahead.panel(np.arange(len(self.state.keys) + 1))
        return (self._given or Panel.load(self._serving / parts.PANEL)).with_stranger()

    @cached_property
    def _of_series(self) -> Sequence[int]:
        """Place in the panel of each series of the state, and of none (-1)."""
        if self._ahead or np.array_equal(self.state.keys, self._panel.keys[:-1]):
            return range(len(self.state.keys) + 1)
        places = {key: place for place, key in enumerate(self._panel.keys[:-1].tolist())}
        return [places.get(key, -1) for key in self.state.keys.tolist()] + [-1]

    @cached_property
    def _widths(self) -> FloatArray:
        """Scale of each series' interval, shape (series + 1,)."""
        if self._ahead:
            return self._ahead.arrays.scales
        scales = self._intervals.scales
        return np.array([*(scales.get(key, 1.0) for key in self._panel.keys[:-1].tolist()), 1.0])

    def forecast(self, rows: Sequence[Row]) -> list[Forecast]:
        """As `Forecaster.forecast`; a month that is known already is forecast from the month before it."""
        if len(rows) == 1:
            return [self._one(rows[0])]
        of_month: dict[int, list[int]] = {}
        for at, row in enumerate(rows):
            of_month.setdefault(row["Month"], []).append(at)
        answers: dict[int, Forecast] = {}
        for month, chosen in of_month.items():
            answers.update(zip(chosen, self._several(month, [rows[at] for at in chosen]), strict=True))
        return [answers[at] for at in range(len(rows))]

    def _one(self, row: Row) -> Forecast:
        """Of one row: half the time of `_several`, and the same to the last bit."""
        number = self.series(row)
        place = self._of_series[number]
        at = self._located(row["Month"], place)
        planned = any(row.get(name) is not None for name in PLANNED)
        sales = 0.0
        for of_part, booster, weight in zip(at.month.parts, self._boosters, self._pairs[planned], strict=True):
            if booster is None or not planned:
                sales += weight * self._without_plan(booster, of_part, at.place)
            else:
                sales += weight * self._planned(booster, of_part, at.place, row)
        horizon = row["Month"] - self._origin_of(row["Month"])
        low, high = self._intervals.bounds(sales, at.usual, horizon, float(self._widths[place]))
        floor = self._floor
        return Forecast(max(sales, floor), max(low, floor), max(high, floor), self._flags(row, number))

    def _without_plan(self, booster: Ensemble | None, of_part: MonthOfPart, place: int) -> float:
        """Units of one series, from a part of the model."""
        if of_part.units is not None:
            return float(of_part.units[place])
        return self._planned(booster, of_part, place, {})

    def _planned(self, booster: Ensemble | None, of_part: MonthOfPart, place: int, row: Row) -> float:
        """Units of one series with what a row plans, from a part with a booster."""
        given = of_part.inputs
        assert booster is not None and given is not None  # noqa: S101  it has one
        self._fill(booster.one, row, given, place)
        return booster.predict_one() * float(given.scale[place])

    def _several(self, month: int, rows: Sequence[Row]) -> list[Forecast]:
        """Of rows of one month."""
        numbers = self._series_of(rows)
        known = isinstance(self._of_series, range)
        places = np.array(numbers if known else [self._of_series[number] for number in numbers])
        if self._is_of_all(month):
            made, at = self._month(month), places
        else:
            wanted, at = np.unique(places % (len(self.state.keys) + 1), return_inverse=True)
            made = self._of_some(month, wanted.tolist())
        planned = {name: [row.get(name) for row in rows] for name in PLANNED}
        plan = {
            name: np.array(values, dtype=np.float64)
            for name, values in planned.items()
            if values.count(None) < len(values)
        }
        sales = self._values(made, at, plan)
        usual, horizon = made.level[at] * 365.25 / YEAR, month - self._origin_of(month)
        bounds = self._intervals.bounds_of(sales, usual, horizon, self._widths[places])
        columns = [np.maximum(each, self._floor).tolist() for each in (sales, *bounds)]
        return list(map(Forecast, *columns, self._flags_of(month, numbers)))

    @property
    def made_of(self) -> Parts:
        """The model's parts and intervals."""
        return Parts(self._parts, self._intervals)

    def composition(self, row: Row) -> Composition:
        """What the forecast of `row` is made of, but for the row's own plan."""
        place = self._of_series[self.series(row)]
        at = self._located(row["Month"], place)
        units: list[float | None] = []
        inputs: list[SmallFloat | None] = []
        factors, prices = [], []
        for of_part, given in at.month.parts:
            units.append(float(of_part[at.place]) if given is None and of_part is not None else None)
            inputs.append(None if given is None else given.x[at.place])
            factors.append(1.0 if given is None else float(given.scale[at.place]))
            prices.append(nan if given is None else float(given.price[at.place]))
        return Composition(units, inputs, factors, prices, at.usual, float(self._widths[place]))

    def ahead(self, months: range) -> Ahead:
        """What forecasts of the months are made from, to be kept beside the model; worked out some series at a time."""
        last, panel = self.state.last_month, self._panel
        n, boosters = len(panel.keys), sum(part.base is not None for part in self._parts)
        x = np.empty((boosters, len(months), n, len(COLUMNS)), np.float32)
        factor, price, level = np.empty((boosters, len(months), n)), np.full(n, nan), np.empty(n)
        units = np.empty((len(self._parts), len(months), n))
        for start in range(0, n, SERIES_AT_ONCE):
            at = slice(start, min(start + SERIES_AT_ONCE, n))
            known = self._known_some(last, range(at.start, at.stop))
            level[at] = known.level
            for number, month in enumerate(months):
                made = self._made(known, month)
                for place, given in enumerate(each.inputs for each in made.parts if each.inputs):
                    x[place, number, at], factor[place, number, at], price[at] = given
                for place, each in enumerate(made.parts):
                    units[place, number, at] = self._units(self._boosters[place], each)
        state, kept = self.state, slice(n - 1)
        texts = (state.texts["Country"], state.texts["City"], state.numbers["Price"])
        of_panel = (panel.weekdays[kept], panel.days[kept], kept_plans(panel)[:, kept])
        arrays = Arrays(
            panel.keys[kept], panel.sales[kept], *texts, *of_panel, x, factor, units, price, level, self._widths
        )
        return Ahead(state.key_columns, months, Everyone.of(state, {last: self._pooled_at(last)}), arrays)

    def _origin_of(self, month: int) -> int:
        return max(self.state.first_month, min(self.state.last_month, month - 1))

    def _located(self, month: int, place: int) -> Located:
        """Where in which arrays a series is: in those of all series, or in its own."""
        if self._is_of_all(month):
            return Located(self._month(month), place)
        return Located(self._of_some(month, [place % (len(self.state.keys) + 1)]), 0)

    def _is_of_all(self, month: int) -> bool:
        """Whether a month's inputs are there for all series, or quickly made."""
        return len(self.state.keys) <= SERIES_AT_ONCE or (self._ahead is not None and month in self._ahead.months)

    def _pool(self, origin: int) -> Pooled:
        return self._pooled.get(origin) or Known(self._panel.until(origin)).pooled

    def _known_of(self, origin: int, place: int) -> Known:
        """Of one series."""
        return self._known_some(origin, [place % (len(self.state.keys) + 1)])

    def _known_some(self, origin: int, places: Sequence[int]) -> Known:
        at = np.array(places, dtype=np.intp)
        panel = self._ahead.panel(at) if self._ahead else self._panel.of_series(at)
        return Known(panel.until(origin), self._pooled_at(origin))

    def _of_some(self, month: int, places: Sequence[int]) -> Month:
        return self._made(self._known_some(self._origin_of(month), places), month)

    def _of_all(self, month: int) -> Month:
        if self._ahead and month in self._ahead.months:
            return self._mapped(self._ahead.arrays, self._ahead.months.index(month))
        origin = self._origin_of(month)
        return self._made(Known(self._panel.until(origin), self._pooled_at(origin)), month)

    def _made(self, known: Known, month: int) -> Month:
        return Month([self._of_part(part, known, month) for part in self._parts], known.level)

    def _mapped(self, arrays: Arrays, number: int) -> Month:
        """The month ahead of a number, from the files."""
        inputs = (
            Inputs(x[number], factor[number], arrays.price) for x, factor in zip(arrays.x, arrays.factor, strict=True)
        )
        of_parts = zip(self._parts, arrays.units, strict=True)
        made = [MonthOfPart(units[number], next(inputs) if part.base else None) for part, units in of_parts]
        return Month(made, arrays.level)

    def _of_part(self, part: Part, known: Known, month: int) -> MonthOfPart:
        if part.base is None:
            return MonthOfPart(profile.forecast(known, part.profile, range(month, month + 1))[:, 0], None)
        return MonthOfPart(None, booster_inputs.inputs(known, month, part.base, part.profile))

    @staticmethod
    def _units(booster: Ensemble | None, of_part: MonthOfPart) -> FloatArray:
        """Forecasts of a part without a plan, in units, shape (series,)."""
        if of_part.units is not None:
            return of_part.units
        assert booster is not None and of_part.inputs is not None  # noqa: S101  one or the other
        return booster.predict(of_part.inputs.x) * of_part.inputs.scale

    def _values(self, made: Month, at: npt.NDArray[np.intp], plan: Mapping[str, FloatArray]) -> FloatArray:
        """Sales of the series at `at` with their plans, in units, shape (rows,); a plan that no row has is left out."""
        planned = np.zeros(len(at), dtype=bool)
        for values in plan.values():
            planned |= np.isfinite(values)
        weights, total = self._weights[planned.astype(int)], np.zeros(len(at))
        for number, (booster, (without_plan, given)) in enumerate(zip(self._boosters, made.parts, strict=True)):
            if without_plan is not None and (booster is None or not planned.any()):
                units = without_plan[at]
            else:
                assert booster is not None and given is not None  # noqa: S101  one or the other
                chosen = Inputs(given.x[at], given.scale[at], given.price[at])
                units = booster.predict(booster_inputs.with_plan(chosen, plan)) * chosen.scale
            total += weights[:, number] * units
        return total

    @staticmethod
    def _fill(x: SmallFloat, row: Row, given: Inputs, place: int) -> None:
        """Put the inputs of one row, with what it plans, into `x`, shape (1, columns)."""
        x[0] = given.x[place]
        for name, column in PLAN_PLACES.items():
            value = row.get(name)
            if value is None:
                continue
            if name == "Price":
                usual = float(given.price[place])
                value = value / usual if usual else nan
            if abs(value) < MAX_FLOAT32:  # neither unknown nor beyond what a booster takes
                x[0, column] = value

    def occluded(self, row: Row) -> tuple[list[str], FloatArray]:
        """(groups of inputs that have a value, forecasts of shape (1 + groups, 1)), as `Forecaster.occluded`."""
        place = self._of_series[self.series(row)]
        located = self._located(row["Month"], place)
        values = [self._without(row, place, located, None)]
        names = []
        for group in dict.fromkeys(GROUPS.values()):
            units = self._without(row, place, located, group)
            if units != values[0]:
                names.append(group)
                values.append(units)
        return names, np.array(values)[:, None]

    def _without(self, row: Row, place: int, located: Located, group: str | None) -> float:
        """The forecast of `row` where a group of inputs is unknown; to the profile trading days and season are."""
        planned = any(row.get(name) is not None for name in PLANNED)
        hidden = [column for column, name in enumerate(GROUPS.values()) if name == group]
        total = 0.0
        for at, (part, booster, weight) in enumerate(
            zip(self._parts, self._boosters, self._weights[int(planned)], strict=True)
        ):
            if booster is None:
                total += weight * self._profile_without(part, row["Month"], place, group)
                continue
            given = located.month.parts[at].inputs
            assert given is not None  # noqa: S101  a booster has inputs
            self._fill(booster.one, row, given, located.place)
            booster.one[0, hidden] = nan
            total += weight * (booster.predict_one() * float(given.scale[located.place]))
        return total

    def _profile_without(self, part: Part, month: int, place: int, group: str | None) -> float:
        known = self._known(self._origin_of(month), place)
        units = float(profile.forecast(known, part.profile, range(month, month + 1))[0, 0])
        if group == "TradingDays":
            usual = known.trading[0, -YEAR:].mean()
            return float(units * usual / max(known.trading_days(month)[0], 1e-6))
        if group == "Season":
            return float(units / profile.season_of(known, part.profile)[0, month % YEAR])
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

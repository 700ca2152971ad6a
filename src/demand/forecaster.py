"""Forecasts of stores and months from a registered model, as the endpoint and the batch step make them."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from math import isnan, nan
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from demand.errors import StepError
from demand.everyone import Everyone, usual_of, usual_of_each
from demand.forest import Features, Forest
from demand.months import season, weekend_share
from demand.parts import Intervals
from demand.quantiles import Factors
from demand.served_model import serving_folder
from demand.state import KEPT_NUMBERS, KEPT_TEXTS, State, series_key
from demand.store_ids import normal
from demand.timeline import YEAR, Timeline

FloatArray = npt.NDArray[np.float64]
Row = Mapping[str, Any]
UNKNOWN_STORE, NO_RECENT_SALES = "unknown_store", "no_recent_sales"


class Forecast(NamedTuple):
    """Units of one row, P10 (`low`) <= sales <= P90 (`high`), and what a caller should know of it."""

    sales: float
    low: float
    high: float
    flags: list[str]


class Forecaster:
    """A model's folder, loaded. Rows have StoreID, Month (index), and what else is known of the month.

    What a row leaves out of Country, City and Price is taken from the store's last month. A month that is not the one
    after the last known month is forecast step by step: the sales of the months between are forecasts themselves, made
    with the request's own rows for these months where it has some.
    """

    def __init__(
        self,
        folder: Path,
        metadata: Mapping[str, Any],
        state: State | None = None,
        everyone: Everyone | None = None,
    ) -> None:
        """Load `folder`; `state` takes the place of the packed one, as newer sales do in the batch step.

        Where it has some of the series, `everyone` tells what they have to know of all.

        Raises:
            StepError: the model has no serving files, as those trained before there were any.
        """
        serving = serving_folder(folder)
        if not (serving / "forest.onnx").is_file():
            raise StepError(f"{folder}: the model holds no {serving.name}/forest.onnx: train and register it again")
        self.forest = Forest(serving)
        self._index(state or State.load(serving / "history.npz"), metadata, everyone)
        self._set_interval(metadata["interval"], everyone)
        self._sales, self._start = Timeline(self.state.sales), self.state.first_month - YEAR
        # Series -> the last month ahead that is forecast with what is usual for it.
        self._filled: dict[int, int] = {}
        names = self.forest.encoder.numbers
        self._uses_history = any(name in _LAGS or name in _MEANS for name in names)

    def _index(self, state: State, metadata: Mapping[str, Any], everyone: Everyone | None) -> None:
        """Make what every kind of model needs: who is who, and whether returns are known."""
        self.state, self.metadata = state, metadata
        self._series = {key: number for number, key in enumerate(self.state.keys.tolist())}
        sold_back = everyone.sold_back if everyone else (self.state.sales < 0).any()
        self._floor = -np.inf if sold_back else 0.0

    @cached_property
    def _spellings(self) -> dict[str, str]:
        stores = (self.state.key_values(number)["StoreID"] for number in range(len(self.state.keys)))
        return {normal(store): store for store in stores}

    def _set_interval(self, noted: Mapping[str, Any], everyone: Everyone | None) -> None:
        """Intervals from the back-test; of models that were registered before, from the trees."""
        self._interval = Factors.of(noted) if "offset" not in noted else Intervals.of(noted)
        usual = everyone.usual_units if everyone else usual_of(usual_of_each(self.state.sales[:, -YEAR:]).tolist())
        self._usual_of_all = 0.0 if isnan(usual) else usual

    @property
    def floor(self) -> float:
        """No forecast lies below: zero, or minus infinity where returns were recorded."""
        return float(self._floor)

    def series(self, row: Row) -> int:
        """Number of the row's series, -1 for one without history."""
        columns = self.state.key_columns
        if len(columns) == 1:
            return self._series.get(row["StoreID"], -1)
        return self._series.get(series_key([row.get(name) for name in columns]), -1)

    def _series_of(self, rows: Sequence[Row]) -> list[int]:
        """`series` of many rows."""
        if len(self.state.key_columns) > 1:
            return [self.series(row) for row in rows]
        number = self._series.get
        return [number(row["StoreID"], -1) for row in rows]

    def similar_store(self, store: str) -> str | None:
        """The known store whose id differs from `store` only in case or blanks."""
        meant = self._spellings.get(normal(store))
        return None if meant == store else meant

    def forecast(self, rows: Sequence[Row]) -> list[Forecast]:
        """Forecast `rows`; none of them may lie before the first or more than 60 months after the last known month."""
        series = [self.series(row) for row in rows]
        sales = self._with_steps(rows, series)
        summaries = self.forest.summary(
            [self._features(row, one, sales) for row, one in zip(rows, series, strict=True)]
        )
        return [
            self._forecast(center, *self._bounds(center, p10, p90, row, number), row, number)
            for (center, p10, p90), row, number in zip(summaries, rows, series, strict=True)
        ]

    def _bounds(self, center: float, p10: float, p90: float, row: Row, number: int) -> tuple[float, float]:
        """(P10, P90) of one row; p10 and p90 are those of the trees, which earlier models have their intervals from."""
        ahead = row["Month"] - self.state.last_month
        if isinstance(self._interval, Factors):
            return self._interval.interval(center, p10, p90, ahead > 1)
        scale = self._interval.scales.get(str(self.state.keys[number]), 1.0) if number >= 0 else 1.0
        return self._interval.bounds(center, self._usual_units(number), max(1, ahead), scale)

    def _usual_units(self, number: int) -> float:
        """What a series sells in a usual month of the last year."""
        usual = usual_of(self.state.sales[number, -YEAR:].tolist()) if number >= 0 else nan
        return self._usual_of_all if isnan(usual) else usual

    def _forecast(self, sales: float, low: float, high: float, row: Row, number: int) -> Forecast:
        return Forecast(sales, max(low, self._floor), high, self._flags(row, number))

    def occluded(self, row: Row) -> tuple[list[str], FloatArray]:
        """(features of `row` that have a value, trees of shape (1 + features, trees)).

        The first row of the trees is the forecast of `row`; in each further one, one of the features is unknown.
        """
        number, encoder = self.series(row), self.forest.encoder
        texts, numbers = self._features(row, number, self._with_steps([row], [number]))
        variants, names = [(texts, numbers)], []
        for place, text in enumerate(texts):
            if text is not None:
                names.append(encoder.texts[place])
                variants.append(([*texts[:place], None, *texts[place + 1 :]], numbers))
        for place, value in enumerate(numbers):
            if not isnan(value):
                names.append(encoder.numbers[place])
                variants.append((texts, [*numbers[:place], nan, *numbers[place + 1 :]]))
        return names, self.forest.trees(variants)

    def past(self, row: Row) -> list[tuple[int, float]]:
        """(month, recorded sales) of the row's calendar month in earlier years, the latest first."""
        number, first, last = self.series(row), self.state.first_month, self.state.last_month
        months = range(int(row["Month"]) - YEAR, first - 1, -YEAR) if number >= 0 else ()
        recorded = [(month, float(self.state.sales[number, month - first])) for month in months if month <= last]
        return [(month, units) for month, units in recorded if not isnan(units)]

    def _with_steps(self, rows: Sequence[Row], series: Sequence[int]) -> Timeline:
        """Sales with the forecasts that the rows' months build on."""
        if not self._uses_history:
            return self._sales
        last, until = self.state.last_month, dict[int, int]()
        for row, number in zip(rows, series, strict=True):
            if number >= 0 and row["Month"] > last + 1:
                until[number] = max(row["Month"], until.get(number, 0))
        if not until:
            return self._sales
        self._extend(until)
        # Of rows for the same month, as what-if questions have them, later months build on the first.
        given: dict[tuple[int, int], Row] = {}
        for row, number in zip(rows, series, strict=True):
            if last < row["Month"] < until.get(number, 0):
                given.setdefault((number, row["Month"]), row)
        return self._with_given(given, until) if given else self._sales

    def _with_given(self, given: Mapping[tuple[int, int], Row], until: Mapping[int, int]) -> Timeline:
        """A branch of the sales in which the steps from each series' first given row on are made anew."""
        sales, began = self._sales.branch(), dict[int, int]()
        for number, month in given:
            began[number] = min(month, began.get(number, month))
        for month in range(min(began.values()), max(until[number] for number in began)):
            numbers = [number for number, first in began.items() if first <= month < until[number]]
            self._step([given.get((number, month)) or self._usual(number, month) for number in numbers], numbers, sales)
        return sales

    def _extend(self, until: Mapping[int, int]) -> None:
        """Forecast each series' months before `until` with what is usual for it; done once for all requests."""
        filled = {number: self._filled.get(number, self.state.last_month) for number in until}
        wanted = {number: month for number, month in until.items() if month - 1 > filled[number]}
        if not wanted:
            return
        for month in range(min(filled[number] for number in wanted) + 1, max(wanted.values())):
            behind = [number for number, end in wanted.items() if filled[number] < month < end]
            self._step([self._usual(number, month) for number in behind], behind, self._sales)
            self._filled |= dict.fromkeys(behind, month)

    def _step(self, rows: Sequence[Row], numbers: Sequence[int], sales: Timeline) -> None:
        """Put the forecasts of one month's rows into `sales`."""
        if not rows:
            return
        trees = self.forest.trees(
            [self._features(row, number, sales) for row, number in zip(rows, numbers, strict=True)]
        )
        place = rows[0]["Month"] - self._start
        for number, units in zip(numbers, trees.mean(axis=1).tolist(), strict=True):
            sales.put(number, place, units)

    def _usual(self, number: int, month: int) -> Row:
        """The row of a series for a month of which nothing else is known."""
        return {**self.state.key_values(number), "Month": month}

    def _features(self, row: Row, number: int, sales: Timeline) -> Features:
        """Texts and numbers of one row, in the order of the encoder."""
        month, encoder = row["Month"], self.forest.encoder
        known = {"Season": season(month), "IsWeekend": weekend_share(month), **row}
        for name in (*KEPT_TEXTS, *KEPT_NUMBERS):
            if known.get(name) is None:
                known[name] = self._kept(name, number)
        window = sales.year_before(number, month - self._start)
        numbers: list[float] = []
        for name in encoder.numbers:
            if name in _LAGS:
                numbers.append(window[-_LAGS[name]])
            elif name in _MEANS:
                numbers.append(usual_of(window[-_MEANS[name] :]))
            else:
                value = known.get(name)
                numbers.append(nan if value is None else value)
        return [known.get(name) for name in encoder.texts], numbers

    def _kept(self, name: str, number: int) -> Any:
        """What a series keeps from month to month; None for one that is not known."""
        if number < 0:
            return None
        texts = self.state.texts.get(name)
        return self.state.numbers[name][number].item() if texts is None else str(texts[number]) or None

    def _flags(self, row: Row, number: int) -> list[str]:
        """What a caller should know of a row: whether its store, and sales in the year before, are known."""
        if number < 0:
            return [UNKNOWN_STORE]
        place = min(row["Month"], self.state.last_month + 1) - self.state.first_month
        recent: list[float] = self.state.sales[number, max(0, place - YEAR) : place].tolist()
        return [NO_RECENT_SALES] if all(map(isnan, recent)) else []

    def _flags_of(self, month: int, numbers: Sequence[int]) -> list[list[str]]:
        """`_flags` of many rows of one month."""
        at = np.array(numbers)
        place = min(month, self.state.last_month + 1) - self.state.first_month
        unknown = np.isnan(self.state.sales[at, max(0, place - YEAR) : place])
        silent = np.all(unknown, axis=1).tolist()
        return [
            [UNKNOWN_STORE] if number < 0 else [NO_RECENT_SALES] if without else []
            for number, without in zip(numbers, silent, strict=True)
        ]


_LAGS = {f"Lag{months}": months for months in range(1, YEAR + 1)}
_MEANS = {f"RollingMean{months}": months for months in range(2, YEAR + 1)}

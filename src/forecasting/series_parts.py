"""Monthly rows of many series, some series at a time: nobody has to hold all of them.

A series' part follows from its key alone. What is kept of every series afterwards is arrays (`demand.state.State`,
`demand.panel.Panel`), a tenth of the rows.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

from demand.errors import StepError
from demand.panel import Panel
from demand.state import State
from forecasting.features import prepared, state_of
from forecasting.gaps import complete
from forecasting.panels import Months

FloatArray = npt.NDArray[np.float64]
MONTHLY = "monthly.parquet"
# Series whose rows are in memory at once.
SERIES_AT_ONCE = 10_000
MEMORY = "512MB"
KEYS = ("StoreID", "Category", "Product")
# Columns that sales of one's own may do without.
OPTIONAL = ("Category", "Product", "Country")


@dataclass(frozen=True)
class Table:
    """monthly.parquet of the aggregate step.

    Attributes:
        path: of the file.
        series: how many there are.
        last_month: index of the last month of all of them.
    """

    path: Path
    series: int
    last_month: int

    @classmethod
    def of(cls, folder: Path) -> "Table":
        """The one in the output folder of the aggregate step.

        Raises:
            StepError: no such file.
        """
        path = folder / MONTHLY
        if not path.is_file():
            raise StepError(f"{path}: not there; give the output folder of the step that writes {MONTHLY}")
        keys = ", ".join(KEYS)
        query = f"select count(*), max(Last) from (select {keys}, max(MonthStart) as Last from sales group by {keys})"
        with _opened(path) as con:
            count, last = con.execute(query).fetchall()[0]
        return cls(path, count, last.year * 12 + last.month - 1 if last else 0)

    def attributes(self) -> pd.DataFrame:
        """KEYS, Country (the last known one) and Units of each series, in no order."""
        keys = ", ".join(KEYS)
        query = f"""
            select {keys}, max_by(Country, MonthStart) as Country, sum(TotalSales) as Units from sales group by {keys}
        """
        with _opened(self.path) as con:
            return _frame(con, query)

    def rows_of(self, chosen: pd.DataFrame) -> pd.DataFrame:
        """Rows of the series in `chosen` (KEYS)."""
        same = " and ".join(f"sales.{name} is not distinct from chosen.{name}" for name in KEYS)
        with _opened(self.path) as con:
            con.register("chosen", chosen[list(KEYS)])
            return _frame(con, f"select * from sales semi join chosen on {same}")

    def part(self, number: int, parts: int) -> pd.DataFrame:
        """Rows of one of so many parts of the series."""
        with _opened(self.path) as con:
            return _frame(con, _part_query(number, parts))

    def each_part(self, most: int | None = None) -> Iterator[pd.DataFrame]:
        """Completed rows (`gaps.complete`) of some `most` series after the other, by default of SERIES_AT_ONCE.

        A part of which no row is left, as of a store that has just opened, is left out.
        """
        parts = self.parts(most)
        for number in range(parts):
            if len(rows := complete(self.part(number, parts), self.last_month).rows):
                yield rows

    def parts(self, most: int | None = None) -> int:
        """How many parts of some `most` series there are, by default of SERIES_AT_ONCE."""
        return max(1, -(-self.series // (most or SERIES_AT_ONCE)))


def _part_query(number: int, parts: int) -> str:
    key = " || chr(31) || ".join(f"coalesce({name}, '')" for name in KEYS)
    return f"select * from sales where hash({key}) % {parts} = {number}"


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


@contextmanager
def _opened(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"memory_limit": MEMORY}) as con:
        con.execute("set enable_progress_bar = false")
        con.execute(f"create view files as select * from read_parquet('{_quoted(path)}')")
        known = {each[0] for each in con.execute("describe files").fetchall()}
        missing = "".join(f", cast(null as varchar) as {name}" for name in OPTIONAL if name not in known)
        con.execute(f"create view sales as select *{missing} from files")
        yield con


def _frame(con: duckdb.DuckDBPyConnection, query: str) -> pd.DataFrame:
    """The rows in the types that `demand.steps.read_rows` gives them."""
    table: Any = con.sql(query).to_arrow_table()
    frame: pd.DataFrame = table.to_pandas(split_blocks=True, self_destruct=True)
    return frame


def state_and_panel(parts: Iterable[pd.DataFrame]) -> tuple[State, Panel]:
    """What serving needs of every series; the parts are completed rows (`gaps.complete`) of different ones."""
    states, panels = [], []
    for part in parts:
        rows = prepared(part)
        states.append(state_of(rows))
        panels.append(Months.of(rows).panel())
    return joined_states(states), joined_panels(panels)


def joined_states(states: list[State]) -> State:
    """States of different series as one, sorted by key."""
    first, last = _span(states)
    keys = np.concatenate([each.keys for each in states])
    order = np.argsort(keys, kind="stable")
    wide = [widened_state(each, first, last) for each in states]
    return State(
        states[0].key_columns,
        keys[order],
        first,
        np.concatenate([each.sales for each in wide])[order],
        {name: np.concatenate([each.texts[name] for each in wide])[order] for name in states[0].texts},
        {name: np.concatenate([each.numbers[name] for each in wide])[order] for name in states[0].numbers},
    )


def joined_panels(panels: list[Panel]) -> Panel:
    """Panels of different series as one, sorted by key."""
    first, last = _span(panels)
    keys = np.concatenate([each.keys for each in panels])
    wide = [widened_panel(each, first, last) for each in panels]
    joined = Panel(
        keys,
        first,
        np.concatenate([each.sales for each in wide]),
        np.concatenate([each.weekdays for each in wide]),
        np.concatenate([each.days for each in wide]),
        {name: np.concatenate([each.plans[name] for each in wide]) for name in panels[0].plans},
    )
    return joined.of_series(np.argsort(keys, kind="stable"))


def widened_state(state: State, first: int, last: int) -> State:
    """The same over the months `first` to `last` (indices), unknown where they are new."""
    return replace(state, first_month=first, sales=_widened(state.sales, state.first_month, first, last))


def widened_panel(panel: Panel, first: int, last: int) -> Panel:
    """The same over the months `first` to `last` (indices), unknown where they are new."""
    plans = {name: _widened(values, panel.first_month, first, last) for name, values in panel.plans.items()}
    return replace(panel, first_month=first, sales=_widened(panel.sales, panel.first_month, first, last), plans=plans)


def _span(parts: list[State] | list[Panel]) -> tuple[int, int]:
    return min(each.first_month for each in parts), max(each.last_month for each in parts)


def _widened(values: FloatArray, began: int, first: int, last: int) -> FloatArray:
    """Values of the months `first` to `last`, of which the given ones begin at `began`."""
    if values.shape[1] == last - first + 1:
        return values
    wide = np.full((len(values), last - first + 1), np.nan)
    wide[:, began - first : began - first + values.shape[1]] = values
    return wide

"""Which monthly rows are kept, and what is said of them: how every aggregation ends, wherever rows were summed."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import duckdb

from demand import store_ids
from demand.errors import StepError
from demand.grain import COLUMN
from demand.step_warnings import Entry, StepWarnings
from sales import frequency
from sales.contract_check import Checked
from sales.contract_sql import literal
from sales.frequency import Ask

MONTHLY, ROWS = "monthly.parquet", "rows.json"


@dataclass(frozen=True)
class Sold:
    """The rows that met the contract: `ask` runs SQL where they are, `relation` names them there."""

    ask: Ask
    relation: str


@dataclass(frozen=True)
class Rows:
    """What became of the raw rows.

    `complete_until` is the last month that the data cover whole, as YYYY-MM; `by_rule` counts quarantined rows by rule;
    `partial_months` are those that begin in the data and are not learned from, as YYYY-MM.
    """

    read: int
    quarantined: int
    incomplete_month_rows: int
    store_months: int
    complete_until: str
    warnings: list[Entry]
    by_rule: Mapping[str, int]
    partial_months: list[str]


@dataclass(frozen=True)
class Asked:
    """What an aggregation was asked for: frequency that the contract declares, grain, and where the sales come from."""

    frequency: str
    grain: str
    source: str


def of_files(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Make the table `monthly` of every Parquet file in `folder`."""
    con.execute(f"create temp table monthly as select * from read_parquet({literal(str(folder / '*.parquet'))})")


def of_month(con: duckdb.DuckDBPyConnection, source: Path, month: str, target: Path) -> Path:
    """Write the rows of one month (2024-03) of the Parquet file `source` to `target`; returns it."""
    con.execute(
        f"copy (select * from read_parquet({literal(str(source))}) where MonthStart = cast('{month}-01' as date) "
        f"order by all) to {literal(str(target))} (format parquet)"
    )
    return target


def keep(
    con: duckdb.DuckDBPyConnection, sold: Sold, checked: Checked, asked: Asked, warnings: StepWarnings, folder: Path
) -> Rows:
    """Write the whole months of the table `monthly` in `con`, and rows.json, into `folder`.

    Raises:
        StepError: the grain's column holds nothing, or no month is whole.
    """
    _check_grain(con, asked)
    incomplete = _incomplete_month(con, sold, asked, warnings)
    _warn_of_stores(con, sold, asked.frequency, warnings)
    con.execute(
        "copy (select * from monthly where MonthStart < $until order by all) to $path (format parquet)",
        {"until": incomplete, "path": str(folder / MONTHLY)},
    )
    rows = _count(con, sold, incomplete, checked, warnings)
    (folder / ROWS).write_text(json.dumps(asdict(rows), indent=2) + "\n", encoding="utf-8")
    return rows


def _check_grain(con: duckdb.DuckDBPyConnection, asked: Asked) -> None:
    """Raises StepError where no sale has the column that the grain adds: store rows would pass for it in silence."""
    column = COLUMN.get(asked.grain)
    if column and not con.execute(f'select count("{column}") from monthly').fetchall()[0][0]:
        raise StepError(f"{asked.source}: grain {asked.grain} needs the column {column}, and no sale has a value in it")


def _incomplete_month(con: duckdb.DuckDBPyConnection, sold: Sold, asked: Asked, warnings: StepWarnings) -> date:
    """First day of the month that the data do not cover to its last day; the month after the data, if they do."""
    # Only the last month is read again: Parquet's statistics skip the rest.
    first, latest = con.execute("select min(MonthStart), max(MonthStart) from monthly").fetchall()[0]
    ((last,),) = sold.ask(
        f"select cast(max(SaleDate) as date) from {sold.relation} where SaleDate >= cast('{latest}' as date)"
    )
    following = frequency.next_month(last)
    declared = asked.frequency
    if frequency.uncovered_from(declared, last) >= following or frequency.is_over(sold.ask, sold.relation, last):
        return following
    incomplete: date = last.replace(day=1)
    if first >= incomplete:
        raise StepError(f"{asked.source}: sales end on {last} and hold no complete month; import more days")
    warnings.add(f"Sales end on {last}: {incomplete:%Y-%m} is incomplete and not learned from")
    return incomplete


def _warn_of_stores(con: duckdb.DuckDBPyConnection, sold: Sold, declared: str, warnings: StepWarnings) -> None:
    """Say which stores report otherwise than declared, and which are spelled in several ways."""
    ((latest,),) = con.execute("select max(MonthStart) from monthly").fetchall()
    months = con.execute("select StoreID, count(*) from monthly group by StoreID").fetchall()
    observed = frequency.observed(sold.ask, sold.relation, frequency.next_month(latest))
    for line in [*frequency.mismatches(declared, observed), *store_ids.spelled_twice(dict(months))]:
        warnings.add(line)


def _count(
    con: duckdb.DuckDBPyConnection, sold: Sold, incomplete: date, checked: Checked, warnings: StepWarnings
) -> Rows:
    ((dropped,),) = sold.ask(f"select count(*) from {sold.relation} where SaleDate >= cast('{incomplete}' as date)")
    kept, until, partial = con.execute(
        "select count(*), strftime(max(MonthStart), '%Y-%m'), "
        "(select list_sort(list(distinct strftime(MonthStart, '%Y-%m'))) from monthly where MonthStart >= $m) "
        "from monthly where MonthStart < $m",
        {"m": incomplete},
    ).fetchall()[0]
    by_rule = dict(checked.by_rule)
    return Rows(checked.read, checked.quarantined, dropped, kept, until, warnings.entries, by_rule, partial or [])

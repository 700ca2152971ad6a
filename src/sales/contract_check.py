"""The contract check of the aggregate step: which rows are bad, why, and whether too many are."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from demand.contract import Contract, match_columns
from demand.errors import StepError
from sales.contract_sql import bad_sql, literal, order_sql, quoted, reason_sql, rule_sql, typed_sql
from sales.duplicates import find_duplicates

log = logging.getLogger(__name__)
# The rows that met the contract, as ml/data/monthly_sales.sql names them.
CHECKED = "checked_sales"


@dataclass(frozen=True)
class Checked:
    """Row counts of a check that passed; `by_rule` counts the quarantined rows by the rule that each breaks first."""

    read: int
    quarantined: int
    by_rule: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Input:
    """The raw rows as DuckDB sees them: view `raw`, plus `located` with the file and row number of each row."""

    source: str
    contract: Contract
    mapping: Mapping[str, str | None]
    types: Mapping[str, str]

    def sql(self, make: Any) -> str:
        return str(make(self.contract, self.mapping, self.types))


def check_rows(
    con: duckdb.DuckDBPyConnection,
    files: Sequence[Path],
    contract: Contract,
    source: str,
    quarantine: Path,
    spill: Path,
    warn: Callable[[str], None] = log.warning,
) -> Checked:
    """Make the view CHECKED of the good rows in the contract's types; write the others with reasons to `quarantine`.

    Of rows that share a unique value, the one with the smallest values is good, by date first, and the others are bad:
    the order in which rows came must not matter, since a warehouse has none.

    Raises:
        StepError: a required column is missing, there is no row, none is good, or more are bad than allowed.
    """
    given = _open(con, files, contract, source)
    read, broken = _row(con, f"select count(*), count(*) filter ({given.sql(bad_sql)}) from raw")
    if not read:
        raise StepError(f"{source}: holds no rows; import sales first, or give another file")
    _flag_repeats(con, given, read, spill)
    (repeats,) = _row(con, "select count(*) from repeats")
    bad = broken + repeats
    _write_quarantine(con, given, quarantine, bad)
    if bad == read or bad > contract.max_bad_fraction * read:
        raise StepError(_too_many(con, given, bad, read))
    by_rule = _by_rule(con, given) if bad else {}
    if bad:
        warn(_quarantined(con, given, bad, read))
    _good_rows(con, given, broken, repeats)
    return Checked(read, bad, by_rule)


def _row(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    # fetchall, not fetchone: a result that is not read to its end blocks the connection.
    ((*row,),) = con.execute(sql).fetchall()
    return tuple(row)


def _open(con: duckdb.DuckDBPyConnection, files: Sequence[Path], contract: Contract, source: str) -> _Input:
    listed = "[" + ", ".join(literal(str(path)) for path in files) + "]"
    con.execute("set timezone = 'UTC'")
    try:
        con.execute(f"create view raw as select * from read_parquet({listed}, union_by_name = true)")
    except duckdb.Error as error:
        raise StepError(f"{source}: cannot be read as Parquet: {error}; import it again") from error
    con.execute(
        "create view located as select *, filename as _file, file_row_number + 1 as _row "
        f"from read_parquet({listed}, union_by_name = true, filename = true, file_row_number = true)"
    )
    types = {str(name): str(kind) for name, kind, *_ in con.execute("describe raw").fetchall()}
    return _Input(source, contract, match_columns(contract, list(types), source), types)


def _flag_repeats(con: duckdb.DuckDBPyConnection, given: _Input, read: int, spill: Path) -> None:
    """Table `repeats(_file, _row, reason, rule)`: otherwise good rows whose unique value a good row before has."""
    con.execute("create temp table repeats (_file varchar, _row bigint, rule varchar, reason varchar)")
    allowed, order = int(given.contract.max_bad_fraction * read), given.sql(order_sql)
    for name in given.contract.unique_columns():
        actual = given.mapping[name]
        if actual is None or not find_duplicates(con, "raw", quoted(actual), given.types[actual], spill, allowed):
            continue
        reason = literal(f"{name}: ") + f" || cast({quoted(actual)} as varchar) || ' occurs more than once'"
        con.execute(
            f"insert into repeats select _file, _row, {literal(f'{name} occurs more than once')}, {reason} from ("
            f"  select *, row_number() over (partition by {quoted(actual)} order by {order}, _file, _row) as nth"
            f"  from located where {quoted(actual)} in (select value from duplicated)"
            f"  and {given.sql(reason_sql)} is null"
            ") where nth > 1 and (_file, _row) not in (select (_file, _row) from repeats)"
        )


def _bad_rows(given: _Input, columns: str) -> str:
    """Select of every bad row with _file, _row, _rule, _reason and `columns`."""
    return (
        f"select _file, _row, {given.sql(rule_sql)} as _rule, {given.sql(reason_sql)} as _reason, {columns} "
        f"from located where {given.sql(bad_sql)} union all "
        f"select _file, _row, repeats.rule, repeats.reason, {columns} from located join repeats using (_file, _row)"
    )


def _write_quarantine(con: duckdb.DuckDBPyConnection, given: _Input, path: Path, bad: int) -> None:
    """Bad rows as they came, with reason, file and row number; only the header when there is none."""
    columns = ", ".join(quoted(name) for name in given.types)
    query = f"select _reason as reason, _file as file, _row as row, {columns} from ({_bad_rows(given, columns)})"
    if not bad:
        query = f"select null as reason, null as file, null as row, {columns} from raw where false"
    con.execute(f"copy ({query} order by file, row) to {literal(str(path))} (format csv, header)")


def _by_rule(con: duckdb.DuckDBPyConnection, given: _Input) -> dict[str, int]:
    """Rule -> rows that break it, the commonest first."""
    bad = _bad_rows(given, "0 as _nothing")
    counted = con.execute(f"select _rule, count(*) as n from ({bad}) group by _rule order by n desc, _rule").fetchall()
    return {str(rule): int(count) for rule, count in counted}


def _commonest_rule(con: duckdb.DuckDBPyConnection, given: _Input) -> str:
    """The rule that most rows break, how many do, and the first of them."""
    rule, count, file, row, reason = _row(
        con,
        "select _rule, count(*) as n, arg_min(_file, (_file, _row)), arg_min(_row, (_file, _row)), "
        f"arg_min(_reason, (_file, _row)) from ({_bad_rows(given, '0 as _nothing')}) "
        "group by _rule order by n desc, _rule limit 1",
    )
    return f"most often: {rule} ({count} rows), for example {Path(file).name} row {row}: {reason}"


def _quarantined(con: duckdb.DuckDBPyConnection, given: _Input, bad: int, read: int) -> str:
    share = f"{bad} of {read} rows break the contract and are quarantined"
    return f"{share}; {_commonest_rule(con, given)}"


def _too_many(con: duckdb.DuckDBPyConnection, given: _Input, bad: int, read: int) -> str:
    share = f"{bad} of {read} rows ({bad / read:.1%}) break the contract"
    return (
        f"{given.source}: {share}, which allows {given.contract.max_bad_fraction:.1%}; {_commonest_rule(con, given)}; "
        "correct them at the source, or raise max_bad_fraction in the contract"
    )


def _good_rows(con: duckdb.DuckDBPyConnection, given: _Input, broken: int, repeats: int) -> None:
    """View CHECKED; rows are looked at again only if some are bad."""
    select = typed_sql(given.contract, given.mapping, given.types, bounded=broken > 0)
    conditions = []
    if broken:
        conditions.append(f"({given.sql(bad_sql)}) is not true")
    if repeats:
        conditions.append("(_file, _row) not in (select (_file, _row) from repeats)")
    where = f" where {' and '.join(conditions)}" if conditions else ""
    con.execute(f"create view {CHECKED} as select {select} from {'located' if repeats else 'raw'}{where}")

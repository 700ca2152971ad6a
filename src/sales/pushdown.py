"""Check and sum sales in the warehouse itself: raw rows never leave it, monthly ones do.

Every row is checked, since one may repeat another of any month. Only months whose good rows have changed since the
import before are summed again: each is kept in the staging folder under a fingerprint of its rows. What comes out has
the form of the aggregate step's output, and is to the last bit what that step makes of the same rows.
"""

import json
import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from demand.contract import Contract
from demand.errors import StepError
from demand.step_warnings import StepWarnings
from sales import months, pushdown_sql
from sales.contract_check import Checked
from sales.contract_sql import literal
from sales.partitions import Partition, read_fields
from sales.pushdown_sql import CHECKED, Statements
from sales.pushed import MARK, QUARANTINE, Aggregation, digest
from sales.snowflake import execute, query_errors
from sales.specs import ImportSpec
from sales.staging import Staging

log = logging.getLogger("sales.ingest")
TEXTS = ("StoreID", "Category", "Product", "Country", "City", "Weather")
DAYS = ("MonthStart", "FirstDay", "LastDay")
FLAGS = ("Promotion", "Holiday")


@dataclass(frozen=True)
class _Warehouse:
    """A session, and the place of the query by which errors name it."""

    session: Any
    place: str

    def ask(self, sql: str) -> Sequence[Sequence[Any]]:
        """Rows of a query; [] of a statement that gives none."""
        return list(execute(self.session, sql, self.place).fetchall())

    def one(self, sql: str) -> int:
        """The one number that a query gives."""
        return int(self.ask(sql)[0][0])


def push_down(
    session: Any, spec: ImportSpec, contract: Contract, wanted: Aggregation, staging: Path, folder: Path
) -> int:
    """Write monthly.parquet, rows.json and pushed_down.json into the local `folder`; returns the rows looked at.

    Raises:
        StepError: the warehouse refuses a statement, there is no row, or more rows are bad than the contract allows.
    """
    warehouse, warnings = _Warehouse(session, spec.place), StepWarnings("import")
    statements = _statements(warehouse, Statements(spec.query, contract, read_fields(session, spec, contract)))
    checked = _check(warehouse, statements, warnings)
    parts = _months(warehouse, statements)
    kept = Staging(staging / "pushed-down", wanted.key)
    with tempfile.TemporaryDirectory() as local:
        taken = [part for part in parts if kept.take(part, Path(local, f"{part.month}.parquet"))]
        changed = [part for part in parts if part not in taken]
        for _, year in groupby(changed, lambda part: part.month[:4]):
            months_of_year = list(year)
            _take(warehouse, statements, months_of_year)
            _sum(warehouse, wanted, months_of_year, kept, Path(local))
        log.info("%d months: %d summed in the warehouse, %d as before", len(parts), len(changed), len(taken))
        sold = months.Sold(warehouse.ask, f"{statements.good} as sale")
        asked = months.Asked(contract.frequency, wanted.grain, spec.place)
        with duckdb.connect(config={"memory_limit": "512MB", "temp_directory": local}) as con:
            months.of_files(con, Path(local))
            months.keep(con, sold, checked, asked, warnings, folder)
    mark = {**wanted.mark(), "months": {part.month: [part.rows, part.fingerprint] for part in parts}}
    (folder / MARK).write_text(json.dumps(mark, indent=2) + "\n", encoding="utf-8")
    kept.prune(parts)
    return checked.read


def _statements(warehouse: _Warehouse, statements: Statements) -> Statements:
    """The same with the unique columns of which a value occurs more than once."""
    for name in statements.uniques():
        warehouse.ask(statements.repeats(name))
    counts = {name: warehouse.one(f"select count(*) from {statements.table_of(name)}") for name in statements.uniques()}
    return replace(statements, repeated=tuple(name for name, count in counts.items() if count))


def _check(warehouse: _Warehouse, statements: Statements, warnings: StepWarnings) -> Checked:
    """Put bad rows into the table SALES_QUARANTINE, and count.

    Raises:
        StepError: there is no row, none is good, or more are bad than allowed.
    """
    read, allowed = warehouse.one(statements.count()), statements.contract.max_bad_fraction
    if not read:
        raise StepError(f"{warehouse.place}: the query gives no row; load sales first, or change its conditions")
    warehouse.ask(statements.bad())
    warehouse.ask(pushdown_sql.quarantine())
    rules = warehouse.ask(pushdown_sql.by_rule())
    if not rules:
        return Checked(read, 0)
    bad, (rule, count, reason) = sum(int(count) for _, count, _ in rules), rules[0]
    often = f"most often: {rule} ({count} rows), for example {reason}; all of them: table {QUARANTINE}"
    if bad == read or bad > allowed * read:
        share = f"{bad} of {read} rows ({bad / read:.1%}) break the contract, which allows {allowed:.1%}"
        hint = "correct them at the source, or raise max_bad_fraction in the contract"
        raise StepError(f"{warehouse.place}: {share}; {often}; {hint}")
    warnings.add(f"{bad} of {read} rows break the contract and are quarantined; {often}")
    return Checked(read, bad, {str(rule): int(count) for rule, count, _ in rules})


def _months(warehouse: _Warehouse, statements: Statements, relation: str | None = None) -> list[Partition]:
    """The months of good rows, or of `relation`, each with its number of rows and a fingerprint of them."""
    return [
        Partition(f"{int(number) // 100:04d}-{int(number) % 100:02d}", "", int(count), digest(f"{count} {total}")[:32])
        for number, count, total in warehouse.ask(statements.fingerprints(relation))
    ]


def _take(warehouse: _Warehouse, statements: Statements, parts: Sequence[Partition]) -> None:
    """Make the table of these months' good rows.

    Raises:
        StepError: it has other rows than were looked at: another month would be kept under their fingerprint.
    """
    warehouse.ask(statements.checked([_span(part.month) for part in parts]))
    if _months(warehouse, statements, CHECKED) != list(parts):
        months_of = f"{parts[0].month} to {parts[-1].month}"
        raise StepError(f"{warehouse.place}: {months_of}: the table changed meanwhile; run it again")


def _sum(warehouse: _Warehouse, wanted: Aggregation, parts: Sequence[Partition], kept: Staging, local: Path) -> None:
    """Sum these months, fetch them, and keep each at once: a run that dies after this does not sum them again."""
    warehouse.ask(f"set grain = {literal(wanted.grain)}")
    together = local / "together"
    with query_errors(warehouse.place):
        _fetch(execute(warehouse.session, wanted.sql, warehouse.place), together)
    with duckdb.connect(config={"memory_limit": "256MB", "temp_directory": str(local)}) as con:
        for part in parts:
            kept.keep(part, months.of_month(con, together, part.month, local / f"{part.month}.parquet"))
            log.info("%s: %d rows summed", part.month, part.rows)
    together.unlink()


def _fetch(cursor: Any, path: Path) -> None:
    writer = None
    for batch in cursor.fetch_arrow_batches():
        table = batch.cast(pa.schema([_as_duckdb(field) for field in batch.schema]))
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    if writer is None:
        raise StepError("the aggregation gave no row for months that have sales: look at ml/data/monthly_sales.sql")
    writer.close()


def _as_duckdb(field: pa.Field) -> pa.Field:
    """A column of the monthly rows in the type that DuckDB gives it; the connector's depend on a batch's values."""
    if field.name in TEXTS:
        return pa.field(field.name, pa.string())
    if field.name in DAYS:
        return pa.field(field.name, pa.date32())
    if field.name in FLAGS:
        return pa.field(field.name, pa.bool_())
    return pa.field(field.name, pa.int64() if field.name == "SaleDays" else pa.float64())


def _span(month: str) -> tuple[str, str]:
    """First day of a month (2024-03) and of the next."""
    year, number = map(int, month.split("-"))
    return f"{month}-01", f"{year + number // 12:04d}-{number % 12 + 1:02d}-01"

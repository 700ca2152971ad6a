"""Check and sum sales in the warehouse itself: raw rows never leave it, monthly ones do.

Every row is checked, since one may repeat another of any month. Only months whose good rows have changed since the
import before are summed again: each is kept in the staging folder under a fingerprint of its rows. What comes out has
the form of the aggregate step's output, and is to the last bit what that step makes of the same rows.
"""

import hashlib
import json
import logging
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
from sales.pushdown_sql import QUARANTINE, Statements
from sales.snowflake import execute, query_errors
from sales.specs import ImportSpec
from sales.staging import Staging

log = logging.getLogger("sales.ingest")
MARK = "pushed_down.json"
TEXTS = ("StoreID", "Category", "Product", "Country", "City", "Weather")
DAYS = ("MonthStart", "FirstDay", "LastDay")
FLAGS = ("Promotion", "Holiday")


@dataclass(frozen=True)
class Aggregation:
    """The SQL that sums, what a row of it stands for, and the contract's text: what the result depends on."""

    sql: str
    grain: str
    contract: str

    @property
    def key(self) -> str:
        """16 hex digits; equal rows give equal months under one key."""
        return _digest(f"pushdown 1\n{self.grain}\n{self.sql}")[:16]

    def mark(self) -> dict[str, str]:
        """As JSON, without the texts."""
        return {"grain": self.grain, "sql": _digest(self.sql), "contract": _digest(self.contract)}


def push_down(
    session: Any, spec: ImportSpec, contract: Contract, wanted: Aggregation, staging: Path, folder: Path
) -> int:
    """Write monthly.parquet, rows.json and pushed_down.json into the local `folder`; returns the rows looked at.

    Raises:
        StepError: the warehouse refuses a statement, there is no row, or more rows are bad than the contract allows.
    """
    warnings = StepWarnings("import")
    statements, checked = _check(session, spec, contract, warnings)
    parts = _months(session, spec, statements)
    kept = Staging(staging / "pushed-down", wanted.key)
    with tempfile.TemporaryDirectory() as local:
        taken = [part for part in parts if kept.take(part, Path(local, f"{part.month}.parquet"))]
        changed = [part for part in parts if part not in taken]
        for _, year in groupby(changed, lambda part: part.month[:4]):
            _sum(session, spec, statements, wanted, list(year), kept, Path(local))
        log.info("%d months: %d summed in the warehouse, %d as before", len(parts), len(changed), len(taken))
        _finish(session, spec, statements, contract, wanted, checked, warnings, Path(local), folder)
    mark = {**wanted.mark(), "months": {part.month: [part.rows, part.fingerprint] for part in parts}}
    (folder / MARK).write_text(json.dumps(mark, indent=2) + "\n", encoding="utf-8")
    kept.prune(parts)
    return checked.read


def _check(session: Any, spec: ImportSpec, contract: Contract, warnings: StepWarnings) -> tuple[Statements, Checked]:
    """The statements for the good rows, and what the check has counted; bad rows are in the table SALES_QUARANTINE."""
    fields = read_fields(session, spec, contract)
    statements = Statements(spec.query, contract, fields)
    for name in statements.uniques():
        execute(session, statements.repeats(name), spec.place)
    repeated = tuple(
        name
        for name in statements.uniques()
        if _one(session, f"select count(*) from {statements.table_of(name)}", spec.place)
    )
    statements = Statements(spec.query, contract, fields, repeated)
    read = _one(session, statements.count(), spec.place)
    if not read:
        raise StepError(f"{spec.place}: the query gives no row; load sales first, or change its conditions")
    execute(session, statements.bad(), spec.place)
    execute(session, pushdown_sql.quarantine(), spec.place)
    rules = execute(session, pushdown_sql.by_rule(), spec.place).fetchall()
    bad = sum(int(count) for _, count, _ in rules)
    if rules:
        rule, count, reason = rules[0]
        often = f"most often: {rule} ({count} rows), for example {reason}; all of them: table {QUARANTINE}"
        if bad == read or bad > contract.max_bad_fraction * read:
            raise StepError(
                f"{spec.place}: {bad} of {read} rows ({bad / read:.1%}) break the contract, which allows "
                f"{contract.max_bad_fraction:.1%}; {often}; correct them at the source, or raise max_bad_fraction in "
                "the contract"
            )
        warnings.add(f"{bad} of {read} rows break the contract and are quarantined; {often}")
    return statements, Checked(read, bad, {str(rule): int(count) for rule, count, _ in rules})


def _one(session: Any, sql: str, place: str) -> int:
    return int(execute(session, sql, place).fetchall()[0][0])


def _months(session: Any, spec: ImportSpec, statements: Statements) -> list[Partition]:
    """The months of good rows, each with its number of rows and a fingerprint of them."""
    rows = execute(session, statements.fingerprints(), spec.place).fetchall()
    return [
        Partition(f"{int(number) // 100:04d}-{int(number) % 100:02d}", "", int(count), _digest(f"{count} {total}")[:32])
        for number, count, total in rows
    ]


def _sum(
    session: Any,
    spec: ImportSpec,
    statements: Statements,
    wanted: Aggregation,
    parts: Sequence[Partition],
    kept: Staging,
    local: Path,
) -> None:
    """Sum these months, fetch them, and keep each at once: a run that dies after this does not sum them again."""
    execute(session, statements.checked([_span(part.month) for part in parts]), spec.place)
    execute(session, f"set grain = {literal(wanted.grain)}", spec.place)
    together = local / "together"
    with (
        query_errors(spec.place),
        duckdb.connect(config={"memory_limit": "256MB", "temp_directory": str(local)}) as con,
    ):
        _fetch(execute(session, wanted.sql, spec.place), together)
        for part in parts:
            target = local / f"{part.month}.parquet"
            con.execute(
                f"copy (select * from read_parquet({literal(str(together))}) "
                f"where MonthStart = cast('{part.month}-01' as date) order by all) "
                f"to {literal(str(target))} (format parquet)"
            )
            kept.keep(part, target)
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


def _finish(
    session: Any,
    spec: ImportSpec,
    statements: Statements,
    contract: Contract,
    wanted: Aggregation,
    checked: Checked,
    warnings: StepWarnings,
    local: Path,
    folder: Path,
) -> None:
    """Whole months alone, and what is said of them, as the aggregate step does it."""

    def ask(query: str) -> Sequence[Sequence[Any]]:
        return list(execute(session, query, spec.place).fetchall())

    sold = months.Sold(ask, f"{statements.good} as sale")
    with duckdb.connect(config={"memory_limit": "512MB", "temp_directory": str(local)}) as con:
        con.execute(f"create temp table monthly as select * from read_parquet({literal(str(local / '*.parquet'))})")
        asked = months.Asked(contract.frequency, wanted.grain, spec.place)
        months.keep(con, sold, checked, asked, warnings, folder)


def is_pushed_down(sales: Path) -> bool:
    """Whether the folder holds monthly rows of a push-down."""
    return (sales / MARK).is_file()


def check_mark(sales: Path, wanted: Aggregation) -> None:
    """Raises StepError where the months in `sales` were made with another grain, SQL or contract than is wanted."""
    mark, now = json.loads((sales / MARK).read_text(encoding="utf-8")), wanted.mark()
    names = {"grain": "grain", "sql": "the aggregation's SQL", "contract": "the sales contract"}
    other = [text for name, text in names.items() if mark.get(name) != now[name]]
    if other:
        raise StepError(
            f"the warehouse has summed these sales by {mark.get('grain')}, and {_listed(other)} of this run is another: "
            f"import them again, make import-data PUSHDOWN=1 GRAIN={wanted.grain}"
        )


def _listed(names: Iterable[str]) -> str:
    return " and ".join(names)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

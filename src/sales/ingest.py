"""Step ingest: run a DataImport spec's query month by month, check and publish the rows.

Or push down: have the warehouse check and sum them, and publish its monthly rows; see sales.pushdown.

Months are written to a local folder first and copied to the outputs, which may be mounts; see sales.staging.
"""

import argparse
import hashlib
import logging
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from demand.contract import Contract, load_contract
from demand.errors import StepError
from demand.grain import GRAINS
from demand.job_paths import job, on_azure, shown_input, shown_output
from demand.steps import run
from sales.contract_check import check_rows
from sales.partitions import UNDATED, Field, Partition, read_fields, read_partitions
from sales.pushdown import push_down
from sales.pushed import Aggregation
from sales.snowflake import connect, execute, query_errors
from sales.snowflake_sign_in import WAYS, WORKLOAD_IDENTITY, SignIn, sign_in_of
from sales.specs import ImportSpec, load_connection, load_import_spec
from sales.staging import Staging, disk_errors, publish

log = logging.getLogger("sales.ingest")
MEMORY_LIMIT = "256MB"
NEVER, ALWAYS, AUTO = "never", "always", "auto"


@dataclass(frozen=True)
class PushDown:
    """Whether, and what, the warehouse sums; AUTO: on Azure where there are more than `above` rows, as `role`."""

    when: str = NEVER
    monthly_sql: Path | None = None
    grain: str = GRAINS[0]
    above: int = 0
    role: str = "DEMAND_AGGREGATOR"


@dataclass(frozen=True)
class ImportSettings:
    """The files and folders of one import, and how it signs in to the warehouse."""

    connection: Path
    import_spec: Path
    contract: Path
    sales: Path
    staging: Path
    sign_in: SignIn = field(default_factory=SignIn)
    pushdown: PushDown = field(default_factory=PushDown)


def import_sales(settings: ImportSettings) -> int:
    """Run the import and return its number of rows.

    On success `sales` holds one Parquet file a month, or the monthly rows of a push-down, and the file MLTable.
    Otherwise `sales` is not a table, and finished months wait in the staging folder for the next run.

    Raises:
        StepError: a spec, the warehouse, the data or the disk is not as it must be; one line says which and where.
    """
    with tempfile.TemporaryDirectory(prefix="import-") as folder, disk_errors(settings.staging):
        if _is_pushed_down(settings):
            return _push_down(settings, Path(folder))
        staging = Staging(settings.staging, _staging_key(settings))
        rows = _fetch_all(settings, staging, Path(folder))
        files = sorted(Path(folder).glob("*.parquet"))
        check_imported(files, load_contract(settings.contract), shown_input(settings.import_spec), settings.staging)
        publish(files, settings.sales)
        staging.clear()
    log.info("Imported %d rows into %s", rows, "output sales" if on_azure() else settings.sales)
    return rows


def _is_pushed_down(settings: ImportSettings) -> bool:
    """Whether the warehouse sums; by AUTO it says how many rows there are first."""
    wanted = settings.pushdown
    if wanted.when != AUTO or not on_azure():
        return wanted.when == ALWAYS
    spec = load_import_spec(settings.import_spec)
    with connect(load_connection(settings.connection), settings.sign_in) as session:
        ((rows,),) = execute(session, f"select count(*) from (\n{spec.query}\n) as sale", spec.place).fetchall()
    log.info("%d rows; the warehouse sums more than %d itself", rows, wanted.above)
    return int(rows) > wanted.above


def _push_down(settings: ImportSettings, folder: Path) -> int:
    """Publish monthly rows that the warehouse has summed; returns the rows that it looked at."""
    wanted = settings.pushdown
    if wanted.monthly_sql is None:
        raise StepError("a push-down needs the aggregation's SQL: give monthly_sql")
    spec, contract = load_import_spec(settings.import_spec), load_contract(settings.contract)
    texts = [path.read_text(encoding="utf-8") for path in (wanted.monthly_sql, settings.contract)]
    aggregation = Aggregation(texts[0], wanted.grain, texts[1])
    connection = replace(load_connection(settings.connection), role=wanted.role)
    with connect(connection, settings.sign_in) as session:
        today = contract.as_of(datetime.now(UTC).date())
        rows = push_down(session, spec, today, aggregation, settings.staging, folder)
    publish(sorted(folder.iterdir()), settings.sales)
    log.info("%d rows stay in the warehouse, their months are in %s", rows, shown_output("sales", settings.sales))
    return rows


def _staging_key(settings: ImportSettings) -> str:
    """Months that were fetched with another query, connection or contract must never be taken."""
    digest = hashlib.sha256(b"layout 2")
    for path in (settings.connection, settings.import_spec, settings.contract):
        if not path.is_file():
            raise StepError(f"{path}: no such file")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _fetch_all(settings: ImportSettings, staging: Staging, folder: Path) -> int:
    """Every month as one file in the local `folder`; returns the rows of all."""
    connection = load_connection(settings.connection)
    spec = load_import_spec(settings.import_spec)
    contract = load_contract(settings.contract)
    with connect(connection, settings.sign_in) as session:
        fields = read_fields(session, spec, contract)
        partitions = read_partitions(session, spec, fields)
        if not partitions:
            raise StepError(f"{spec.place}: the query gives no row; load sales first, or change its conditions")
        log.info("%d rows in %d months", sum(part.rows for part in partitions), len(partitions))
        for part in partitions:
            target = folder / f"{part.month}.parquet"
            started = time.monotonic()
            if staging.take(part, target):
                log.info("%s: %d rows kept from the run before", part.month, part.rows)
                continue
            _fetch_month(session, part, fields, spec, target)
            staging.keep(part, target)
            log.info("%s: %d rows in %.2f s", part.month, part.rows, time.monotonic() - started)
    return sum(part.rows for part in partitions)


def _fetch_month(session: Any, part: Partition, fields: Sequence[Field], spec: ImportSpec, target: Path) -> None:
    """Fetch one month into the local file `target`, and hold it to the number of rows that were announced."""
    rows = _fetch(session, part, fields, spec, target)
    if rows != part.rows:
        changed = f"{part.rows} rows were announced and {rows} came; the table changed meanwhile, run it again"
        raise StepError(f"{spec.place}: {part.month}: {changed}")


def _fetch(session: Any, part: Partition, fields: Sequence[Field], spec: ImportSpec, path: Path) -> int:
    """Stream one month into `path`; returns the rows written."""
    schema = pa.schema([pa.field(column.name, column.arrow) for column in fields])
    rows = 0
    cursor = execute(session, part.sql, spec.place)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer, query_errors(spec.place):
        for batch in cursor.fetch_arrow_batches():
            writer.write_table(_to_schema(batch, fields, schema, part, spec))
            rows += batch.num_rows
    cursor.close()
    return rows


def _to_schema(
    batch: pa.Table, fields: Sequence[Field], schema: pa.Schema, part: Partition, spec: ImportSpec
) -> pa.Table:
    columns = []
    for index, wanted in enumerate(fields):
        if wanted.name == "SaleDate" and part.month == UNDATED:
            # The local warehouse gives 1970-01-01 for a NULL timestamp; here we know that each one is NULL.
            columns.append(pa.nulls(batch.num_rows, wanted.arrow))
            continue
        columns.append(_cast(batch.column(index), wanted, f"{spec.place}: {part.month}"))
    return pa.Table.from_arrays(columns, schema=schema)


def _cast(column: pa.ChunkedArray, wanted: Field, place: str) -> pa.ChunkedArray:
    if pa.types.is_timestamp(column.type):
        # Snowflake's nanoseconds are cut to microseconds, which is what DuckDB and pandas 2 agree on.
        return pc.cast(column, wanted.arrow, safe=False)
    try:
        return column.cast(wanted.arrow)
    except pa.ArrowInvalid as error:
        hint = f"cast it in the query, e.g. {wanted.source}::varchar"
        raise StepError(f"{place}: column {wanted.name}: {error}; {hint}") from error


def check_imported(files: Sequence[Path], contract: Contract, source: str, staging: Path) -> None:
    """Accept `files`, or say which rule their rows break; the bad rows are then listed in a CSV file in `staging`.

    Bad rows up to the contract's fraction stay in; the aggregate step quarantines each with its reason.

    Raises:
        StepError: more bad rows than the contract allows; names the commonest rule, how many, and where one stands.
    """
    # Jobs share the staging folder on Azure ML, so each has a file of its own.
    quarantine = staging / (f"quarantine-{job()}.csv" if on_azure() else "quarantine.csv")
    with tempfile.TemporaryDirectory() as spill, duckdb.connect(config={"memory_limit": MEMORY_LIMIT}) as connection:
        connection.execute("set temp_directory = ?", [spill])
        local = Path(spill) / "quarantine.csv"  # DuckDB renames what it has written, which a mount may not do
        try:
            today = contract.as_of(datetime.now(UTC).date())
            checked = check_rows(connection, files, today, source, local, Path(spill))
        except StepError as error:
            if not local.is_file():
                raise
            shutil.copyfile(local, quarantine)
            rows = shown_output("staging", quarantine)
            raise StepError(f"{error}; nothing was imported, all bad rows: {rows}") from error
    quarantine.unlink(missing_ok=True)
    if checked.quarantined:
        log.warning("These %d rows stay in; the aggregate step puts them into its quarantine", checked.quarantined)


def build_parser() -> argparse.ArgumentParser:
    """The step's flags; ml/components/import.yml passes them."""
    parser = argparse.ArgumentParser(prog="python -m sales.ingest", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--connection", type=Path, required=True, help="Snowflake connection spec")
    parser.add_argument("--import-spec", type=Path, required=True, help="DataImport spec with the query")
    parser.add_argument("--contract", type=Path, required=True, help="sales contract")
    parser.add_argument("--sign-in", choices=WAYS, default=WORKLOAD_IDENTITY, help="how to sign in to the warehouse")
    parser.add_argument("--vault-url", help="Key Vault with the private key, for --sign-in key_pair")
    parser.add_argument("--key-name", default="snowflake-private-key", help="secret that holds the PEM private key")
    parser.add_argument("--push-down", choices=(NEVER, ALWAYS, AUTO), default=NEVER, help="have the warehouse sum")
    parser.add_argument("--push-down-above", type=int, default=0, help="rows, for --push-down auto")
    parser.add_argument("--push-down-role", default="DEMAND_AGGREGATOR", help="role that may make tables")
    parser.add_argument("--monthly-sql", type=Path, help="the aggregation, SQL, for a push-down")
    parser.add_argument("--grain", choices=GRAINS, default=GRAINS[0], help="what a monthly row of a push-down is")
    parser.add_argument("--sales", type=Path, required=True, help="output folder: Parquet files and MLTable")
    parser.add_argument("--staging", type=Path, required=True, help="folder that keeps finished months for a retry")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the step; returns its exit code."""
    options = build_parser().parse_args(argv)
    files = (options.connection, options.import_spec, options.contract)
    sign_in = sign_in_of(options.sign_in, options.vault_url, options.key_name)
    above, role = options.push_down_above, options.push_down_role
    pushdown = PushDown(options.push_down, options.monthly_sql, options.grain, above, role)
    settings = ImportSettings(*files, options.sales, options.staging, sign_in, pushdown)

    def work() -> int:
        import_sales(settings)
        return 0

    return run(work)


if __name__ == "__main__":
    raise SystemExit(main())

"""Import sales month by month, check them against the contract, and publish them in one go.

Months are written to a local folder first and copied to the outputs, which may be mounts; see import_staging.
"""

import errno
import hashlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from demand.connection_spec import load_connection
from demand.contract import load_contract
from demand.errors import UserError
from demand.import_check import check_imported
from demand.import_plan import UNDATED, Field, Partition, make_plan, read_fields
from demand.import_spec import ImportSpec, load_import_spec
from demand.import_staging import Staging
from demand.job_paths import on_azure, shown_input
from demand.snowflake_sign_in import SignIn
from demand.snowflake_source import connect, execute, query_errors

log = logging.getLogger("demand.import")
MLTABLE = """\
type: mltable
paths:
  - pattern: ./*.parquet
transformations:
  - read_parquet:
      include_path_column: false
"""


@dataclass(frozen=True)
class Request:
    """The files and folders of one import, and how it signs in to the warehouse."""

    connection: Path
    import_spec: Path
    contract: Path
    sales: Path
    staging: Path
    sign_in: SignIn = field(default_factory=SignIn)


def import_sales(request: Request) -> int:
    """Run the import and return its number of rows.

    On success `sales` holds one Parquet file a month and the file MLTable, and no month is left in the staging folder.
    Otherwise `sales` is no table, and finished months wait in the staging folder for the next run.

    Raises:
        UserError: a spec, the warehouse, the data or the disk is not as it must be; one line says which and where.
    """
    with tempfile.TemporaryDirectory(prefix="import-") as folder, disk_errors(request.staging):
        staging = Staging(request.staging, _staging_key(request))
        rows = _fetch_all(request, staging, Path(folder))
        files = sorted(Path(folder).glob("*.parquet"))
        check_imported(files, load_contract(request.contract), shown_input(request.import_spec), request.staging)
        _publish(files, request.sales)
        staging.clear()
    log.info("Imported %d rows into %s", rows, "output sales" if on_azure() else request.sales)
    return rows


def _staging_key(request: Request) -> str:
    """Months that were fetched with another query, connection or contract must never be taken."""
    digest = hashlib.sha256(b"layout 2")
    for path in (request.connection, request.import_spec, request.contract):
        if not path.is_file():
            raise UserError(f"{path}: no such file")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


@contextmanager
def disk_errors(staging: Path) -> Iterator[None]:
    """Turn a disk that is full or may not be written into a UserError."""
    try:
        yield
    except OSError as error:
        code = errno.ENOSPC if "No space left" in str(error) else error.errno
        if code not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES}:
            raise
        place = error.filename or staging
        hint = "free space and run it again, finished months are kept"
        raise UserError(f"cannot write {place}: {os.strerror(code or 0)}; {hint}") from error


def _fetch_all(request: Request, staging: Staging, folder: Path) -> int:
    """Every month as one file in the local `folder`; returns the rows of all."""
    connection = load_connection(request.connection)
    spec = load_import_spec(request.import_spec)
    contract = load_contract(request.contract)
    with connect(connection, request.sign_in) as session:
        fields = read_fields(session, spec, contract)
        plan = make_plan(session, spec, fields)
        if not plan:
            raise UserError(f"{spec.place}: the query gives no row; load sales first, or change its conditions")
        log.info("%d rows in %d months", sum(part.rows for part in plan), len(plan))
        for part in plan:
            target = folder / f"{part.month}.parquet"
            started = time.monotonic()
            if staging.take(part, target):
                log.info("%s: %d rows kept from the run before", part.month, part.rows)
                continue
            _fetch_month(session, part, fields, spec, target)
            staging.keep(part, target)
            log.info("%s: %d rows in %.2f s", part.month, part.rows, time.monotonic() - started)
    return sum(part.rows for part in plan)


def _fetch_month(session: Any, part: Partition, fields: Sequence[Field], spec: ImportSpec, target: Path) -> None:
    """Fetch one month into the local file `target`, and hold it to the number of rows that the plan announced."""
    rows = _fetch(session, part, fields, spec, target)
    if rows != part.rows:
        changed = f"{part.rows} rows were announced and {rows} came; the table changed meanwhile, run it again"
        raise UserError(f"{spec.place}: {part.month}: {changed}")


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
        raise UserError(f"{place}: column {wanted.name}: {error}; {hint}") from error


def _publish(files: Sequence[Path], sales: Path) -> None:
    """Put the months and MLTable into `sales` and nothing else; after an error nothing of them is left there.

    The folder is never removed or replaced, since it may be a mount, and it may hold what an earlier try left.
    """
    sales.mkdir(parents=True, exist_ok=True)
    mark = sales / "MLTable"
    try:
        mark.unlink(missing_ok=True)
        for old in sales.glob("*.parquet"):
            old.unlink()
        for path in files:
            shutil.copyfile(path, sales / path.name)
        mark.write_text(MLTABLE, encoding="utf-8")  # last: without it the folder is no table
    except BaseException:
        for path in (mark, *(sales / path.name for path in files)):
            path.unlink(missing_ok=True)
        raise

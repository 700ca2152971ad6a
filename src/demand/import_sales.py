"""Import sales month by month into a staging folder, check them against the contract, and publish them in one go."""

import errno
import fcntl
import hashlib
import logging
import os
import shutil
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
_FINGERPRINT = b"demand.fingerprint"


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

    On success `sales` holds one Parquet file a month and the file MLTable, and the staging folder is empty. Otherwise
    `sales` is as it was, and finished months wait in the staging folder for the next run.

    Raises:
        UserError: a spec, the warehouse, the data or the disk is not as it must be; one line says which and where.
    """
    with _told_disk_errors(request.staging), _held(request.staging):
        folder = request.staging / _staging_key(request)
        folder.mkdir(parents=True, exist_ok=True)
        rows = _fetch_all(request, folder)
        files = sorted(folder.glob("*.parquet"))
        check_imported(files, load_contract(request.contract), str(request.import_spec), request.staging)
        _publish(folder, request.sales)
        _clear(request.staging)
    log.info("Imported %d rows into %s", rows, request.sales)
    return rows


def _staging_key(request: Request) -> str:
    """Months that were fetched with another query, connection or contract must never be taken."""
    digest = hashlib.sha256(b"layout 1")
    for path in (request.connection, request.import_spec, request.contract):
        if not path.is_file():
            raise UserError(f"{path}: no such file")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


@contextmanager
def _held(staging: Path) -> Iterator[None]:
    """One import at a time in a staging folder; the kernel frees the lock however the holder ends."""
    staging.mkdir(parents=True, exist_ok=True)
    with (staging / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("Another import uses %s; waiting until it has ended", staging)
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:  # a mounted blob container has no locks, and one job only
            log.info("%s cannot be locked; two imports at once would disturb each other there", staging)
        yield


@contextmanager
def _told_disk_errors(staging: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        code = errno.ENOSPC if "No space left" in str(error) else error.errno
        if code not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES}:
            raise
        place = error.filename or staging
        hint = "free space and run it again, finished months are kept"
        raise UserError(f"cannot write {place}: {os.strerror(code or 0)}; {hint}") from error


def _fetch_all(request: Request, folder: Path) -> int:
    connection = load_connection(request.connection)
    spec = load_import_spec(request.import_spec)
    contract = load_contract(request.contract)
    with connect(connection, request.sign_in) as session:
        fields = read_fields(session, spec, contract)
        plan = make_plan(session, spec, fields)
        if not plan:
            raise UserError(f"{spec.place}: the query gives no row; load sales first, or change its conditions")
        log.info("%d rows in %d months", sum(part.rows for part in plan), len(plan))
        _forget_others(folder, plan)
        for part in plan:
            _fetch_unless_kept(session, part, fields, spec, folder)
    return sum(part.rows for part in plan)


def _forget_others(folder: Path, plan: Sequence[Partition]) -> None:
    """Half-written files, and months that the query no longer gives."""
    wanted = {f"{part.month}.parquet" for part in plan}
    for path in folder.iterdir():
        if path.name not in wanted:
            path.unlink()


def _fetch_unless_kept(session: Any, part: Partition, fields: Sequence[Field], spec: ImportSpec, folder: Path) -> None:
    target = folder / f"{part.month}.parquet"
    if _kept_fingerprint(target) == part.fingerprint:
        log.info("%s: %d rows kept from the run before", part.month, part.rows)
        return
    started = time.monotonic()
    temporary = target.with_name(target.name + ".tmp")
    try:
        rows = _fetch(session, part, fields, spec, temporary)
        if rows != part.rows:
            changed = f"{part.rows} rows were announced and {rows} came; the table changed meanwhile, run it again"
            raise UserError(f"{spec.place}: {part.month}: {changed}")
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    log.info("%s: %d rows in %.2f s", part.month, rows, time.monotonic() - started)


def _kept_fingerprint(path: Path) -> str:
    """What a finished month was made from; empty for a file that is missing or damaged."""
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowInvalid):
        return ""
    return bytes(metadata.get(_FINGERPRINT, b"")).decode()


def _fetch(session: Any, part: Partition, fields: Sequence[Field], spec: ImportSpec, path: Path) -> int:
    """Stream one month into `path`; returns the rows written."""
    schema = pa.schema([pa.field(field.name, field.arrow) for field in fields])
    schema = schema.with_metadata({_FINGERPRINT: part.fingerprint.encode()})
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
    for index, field in enumerate(fields):
        column = batch.column(index)
        if field.name == "SaleDate" and part.month == UNDATED:
            # The local warehouse gives 1970-01-01 for a NULL timestamp; here we know that each one is NULL.
            columns.append(pa.nulls(batch.num_rows, field.arrow))
            continue
        columns.append(_cast(column, field, f"{spec.place}: {part.month}"))
    return pa.Table.from_arrays(columns, schema=schema)


def _cast(column: pa.ChunkedArray, field: Field, place: str) -> pa.ChunkedArray:
    if pa.types.is_timestamp(column.type):
        # Snowflake's nanoseconds are cut to microseconds, which is what DuckDB and pandas 2 agree on.
        return pc.cast(column, field.arrow, safe=False)
    try:
        return column.cast(field.arrow)
    except pa.ArrowInvalid as error:
        hint = f"cast it in the query, e.g. {field.source}::varchar"
        raise UserError(f"{place}: column {field.name}: {error}; {hint}") from error


def _publish(folder: Path, sales: Path) -> None:
    """Put the months and MLTable into `sales`; after an error nothing of them is left there."""
    sales.mkdir(parents=True, exist_ok=True)
    placed = []
    try:
        for path in sorted(folder.glob("*.parquet")):
            placed.append(sales / path.name)
            shutil.copyfile(path, placed[-1])
        placed.append(sales / "MLTable")
        placed[-1].write_text(MLTABLE, encoding="utf-8")  # last: without it the folder is no table
    except BaseException:
        for path in placed:
            path.unlink(missing_ok=True)
        raise


def _clear(staging: Path) -> None:
    """The lock file stays: another import may wait for it."""
    for path in staging.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != ".lock":
            path.unlink()

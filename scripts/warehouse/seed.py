"""Fill the warehouse's table SALES: generated sales or a user's file, through PUT and COPY INTO, replaced in one go."""

import json
import logging
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from amlspec.errors import UserError
from demand.contract import Contract, load_contract
from demand.errors import StepError
from host.state import write_json
from sales.snowflake import connect, execute
from sales.specs import load_connection
from warehouse import days, generator, lifecycle, places, sales_rows
from warehouse.state import HOST, REPO, Home
from warehouse.userfile import CheckedFile, check_file, file_hash

log = logging.getLogger("warehouse")
CONNECTION = REPO / "ml" / "data" / "snowflake.connection.yml"
CONTRACT = REPO / "ml" / "data" / "sales.contract.yml"
GENERATED = "generated"
WAREHOUSE_TYPES = {"string": "VARCHAR", "timestamp": "TIMESTAMP_NTZ", "number": "DOUBLE", "boolean": "BOOLEAN"}


@dataclass(frozen=True)
class Seeded:
    """What table SALES holds: the file's name (or 'generated'), a hash of content and contract, and counts."""

    file: str
    sha256: str
    rows: int
    quarantined: int


def seed_sales(home: Home, file: Path | None = None) -> tuple[Seeded, bool]:
    """Make SALES hold `file`, or generated sales. Returns what it holds, and whether anything was loaded for it.

    The server is started where needed. The table is replaced at the very end: after an error it is as before.

    Raises:
        UserError: the file cannot be taken, or the warehouse does not come up.
        StepError: the file lacks a required column, or the warehouse refuses a statement.
    """
    if file and not file.is_file():
        raise UserError(f"{file}: no such file")
    wanted = _content_hash(file)
    with FileLock(home.folder / "seed.lock"):
        known = read_seeded(home)
        if known and known.sha256 == wanted and _rows_loaded(home) == known.rows:
            return known, False
        for left in home.folder.glob("seed-*/"):  # of a run that was killed
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=home.folder, prefix="seed-") as work:
            return _load(home, file, wanted, Path(work)), True


def read_seeded(home: Home) -> Seeded | None:
    """What was seeded last; None where nothing was, or the record is damaged."""
    try:
        return Seeded(**json.loads(home.seeded.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _content_hash(file: Path | None) -> str:
    """Of the user's file, or of the generator, whose output its source decides."""
    if file:
        return file_hash(CONTRACT, file)
    return file_hash(CONTRACT, *(Path(str(module.__file__)) for module in (days, generator, places, sales_rows)))


@contextmanager
def local_session(home: Home) -> Iterator[Any]:
    """A connection to the local warehouse, which is started where needed.

    The connector takes its address from this process's environment, which is put back at the end.
    """
    lifecycle.start(home)
    new = lifecycle.connection_environment(home) | {"NO_PROXY": HOST, "no_proxy": HOST}
    old = {name: os.environ.get(name) for name in new}
    os.environ.update(new)
    try:
        with connect(load_connection(CONNECTION)) as session:
            yield session
    finally:
        for name, value in old.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _rows_loaded(home: Home) -> int | None:
    """Rows of SALES, or None where there is no such table."""
    with local_session(home) as session:
        try:
            return int(execute(session, "select count(*) from SALES", "SALES").fetchone()[0])
        except StepError:
            return None


def _load(home: Home, file: Path | None, wanted: str, work: Path) -> Seeded:
    contract = load_contract(CONTRACT)
    started = time.monotonic()
    checked = _generated(work) if file is None else _checked(home, file, contract, wanted, work)
    prepared = time.monotonic()
    with local_session(home) as session:
        home.seeded.unlink(missing_ok=True)  # from here to the end the table's content is not certain
        replace_table(session, contract, checked)
    seeded = Seeded(file.name if file else GENERATED, wanted, checked.rows, checked.quarantined)
    write_json(home.seeded, asdict(seeded))
    log.info("Prepared in %.1f s, loaded in %.1f s", prepared - started, time.monotonic() - prepared)
    if checked.quarantine:
        log.warning("%d lines could not be read; each with its reason: %s", checked.quarantined, checked.quarantine)
    return seeded


def _generated(work: Path) -> CheckedFile:
    path = work / "sales.parquet"
    rows = generator.write_sales(path)
    return CheckedFile((path,), "BIGINT", rows, 0, None)


def _checked(home: Home, file: Path, contract: Contract, wanted: str, work: Path) -> CheckedFile:
    quarantine = home.quarantine / f"{file.name.split('.')[0]}-{wanted[:8]}.csv"
    return check_file(file, contract, work, quarantine)


def replace_table(session: Any, contract: Contract, checked: CheckedFile) -> None:
    """Load the parts into SALES_NEW, then put it in the place of SALES within one transaction.

    Raises:
        UserError: not every row arrived; SALES is then as it was.
        StepError: the warehouse refuses a statement; SALES is then as it was.
    """
    types = {column.name: WAREHOUSE_TYPES[column.type] for column in contract.columns} | {"SaleID": checked.id_type}
    columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
    place = "make seed-sales"
    execute(session, f"create or replace table SALES_NEW ({columns})", place)
    # A table's own stage needs OWNERSHIP of the table in Snowflake; this one goes with the session.
    stage = f"SALES_{uuid.uuid4().hex.upper()}"
    execute(session, f"create temporary stage {stage}", place)
    try:
        for part in checked.parts:
            _upload(session, part, stage, place)
    finally:
        execute(session, f"drop stage if exists {stage}", place)
    loaded = int(execute(session, "select count(*) from SALES_NEW", place).fetchone()[0])
    if loaded != checked.rows:
        raise UserError(f"{place}: {checked.rows} rows were sent and {loaded} arrived; SALES is as it was")
    _run_all(session, ("begin", "drop table if exists SALES", "alter table SALES_NEW rename to SALES", "commit"), place)


def _upload(session: Any, part: Path, stage: str, place: str) -> None:
    address = str(part).replace("'", "\\'")
    execute(session, f"put 'file://{address}' @{stage} auto_compress = false overwrite = true", place)
    copy = (
        f"copy into SALES_NEW from @{stage}/{part.name} file_format = (type = parquet) "
        "match_by_column_name = case_insensitive purge = true"
    )
    execute(session, copy, place)


def _run_all(session: Any, statements: Sequence[str], place: str) -> None:
    try:
        for statement in statements:
            execute(session, statement, place)
    except StepError:
        session.cursor().execute("rollback")
        raise

"""A user's sales file (csv, csv.gz, parquet), checked with DuckDB and rewritten in the contract's names and types."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from amlspec.errors import UserError
from demand.contract import SQL_TYPES, Contract, match_columns
from sales.contract_sql import literal, quoted

SUFFIXES = (".csv", ".csv.gz", ".parquet")
MEMORY_LIMIT = "512MB"
PART_SIZE = "64MB"  # the warehouse takes each uploaded file in one piece


@dataclass(frozen=True)
class CheckedFile:
    """What a file holds: the readable rows as Parquet parts, the SQL type of SaleID, and how many lines are bad."""

    parts: tuple[Path, ...]
    id_type: str
    rows: int
    quarantined: int
    quarantine: Path | None


def file_hash(*paths: Path) -> str:
    """SHA-256 over the contents of `paths`, hex."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def check_file(path: Path, contract: Contract, work: Path, quarantine: Path) -> CheckedFile:
    """Check `path` and write its readable rows below `work`; lines that cannot be read go to `quarantine` (a CSV).

    Rows that are readable and break a row rule (negative price, an id twice) stay in: aggregate quarantines them.

    Raises:
        UserError: no such file, another format, unreadable, no row, or more bad lines than the contract allows.
        StepError: a required column is missing.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    if not path.name.lower().endswith(SUFFIXES):
        raise UserError(f"{path}: its name must end in {', '.join(SUFFIXES)}")
    if not path.stat().st_size:
        raise UserError(f"{path}: the file is empty; it needs a header and rows")
    try:
        with _on_disk(work) as connection:
            read = _open_parquet if path.name.lower().endswith(".parquet") else _open_csv
            read(connection, path, contract)
            return _split(connection, path, contract, work, quarantine)
    except (duckdb.Error, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {(str(error).splitlines() or ['?'])[0]}") from error


@contextmanager
def _on_disk(work: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in a file below `work`, gone afterwards: rows of a CSV, which is read once, do not stay in memory."""
    file = work / "loading.duckdb"
    config: dict[str, str | bool] = {"memory_limit": MEMORY_LIMIT, "preserve_insertion_order": False}
    try:
        with duckdb.connect(str(file), config={**config, "temp_directory": str(work)}) as connection:
            yield connection
    finally:
        for path in (file, file.with_name(f"{file.name}.wal")):
            path.unlink(missing_ok=True)


def _open_parquet(connection: duckdb.DuckDBPyConnection, path: Path, contract: Contract) -> None:
    """Tables `good_rows` (typed) and `bad_lines`; a value that its type cannot hold makes its row bad."""
    source = f"read_parquet({literal(str(path))}, file_row_number = true)"
    types = {row[0]: row[1] for row in connection.execute(f"describe select * from {source}").fetchall()}
    types.pop("file_row_number")
    mapping = match_columns(contract, list(types), str(path))
    failed = _failed_cast(contract, mapping, types)
    connection.execute(
        f"create view checked as select *, file_row_number + 1 as line, {failed} as reason from {source}"
    )
    _create_good(connection, contract, mapping, "checked where reason is null")
    connection.execute("create view bad_lines as select line, reason, '' as text from checked where reason is not null")


def _failed_cast(contract: Contract, mapping: Mapping[str, str | None], types: Mapping[str, str]) -> str:
    cases = []
    for column in contract.columns:
        actual, target = mapping[column.name], SQL_TYPES[column.type]
        if actual is None or target == "VARCHAR" or types[actual] == target:
            continue
        name = quoted(actual)
        reason = literal(f'{column.name}: not a {column.type}: "') + f" || {name}::varchar || '\"'"
        cases.append(f"when {name} is not null and try_cast({name} as {target}) is null then {reason}")
    return f"case {' '.join(cases)} end" if cases else "null::varchar"


def _create_good(
    connection: duckdb.DuckDBPyConnection, contract: Contract, mapping: Mapping[str, str | None], source: str
) -> None:
    parts = []
    for column in contract.columns:
        actual = mapping[column.name]
        value = quoted(actual) if actual is not None else "null"
        parts.append(f"try_cast({value} as {SQL_TYPES[column.type]}) as {quoted(column.name)}")
    connection.execute(f"create view good_rows as select {', '.join(parts)} from {source}")


def _open_csv(connection: duckdb.DuckDBPyConnection, path: Path, contract: Contract) -> None:
    """Tables as of `_open_parquet`; DuckDB notes each line that it cannot split or type."""
    name = literal(str(path))
    dialect = connection.execute(
        f"select Delimiter, Quote, Escape, Columns from sniff_csv({name}, header = true, all_varchar = true, "
        "strict_mode = false, ignore_errors = true)"
    ).fetchone()
    if not dialect:
        raise UserError(f"{path}: cannot be read: no header and rows were found")
    delimiter, quote, escape, columns = dialect
    names = [column["name"] for column in columns]
    mapping = match_columns(contract, names, str(path))
    wanted = {actual: column for column in contract.columns if (actual := mapping[column.name]) is not None}
    types = {n: SQL_TYPES[wanted[n].type] if n in wanted else "VARCHAR" for n in names}
    struct = ", ".join(f"{literal(n)}: {literal(kind)}" for n, kind in types.items())
    options = [
        f"{key} = {literal(value)}"
        for key, value in (("delim", delimiter), ("quote", quote), ("escape", escape))
        if value and value != "(empty)"
    ]
    connection.execute(
        f"create table loaded as select * from read_csv({name}, auto_detect = false, header = true, "
        f"columns = {{{struct}}}, store_rejects = true, rejects_limit = 0, {', '.join(options)})"
    )
    _create_good(connection, contract, mapping, "loaded")
    connection.execute(
        """create view bad_lines as select line, first(error_message order by column_idx) as reason,
        first(csv_line) as text from reject_errors group by line"""
    )


def _split(
    connection: duckdb.DuckDBPyConnection, path: Path, contract: Contract, work: Path, quarantine: Path
) -> CheckedFile:
    bad = _count(connection, "bad_lines")
    good = _count(connection, "good_rows")
    if not good + bad:
        raise UserError(f"{path}: the file has a header and no rows")
    if bad:
        quarantine.parent.mkdir(parents=True, exist_ok=True)
        connection.execute(
            f"copy (select line, reason, text from bad_lines order by line) to {literal(str(quarantine))} (header)"
        )
    if bad > contract.max_bad_fraction * (good + bad):
        line, reason = connection.execute("select line, reason from bad_lines order by line limit 1").fetchall()[0]
        raise UserError(
            f"{path}:{line}: {reason}; {bad} of {good + bad} lines are bad, at most {contract.max_bad_fraction:.2%} "
            f"may be, so nothing was loaded; all of them: {quarantine}"
        )
    id_type = _id_type(connection)
    folder = work / "parts"
    connection.execute(
        f"copy (select * replace (SaleID::{id_type} as SaleID) from good_rows) to {literal(str(folder))} "
        f"(format parquet, compression zstd, file_size_bytes '{PART_SIZE}', per_thread_output true)"
    )
    parts = tuple(sorted(folder.rglob("*.parquet")))
    return CheckedFile(parts, id_type, good, bad, quarantine if bad else None)


def _count(connection: duckdb.DuckDBPyConnection, view: str) -> int:
    row = connection.execute(f"select count(*) from {view}").fetchone()
    return int(row[0]) if row else 0


def _id_type(connection: duckdb.DuckDBPyConnection) -> str:
    """Whole numbers stay numbers, so that 10 comes after 9; '007' and 'A1' stay text."""
    row = connection.execute(
        "select coalesce(bool_and(try_cast(SaleID as bigint)::varchar = SaleID), false) from good_rows "
        "where SaleID is not null"
    ).fetchone()
    return "BIGINT" if row and row[0] else "VARCHAR"

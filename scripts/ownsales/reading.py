"""Loads an export: Excel, CSV of any encoding and separator, Parquet."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from amlspec.errors import UserError
from ownsales.export import Export, fill
from ownsales.headers import MAX_PLACE, header_place, unique_names
from ownsales.text_files import read_text
from sales.contract_sql import literal, quoted

EXCEL = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
TEXT = (".csv", ".csv.gz", ".tsv", ".txt")
KINDS = (*EXCEL, *TEXT, ".parquet")


def read(path: Path, connection: duckdb.DuckDBPyConnection, work: Path, sheet: str | None = None) -> Export:
    """Load an export as a table of texts.

    Args:
        path: the file.
        connection: where the table is made.
        work: a folder for temporary files.
        sheet: of a workbook; by default the one that holds rows.

    Raises:
        UserError: no such file, of another kind, damaged, without rows; of a workbook: which sheet?
    """
    name = path.name.lower()
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    if not name.endswith(KINDS):
        raise UserError(f"{path}: its name must end in {', '.join(KINDS)}")
    if not path.stat().st_size:
        raise UserError(f"{path}: the file is empty; it needs a header and rows")
    if name.endswith(".parquet"):
        export = _read_parquet(path, connection)
    elif name.endswith(EXCEL):
        export = _read_excel(path, connection, sheet)
    else:
        export = read_text(path, connection, work)
    if not export.count():
        raise UserError(f"{path}: the file has a header and no rows")
    return export


def _read_parquet(path: Path, connection: duckdb.DuckDBPyConnection) -> Export:
    source = f"read_parquet({literal(str(path))})"
    try:
        described = connection.execute(f"describe select * from {source}").fetchall()
        names = [row[0] for row in described]
        fill(connection, names, source, 1)
    except duckdb.Error as error:
        raise UserError(f"{path}: cannot be read as Parquet: {str(error).splitlines()[0]}") from error
    exact = frozenset(row[0] for row in described if row[1] != "VARCHAR")
    return Export(path, connection, tuple(names), exact)


def _read_excel(path: Path, connection: duckdb.DuckDBPyConnection, sheet: str | None) -> Export:
    import python_calamine as calamine  # noqa: PLC0415 - only where it is Excel

    try:
        with calamine.load_workbook(path) as book:
            name = _sheet(path, book, sheet)
            rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except calamine.CalamineError as error:
        raise UserError(f"{path}: cannot be read as a workbook: {error}") from error
    texts = [[_text(cell) for cell in row] for row in rows]
    place = header_place([[cell or "" for cell in row] for row in texts[: MAX_PLACE + 40]], path)
    names = unique_names([cell or "" for cell in texts[place]])
    body = texts[place + 1 :]
    columns = [[row[number] for row in body] for number in range(len(names))]
    table = pa.table({name: pa.array(values, pa.string()) for name, values in zip(names, columns, strict=True)})
    connection.register("cells", table)
    fill(connection, names, "cells", place + 2)
    connection.unregister("cells")
    connection.execute(f"delete from export where {' and '.join(f'{quoted(each)} is null' for each in names)}")
    exact = frozenset(
        each for number, each in enumerate(names) if _is_typed([row[number] for row in rows[place + 1 :]])
    )
    notes = [f'Read sheet "{name}"'] if len(rows) else []
    if place:
        notes.append(f"The header is row {place + 1}; the {place} above it are left out")
    return Export(path, connection, names, exact, tuple(notes), {"sheet": name})


def _sheet(path: Path, book: Any, wanted: str | None) -> str:
    """The sheet that was asked for, or the only one with rows."""
    names = list(book.sheet_names)
    if wanted is not None:
        if wanted not in names:
            raise UserError(f'{path}: there is no sheet "{wanted}"; it has {", ".join(names)}')
        return wanted
    filled = [name for name in names if len(book.get_sheet_by_name(name).to_python(nrows=3)) > 1]
    if not filled:
        raise UserError(f"{path}: no sheet has a header and rows")
    if len(filled) > 1:
        raise UserError(f"{path}: {len(filled)} sheets have rows, {', '.join(filled)}: say which: SHEET='{filled[0]}'")
    return str(filled[0])


def _text(cell: Any) -> str | None:
    """A cell as text: dates as ISO, whole numbers without a fraction."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime | date):
        return cell.isoformat(sep=" ") if isinstance(cell, datetime) else cell.isoformat()
    return str(cell)


def _is_typed(cells: list[Any]) -> bool:
    """Whether the workbook itself says that every cell of a column is a number, a date or a flag."""
    known = [cell for cell in cells if cell is not None and cell != ""]
    return bool(known) and all(
        isinstance(cell, int | float | bool | date | datetime | time | timedelta) for cell in known
    )


def examples(export: Export, columns: list[str], most: int = 3) -> Iterator[list[str]]:
    """Some rows of the export, of some columns, the first ones."""
    wanted = ", ".join(quoted(name) for name in columns)
    for row in export.rows(f"select {wanted} from export order by _row limit {most}"):
        yield ["" if value is None else str(value) for value in row]

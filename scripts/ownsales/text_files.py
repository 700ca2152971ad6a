"""CSV of any encoding and separator: found out from its first bytes and lines."""

import codecs
import csv
import gzip
import io
from collections import Counter
from pathlib import Path
from typing import IO, NamedTuple

import duckdb

from amlspec.errors import UserError
from ownsales.export import Export, fill
from ownsales.headers import header_place, unique_names
from sales.contract_sql import literal

SEPARATORS = (",", ";", "\t", "|")
HEAD_BYTES, HEAD_LINES = 65_536, 60
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class Layout(NamedTuple):
    """How a text file is written; `header` is the number of lines above the header."""

    encoding: str
    separator: str
    header: int
    names: tuple[str, ...]


def read_text(path: Path, connection: duckdb.DuckDBPyConnection, work: Path) -> Export:
    """Load a CSV.

    Raises:
        UserError: it is empty, or no line of it looks like a header with rows below it.
    """
    layout = layout_of(path)
    source = path
    if layout.encoding not in ("utf-8", "utf-8-sig") or path.suffix == ".gz":
        source = work / "export.csv"
        _as_utf8(path, layout.encoding, source)
    columns = "{" + ", ".join(f"{literal(name)}: 'VARCHAR'" for name in layout.names) + "}"
    options = f"delim = {literal(layout.separator)}, quote = '\"', escape = '\"', header = false, auto_detect = false"
    reader = (
        f"read_csv({literal(str(source))}, columns = {columns}, skip = {layout.header + 1}, {options}, "
        "null_padding = true, strict_mode = false, parallel = false)"
    )
    try:
        fill(connection, layout.names, reader, layout.header + 2)
    except duckdb.Error as error:
        raise UserError(f"{path}: cannot be read as a table: {str(error).splitlines()[0]}") from error
    named = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}[layout.separator]
    notes = [f"Read as {_shown(layout.encoding)}, columns separated by {named}"]
    if layout.header:
        notes.append(f"The header is line {layout.header + 1}; the {layout.header} above it are left out")
    settings = {"encoding": layout.encoding, "separator": layout.separator}
    return Export(path, connection, layout.names, notes=tuple(notes), settings=settings)


def layout_of(path: Path) -> Layout:
    """Encoding, separator and header of a text file, from its first lines. Raises UserError where there are none."""
    encoding = encoding_of(path)
    with _open(path) as stream:
        text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(stream.read(HEAD_BYTES))
    lines = text.splitlines()
    # The last line may be cut.
    head = lines[: min(HEAD_LINES, max(1, len(lines) - 1))] if len(text) > 1000 else lines[:HEAD_LINES]
    if not any(line.strip() for line in head):
        raise UserError(f"{path}: the file is empty; it needs a header and rows")
    separator = max(SEPARATORS, key=lambda each: _fits(head, each))
    rows = [[cell.strip() for cell in row] for row in csv.reader(head, delimiter=separator)]
    place = header_place(rows, path)
    # A quoted header may hold line breaks, which nobody's export has; lines and rows are the same then.
    return Layout(encoding, separator, place, unique_names(rows[place]))


def encoding_of(path: Path) -> str:
    """utf-8, utf-8-sig, utf-16 (or its ends without a mark), or cp1252, which holds Latin-1's letters."""
    with _open(path) as stream:
        head = stream.read(4096)
        for mark, name in _MARKS:
            if head.startswith(mark):
                return name
        if len(head) >= 4 and head[1::2].count(0) > len(head) // 4:
            return "utf-16-le"
        if len(head) >= 4 and head[0::2].count(0) > len(head) // 4:
            return "utf-16-be"
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            decoder.decode(head)
            for block in iter(lambda: stream.read(1 << 20), b""):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _as_utf8(path: Path, encoding: str, target: Path) -> None:
    """Write the same text as UTF-8, a megabyte at a time."""
    with _open(path) as raw, target.open("w", encoding="utf-8", newline="") as stream:
        text = io.TextIOWrapper(raw, encoding=encoding, errors="replace", newline="")
        for block in iter(lambda: text.read(1 << 20), ""):
            stream.write(block)


def _fits(lines: list[str], separator: str) -> tuple[int, int]:
    """How many lines have the commonest number of cells, and how many that is; (0, 0) where it is one cell."""
    widths = Counter(len(row) for row in csv.reader(lines, delimiter=separator) if any(cell.strip() for cell in row))
    width, count = max(widths.items(), key=lambda item: (item[0] > 1, item[1]), default=(1, 0))
    return (count, width) if width > 1 else (0, 0)


def _shown(encoding: str) -> str:
    return {"utf-8-sig": "UTF-8", "cp1252": "Windows-1252 (Latin-1)"}.get(encoding, encoding.upper())

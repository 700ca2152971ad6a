"""make start FILE=: an export becomes the sales that the pipeline learns from."""

import re
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from amlspec.errors import UserError
from demand.contract import load_contract
from host.state import write_text
from ownsales import dates, mapping, proposal, reading
from ownsales.conversion import convert
from ownsales.export import Export
from ownsales.mapping import Mapping
from ownsales.proposal import Given
from ownsales.synonyms import NAMES

# Of the checkout in which make runs.
CONTRACT = Path("ml/data/sales.contract.yml")
MAPPING = Path("ml/data/sales.mapping.yml")
SHOWN_WIDTH = 24


@dataclass(frozen=True)
class Places:
    """Files that are read and written."""

    home: Path
    contract: Path = CONTRACT
    mapping: Path = MAPPING

    @property
    def folder(self) -> Path:
        """Where converted sales and rows that cannot be read are kept."""
        return self.home / "own-sales"


def prepare(
    path: Path,
    given: Given,
    places: Places,
    *,
    sheet: str | None = None,
    accept: Callable[[], bool] | None = None,
    say: Callable[[str], None] = print,
) -> Path:
    """Read an export, agree on its mapping, and write the sales as Parquet; the file.

    Args:
        path: the export.
        given: what a person has said beforehand.
        places: files that are read and written.
        sheet: of a workbook.
        accept: asks a person whether the proposed mapping is right; None where nobody can be asked.
        say: called with each line.

    Raises:
        UserError: the export cannot be read, a question is open, or the mapping was not accepted.
    """
    limit = load_contract(places.contract).max_bad_fraction
    with (
        tempfile.TemporaryDirectory() as work,
        closing(duckdb.connect(str(Path(work) / "export.duckdb"))) as connection,
    ):
        connection.execute("set enable_progress_bar = false")
        export = reading.read(path, connection, Path(work), sheet)
        export = proposal.with_rows_of_months(export) or export
        chosen, is_known = _mapping(export, given, places)
        say(f"{path.name}: {export.count():,} rows, {len(export.columns)} columns. " + ". ".join(export.notes))
        for line in table(export, chosen):
            say(line)
        if is_known:
            say(f"As {places.mapping} says, which was accepted before")
        elif accept is None:
            raise UserError("is that right? YES=1 accepts it; MAP=, DATE_FORMAT=, DECIMAL= and FREQUENCY= correct it")
        elif not accept():
            raise UserError(
                "not accepted, so nothing was loaded; MAP=, DATE_FORMAT=, DECIMAL= and FREQUENCY= correct it"
            )
        target = places.folder / f"{_stem(path)}.parquet"
        done = convert(export, chosen, target, places.folder / f"{_stem(path)}-not-read.csv", limit)
    for note in done.notes:
        say(note)
    if done.is_id_made:  # so that the query for Snowflake makes it, too
        chosen = replace(chosen, columns={name: each for name, each in chosen.columns.items() if name != "SaleID"})
    if not is_known:
        mapping.write(chosen, places.mapping)
        say(f"Kept as {places.mapping}")
    _declare(chosen.frequency, places.contract, say)
    return target


def _mapping(export: Export, given: Given, places: Places) -> tuple[Mapping, bool]:
    """(the mapping, whether it was accepted before): the kept one where it fits and nobody said otherwise."""
    if given == Given() and places.mapping.is_file():
        kept = mapping.read(places.mapping)
        if kept.fits(export.columns):
            return kept, True
    return proposal.propose(export, given), False


def table(export: Export, chosen: Mapping) -> list[str]:
    """The mapping with three rows of the export, as aligned lines."""
    listed = [name for name in NAMES if name in chosen.columns or name in chosen.constants]
    columns = [chosen.columns[name] for name in listed if name in chosen.columns]
    rows = list(reading.examples(export, columns))
    of_column = {column: [row[place] for row in rows] for place, column in enumerate(columns)}
    lines = [["", "column of the export", "written", *(f"row {number}" for number in range(1, len(rows) + 1))]]
    for name in listed:
        column = chosen.columns.get(name)
        values = of_column[column] if column else [chosen.constants[name]] * len(rows)
        lines.append([name, column or "(the same in every row)", _written(name, chosen), *values])
    unused = [name for name in export.columns if name not in chosen.columns.values()]
    widths = [max(len(_cut(row[place])) for row in lines) for place in range(len(lines[0]))]
    text = [
        "  ".join(_cut(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in lines
    ]
    return [*text, *([f"Not used: {', '.join(unused)}"] if unused else []), f"Reported {chosen.frequency}"]


def _written(name: str, chosen: Mapping) -> str:
    if name == "SaleDate":
        return dates.spelled(chosen.date_format)
    if name in chosen.decimals:
        return {".": "decimal point", ",": "decimal comma"}[chosen.decimals[name]]
    return ""


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= SHOWN_WIDTH else flat[: SHOWN_WIDTH - 1] + "…"


def _stem(path: Path) -> str:
    return re.sub(r"[^\w-]+", "-", path.name.split(".")[0]).strip("-") or "sales"


def _declare(frequency: str, contract: Path, say: Callable[[str], None]) -> None:
    """Write into the contract how often stores report, which decides which months are complete."""
    text = contract.read_text(encoding="utf-8")
    known = load_contract(contract).frequency
    if known != frequency:
        write_text(contract, re.sub(r"(?m)^frequency: \w+", f"frequency: {frequency}", text))
        say(f"{contract}: frequency is {frequency} now, it was {known}")


def ask() -> bool:
    """Ask the person at the terminal."""
    sys.stderr.write("Is that right? [Y/n] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("", "y", "yes")

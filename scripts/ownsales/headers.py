"""Which row of a table is its header."""

import re
from collections.abc import Sequence
from pathlib import Path

from amlspec.errors import UserError

MAX_PLACE = 20
_NUMBER = re.compile(r"[-+(]?[\d.,\s]+[)%]?")


def header_place(rows: Sequence[Sequence[str]], path: Path) -> int:
    """Rows above the header: it is the first that is as wide as the rows below it and holds no number.

    Raises:
        UserError: no row is one.
    """
    filled = [sum(bool(cell) for cell in row) for row in rows]
    width = max(filled, default=0)
    for place, row in enumerate(rows[:MAX_PLACE]):
        cells = [cell for cell in row if cell]
        wide = len(cells) >= max(2, 0.6 * width)
        if wide and len(set(cells)) == len(cells) and sum(_is_value(cell) for cell in cells) <= _months(cells):
            if not any(filled[place + 1 :]):
                raise UserError(f"{path}: the file has a header and no rows")
            return place
    raise UserError(
        f"{path}: none of the first {MAX_PLACE} rows is a header, names of two columns or more, each once: "
        "put one above the rows"
    )


def _is_value(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell))


def _months(cells: Sequence[str]) -> int:
    """Headers that are values: of a table with a column per month."""
    months = sum(
        bool(re.fullmatch(r"(19|20)\d\d[-/.](0?[1-9]|1[0-2])|(0?[1-9]|1[0-2])[-/.](19|20)\d\d", cell)) for cell in cells
    )
    return months if months >= 6 else 0


def unique_names(cells: Sequence[str]) -> tuple[str, ...]:
    """Names of the columns; one without a name is called after its place."""
    names: list[str] = []
    for number, cell in enumerate(cells, 1):
        name = re.sub(r"\s+", " ", cell).strip("\ufeff ") or f"column {number}"
        names.append(name if name.casefold() not in {each.casefold() for each in names} else f"{name} ({number})")
    return tuple(names)

"""An export as a table of texts in DuckDB, whatever kind of file it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from sales.contract_sql import literal, quoted

TABLE = "export"
# The place of a row in the file, as an editor or a spreadsheet counts.
ROW = "_row"


@dataclass(frozen=True)
class Export:
    """What was read: the table `export` of `connection` with a VARCHAR per column, and `_row`.

    Attributes:
        path: the file.
        connection: where the table is.
        columns: their names, in the file's order.
        exact: columns whose numbers and dates the file itself types, so that no format has to be found out.
        notes: what a reader did that a person should know, one sentence each.
        settings: how the file was read, for the mapping.
    """

    path: Path
    connection: duckdb.DuckDBPyConnection
    columns: tuple[str, ...]
    exact: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)

    def count(self, condition: str = "true") -> int:
        """Rows that meet a condition."""
        ((count,),) = self.rows(f"select count(*) from {TABLE} where {condition}")
        return int(count)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Every row of a query."""
        return [tuple(row) for row in self.connection.execute(query).fetchall()]

    def values(self, column: str, most: int = 3) -> list[str]:
        """Some different values of a column, the first ones of the file."""
        name = quoted(column)
        query = f"select {name} from {TABLE} where {name} is not null group by 1 order by min({ROW}) limit {most}"
        return [str(value) for (value,) in self.rows(query)]


def fill(connection: duckdb.DuckDBPyConnection, columns: Sequence[str], source: str, first_row: int) -> None:
    """Make the table of a query that gives the columns in the file's order; empty texts become null."""
    values = ", ".join(
        f"nullif(trim({quoted(name)}::varchar, {literal(BLANKS)}), '') as {quoted(name)}" for name in columns
    )
    connection.execute(
        f"create or replace table {TABLE} as "
        f"select row_number() over () + {first_row - 1} as {ROW}, {values} from {source}"
    )


BLANKS = " \t\r\n\u00a0\u202f\ufeff"

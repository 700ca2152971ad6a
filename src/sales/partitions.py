"""Cut the spec's query into calendar months: one grouped query says which there are and what is in each."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from snowflake.connector.constants import FIELD_ID_TO_NAME

from demand.contract import Contract, match_columns
from demand.errors import StepError
from sales.snowflake import execute, query_errors
from sales.specs import ImportSpec

UNDATED = "undated"
_TIMESTAMPS = {"TIMESTAMP", "TIMESTAMP_LTZ", "TIMESTAMP_TZ", "TIMESTAMP_NTZ", "DATE"}


@dataclass(frozen=True)
class Field:
    """One column to import: contract's name, the query's own name, Snowflake's type, and the Parquet type."""

    name: str
    source: str
    kind: str
    arrow: pa.DataType


@dataclass(frozen=True)
class Partition:
    """One month ('2024-03', or 'undated' for rows without a SaleDate), its SQL, rows, and what identifies them."""

    month: str
    sql: str
    rows: int
    fingerprint: str


def quoted(name: str) -> str:
    """A Snowflake identifier."""
    return '"' + name.replace('"', '""') + '"'


def read_fields(session: Any, spec: ImportSpec, contract: Contract) -> list[Field]:
    """The contract's columns that the query gives, in the contract's order.

    Raises:
        StepError: the warehouse refuses the query, a required column is missing, or SaleDate is not a point in time.
    """
    with query_errors(spec.place):
        described = session.cursor().describe(f"select * from (\n{spec.query}\n) limit 0")
    kinds = {column.name: (FIELD_ID_TO_NAME[column.type_code], column.scale) for column in described}
    mapping = match_columns(contract, list(kinds), spec.place)
    fields = []
    for name, source in mapping.items():
        if source is not None:
            kind, scale = kinds[source]
            fields.append(Field(name, source, kind, _arrow_type(kind, scale)))
    date = next(field for field in fields if field.name == "SaleDate")
    if date.kind not in _TIMESTAMPS:
        fix = f"convert it in the query: try_to_timestamp({date.source}) as SaleDate"
        raise StepError(f"{spec.place}: SaleDate is of type {date.kind}, months need a timestamp or date; {fix}")
    return fields


def _arrow_type(kind: str, scale: int | None) -> pa.DataType:
    """One Parquet type a column for all months; the connector's own types depend on the values of a batch."""
    if kind == "FIXED":
        return pa.float64() if scale else pa.int64()
    if kind in _TIMESTAMPS:
        return pa.timestamp("us")
    return {"REAL": pa.float64(), "BOOLEAN": pa.bool_()}.get(kind, pa.string())


def _fingerprint_sql(fields: Sequence[Field]) -> list[str]:
    """Per column what changes when its values do: how many there are, and their sum or their ends."""
    parts = []
    for field in fields:
        source = quoted(field.source)
        parts.append(f"count({source})")
        if field.kind in {"FIXED", "REAL"}:
            parts.append(f"round(sum({source}), 2)")
        elif field.kind == "BOOLEAN":
            parts.append(f"sum(iff({source}, 1, 0))")
        elif field.kind == "TEXT":
            parts.append(f"sum(length({source}))")
            parts += [f"min({source})", f"max({source})"]
        else:
            parts += [f"min({source})::varchar", f"max({source})::varchar"]
    return parts


def read_partitions(session: Any, spec: ImportSpec, fields: Sequence[Field]) -> list[Partition]:
    """The months of the spec's query in order, undated rows last; empty when it has no row.

    Raises:
        StepError: the warehouse refuses the query.
    """
    date = quoted(next(field.source for field in fields if field.name == "SaleDate"))
    sums = ", ".join(f"{part} as f{index}" for index, part in enumerate(_fingerprint_sql(fields)))
    # Whole numbers, since a month given back as a timestamp would turn NULL into 1970 in the local warehouse.
    sql = (
        f"select year({date}) * 100 + month({date}) as yearmonth, count(*) as n, {sums}\n"
        f"from (\n{spec.query}\n) group by yearmonth order by yearmonth nulls last"
    )
    with query_errors(spec.place):
        rows = execute(session, sql, spec.place).fetchall()
    return [_partition(row, spec, fields, date) for row in rows]


def _partition(row: Sequence[Any], spec: ImportSpec, fields: Sequence[Field], date: str) -> Partition:
    columns = ", ".join(quoted(field.source) for field in fields)
    if row[0] is None:
        month, where = UNDATED, f"{date} is null"
    else:
        year, number = divmod(int(row[0]), 100)
        month = f"{year:04d}-{number:02d}"
        following = f"{year + number // 12:04d}-{number % 12 + 1:02d}"
        where = f"{date} >= '{month}-01'::timestamp_ntz and {date} < '{following}-01'::timestamp_ntz"
    sql = f"select {columns} from (\n{spec.query}\n) where {where}"
    digest = hashlib.sha256(repr(tuple(row)).encode()).hexdigest()[:32]
    return Partition(month, sql, int(row[1]), digest)

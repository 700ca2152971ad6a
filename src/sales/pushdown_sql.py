"""The statements of a push-down: contract check, duplicates and fingerprints as Snowflake's SQL.

No statement names a file's row, since a table has none: a bad row is told by its reason and its own values.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from demand.contract import Column, Contract
from sales.contract_sql import SnowflakeTypes, bad_sql, literal, order_sql, quoted, reason_sql, rule_sql, typed_sql
from sales.partitions import Field
from sales.pushed import QUARANTINE

BAD, CHECKED = "bad_sales", "checked_sales"
_ZONED = {"TIMESTAMP_TZ", "TIMESTAMP_LTZ"}
_MOMENTS = {"TIMESTAMP", "TIMESTAMP_NTZ", "DATE", *_ZONED}


def plain(name: str) -> str:
    """A column's name as ml/data/monthly_sales.sql writes it, without quotes wherever that is one word."""
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else quoted(name)


def typed(column: Column, field: Field) -> tuple[str, str]:
    """(SQL of the field as the contract's type, or as text where it must still be read; that type's name)."""
    source, kind = quoted(field.source), field.kind
    if kind == "TEXT":
        return source, "VARCHAR"
    if column.type == "timestamp" and kind in _MOMENTS:
        moment = f"convert_timezone('UTC', {source})" if kind in _ZONED else source
        return f"{moment}::timestamp_ntz", "TIMESTAMP"
    if column.type == "number" and kind in {"FIXED", "REAL"}:
        return f"{source}::double", "DOUBLE"
    if column.type == "boolean" and kind in {"BOOLEAN", "FIXED"}:
        return f"{source}::boolean", "BOOLEAN"
    if column.unique and kind == "FIXED":
        return source, "BIGINT"  # whole numbers stay numbers: text would sort 10 before 9
    return f"{source}::varchar", "VARCHAR"


@dataclass(frozen=True)
class Statements:
    """SQL over the rows of `query`; `repeated` are the unique columns of which a value occurs more than once."""

    query: str
    contract: Contract
    fields: Sequence[Field]
    repeated: tuple[str, ...] = ()

    @cached_property
    def _typed(self) -> Mapping[str, tuple[str, str]]:
        """The query's own column name -> (SQL, type)."""
        columns = {column.name: column for column in self.contract.columns}
        return {field.source: typed(columns[field.name], field) for field in self.fields}

    @cached_property
    def _mapping(self) -> dict[str, str | None]:
        sources = {field.name: field.source for field in self.fields}
        return {column.name: sources.get(column.name) for column in self.contract.columns}

    @cached_property
    def _types(self) -> SnowflakeTypes:
        return SnowflakeTypes({source: kind for source, (_, kind) in self._typed.items()})

    @cached_property
    def rows(self) -> str:
        """Every row, in the contract's types where the warehouse knows them."""
        columns = ", ".join(f"{sql} as {quoted(source)}" for source, (sql, _) in self._typed.items())
        return f"(select {columns} from (\n{self.query}\n) as given)"

    @cached_property
    def _is_bad(self) -> str:
        return f"coalesce({bad_sql(self.contract, self._mapping, self._types)}, false)"

    def _is_repeated(self, name: str) -> str:
        return f"{quoted(self._source(name))} in (select Twice from {self.table_of(name)})"

    def _source(self, name: str) -> str:
        return str(self._mapping[name])

    def table_of(self, name: str) -> str:
        """The temporary table of a unique column's repeated values."""
        return f"repeated_{self.contract.unique_columns().index(name)}"

    def uniques(self) -> list[str]:
        """The contract's unique columns that the query gives."""
        return [name for name in self.contract.unique_columns() if self._mapping[name]]

    def repeats(self, name: str) -> str:
        """Makes the table of values that occur more than once."""
        source = quoted(self._source(name))
        return (
            f"create or replace temporary table {self.table_of(name)} as select {source} as Twice "
            f"from {self.rows} as sale where {source} is not null group by {source} having count(*) > 1"
        )

    @cached_property
    def _ranked(self) -> str:
        """Good rows that share a unique value with another, each with its place among them."""
        order = order_sql(self.contract, self._mapping, self._types)
        places = ", ".join(
            f"row_number() over (partition by {quoted(self._source(name))} order by {order}) as nth_{number}"
            for number, name in enumerate(self.repeated)
        )
        shared = " or ".join(self._is_repeated(name) for name in self.repeated)
        return f"(select *, {places} from {self.rows} as sale where not {self._is_bad} and ({shared}))"

    def _later(self, number: int) -> str:
        """Whether a row of `_ranked` comes after another one with its value."""
        return f"(nth_{number} > 1 and {quoted(self._source(self.repeated[number]))} is not null)"

    @cached_property
    def good(self) -> str:
        """The rows that met the contract, as the aggregation takes them."""
        columns = typed_sql(self.contract, self._mapping, self._types, plain, bounded=True)
        alone = " and ".join(
            f"({quoted(self._source(name))} is null or not {self._is_repeated(name)})" for name in self.repeated
        )
        select = f"select {columns} from {self.rows} as sale where not {self._is_bad}"
        if not self.repeated:
            return f"({select})"
        first = " and ".join(f"not {self._later(number)}" for number in range(len(self.repeated)))
        return f"({select} and {alone} union all select {columns} from {self._ranked} as sale where {first})"

    def bad(self) -> str:
        """Makes the table of bad rows: when, the rule, the reason, and the row as it came."""
        columns = ", ".join(quoted(source) for source in self._typed)
        rule, reason = (make(self.contract, self._mapping, self._types) for make in (rule_sql, reason_sql))
        parts = [f"select {rule} as Rule, {reason} as Reason, {columns} from {self.rows} as sale where {self._is_bad}"]
        for number, name in enumerate(self.repeated):
            earlier = "".join(f" and not {self._later(before)}" for before in range(number))
            text = (
                f"{literal(f'{name}: ')} || cast({quoted(self._source(name))} as varchar) || ' occurs more than once'"
            )
            parts.append(
                f"select {literal(f'{name} occurs more than once')}, {text}, {columns} "
                f"from {self._ranked} as sale where {self._later(number)}{earlier}"
            )
        parts_together = "\nunion all ".join(parts)
        return (
            f"create or replace temporary table {BAD} as "
            f"select current_timestamp() as CheckedAt, * from (\n{parts_together}\n) as bad"
        )

    def count(self) -> str:
        """How many rows there are."""
        return f"select count(*) from {self.rows} as sale"

    def fingerprints(self, relation: str | None = None) -> str:
        """Per month (as 202403) of the good rows, or of a table of them: how many, and a sum of all values' hashes."""
        names = ", ".join(plain(column.name) for column in self.contract.columns)
        return (
            "select year(SaleDate) * 100 + month(SaleDate) as YearMonth, count(*) as N, "
            f"sum(hash({names})) as Fingerprint from {relation or self.good} as sale "
            "group by YearMonth order by YearMonth"
        )

    def checked(self, spans: Sequence[tuple[str, str]]) -> str:
        """Makes the table that the aggregation reads: the good rows from each first day to before the next."""
        within = " or ".join(
            f"(SaleDate >= cast('{first}' as date) and SaleDate < cast('{until}' as date))" for first, until in spans
        )
        return f"create or replace temporary table {CHECKED} as select * from {self.good} as sale where {within}"


def by_rule() -> str:
    """Per rule: how many rows break it, and one of the reasons; the commonest first."""
    return f"select Rule, count(*) as N, min(Reason) as Reason from {BAD} group by Rule order by N desc, Rule"


def quarantine() -> str:
    """Puts the bad rows where people look at them, in the place of those of the import before."""
    return f"create or replace table {QUARANTINE} as select * from {BAD}"

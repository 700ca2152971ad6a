"""The sales contract as SQL that finds the rows which break it, for DuckDB and for Snowflake.

What the two write otherwise is told by the types: those of a warehouse are a `SnowflakeTypes`.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta

from demand.contract import SQL_TYPES, Column, Contract

# Monthly sums are exact decimals with 12 digits before the point (ml/data/monthly_sales.sql).
NUMBER_LIMIT = "1e12"
INTEGER_TYPES = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT"}
_ARTICLE = {"string": "a text", "timestamp": "a timestamp", "number": "a number", "boolean": "true or false"}


class SnowflakeTypes(dict[str, str]):
    """Column name -> type, in DuckDB's words, of columns in Snowflake.

    There are no infinite moments there and no ISFINITE, and NaN is above every number.
    """


def quoted(name: str) -> str:
    """An identifier of either database."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string literal of either database."""
    return "'" + text.replace("'", "''") + "'"


def _raw(actual: str, types: Mapping[str, str] | None) -> str:
    """The column's value; empty text, which CSV files hold for a missing value, counts as NULL."""
    if types is None:
        return f"nullif(cast({quoted(actual)} as varchar), '')"
    return f"nullif({quoted(actual)}, '')" if types.get(actual) == "VARCHAR" else quoted(actual)


def _value(column: Column, actual: str, types: Mapping[str, str] | None) -> str:
    """The value in the contract's type; a cast that changes nothing is left out, since it costs on each row."""
    target = SQL_TYPES[column.type]
    present = None if types is None else types.get(actual)
    if present == target and target != "VARCHAR":
        return quoted(actual)
    if column.unique and present in INTEGER_TYPES:
        return quoted(actual)  # whole numbers stay numbers: text would cost memory and sort 10 before 9
    return _raw(actual, types) if present == target else f"try_cast({_raw(actual, types)} as {target})"


def _rules(column: Column, actual: str, types: Mapping[str, str] | None) -> list[tuple[str, str, str]]:
    """(condition that a bad value meets, the rule's name, SQL of the reason) in the order in which they apply."""
    raw, value, name = _raw(actual, types), _value(column, actual, types), column.name
    shown = f"cast({quoted(actual)} as varchar)"
    rules = []
    if column.required:
        rules.append((f"{raw} is null", f"{name} missing", literal(f"{name}: missing")))
    if value != raw and column.type != "string":
        fault = f"not {_ARTICLE[column.type]}"
        reason = literal(f'{name}: {fault}: "') + f" || {shown} || '\"'"
        rules.append((f"{raw} is not null and {value} is null", f"{name} {fault}", reason))
    is_duckdb = not isinstance(types, SnowflakeTypes)
    if column.type == "timestamp" and is_duckdb:
        rules.append(
            (f"not isfinite({value})", f"{name} not finite", literal(f"{name}: not finite: ") + f" || {shown}")
        )
    if column.latest is not None:
        reason = literal(f"{name}: ") + f" || {shown} || " + literal(f" is in the future, after {column.latest}")
        condition = f"{value} >= timestamp '{column.latest + timedelta(days=1)}'"
        rules.append((condition, f"{name} in the future", reason))
    if column.type == "number":
        condition = f"not {_in_range(value, types)}"
        rules.append((condition, f"{name} out of range", literal(f"{name}: out of range: ") + f" || {shown}"))
    if column.minimum is not None:
        fault = f"below {column.minimum:g}"
        reason = literal(f"{name}: ") + f" || {shown} || " + literal(f" is {fault}")
        rules.append((f"{value} < {column.minimum:g}", f"{name} {fault}", reason))
    return rules


def _in_range(value: str, types: Mapping[str, str] | None) -> str:
    """Condition that a number which can be summed meets; NULL for none.

    DuckDB takes the comparison for granted where Parquet's statistics say so, and they leave NaN out.
    """
    condition = f"abs({value}) < {NUMBER_LIMIT}"
    return f"({condition})" if isinstance(types, SnowflakeTypes) else f"(isfinite({value}) and {condition})"


def _all_rules(
    contract: Contract, mapping: Mapping[str, str | None], types: Mapping[str, str] | None
) -> list[tuple[str, str, str]]:
    return [
        rule
        for column in contract.columns
        if (actual := mapping.get(column.name)) is not None
        for rule in _rules(column, actual, types)
    ]


def _case(pairs: list[tuple[str, str]]) -> str:
    if not pairs:
        return "cast(null as varchar)"
    return f"case {' '.join(f'when {condition} then {result}' for condition, result in pairs)} end"


def reason_sql(contract: Contract, mapping: Mapping[str, str | None], types: Mapping[str, str] | None = None) -> str:
    """An expression: NULL for a good row, else the first broken rule, e.g. 'Price: -3.5 is below 0'.

    `types` (actual column name -> type) leaves out checks that a typed column cannot fail.
    Uniqueness is not in it: `sales.duplicates` looks across rows.
    """
    return _case([(condition, reason) for condition, _, reason in _all_rules(contract, mapping, types)])


def rule_sql(contract: Contract, mapping: Mapping[str, str | None], types: Mapping[str, str] | None = None) -> str:
    """As `reason_sql`, with the rule's name alone, e.g. 'Price below 0': what rows are counted by."""
    return _case([(condition, literal(rule)) for condition, rule, _ in _all_rules(contract, mapping, types)])


def bad_sql(contract: Contract, mapping: Mapping[str, str | None], types: Mapping[str, str] | None = None) -> str:
    """A condition that a bad row meets; may be NULL for a good one. Three times as fast as the reason."""
    conditions = [condition for condition, _, _ in _all_rules(contract, mapping, types)]
    return " or ".join(f"({condition})" for condition in conditions) or "false"


def order_sql(contract: Contract, mapping: Mapping[str, str | None], types: Mapping[str, str] | None = None) -> str:
    """The terms of an ORDER BY over all columns, points in time first."""
    columns = sorted(contract.columns, key=lambda column: column.type != "timestamp")
    return ", ".join(_value(column, actual, types) for column in columns if (actual := mapping.get(column.name)))


def typed_sql(
    contract: Contract,
    mapping: Mapping[str, str | None],
    types: Mapping[str, str] | None = None,
    name: Callable[[str], str] = quoted,
    *,
    bounded: bool = False,
) -> str:
    """A select list with the contract's names and types; a missing optional column is a typed NULL.

    A value that does not fit its type becomes NULL, so use it on rows whose reason is NULL. With `types`, a unique
    column of whole numbers keeps its type. `name` writes a column's name: Snowflake tells "StoreID" from StoreID.

    With `bounded` a number out of range is NULL: an engine may work out what follows of a row, such as its cast to a
    decimal, before the condition that leaves the row out.
    """
    parts = []
    for column in contract.columns:
        actual = mapping.get(column.name)
        value = f"cast(null as {SQL_TYPES[column.type]})" if actual is None else _value(column, actual, types)
        if bounded and column.type == "number" and actual is not None:
            value = f"case when {_in_range(value, types)} then {value} end"
        parts.append(f"{value} as {name(column.name)}")
    return ", ".join(parts)

"""The sales contract: what a raw row must be, as DuckDB SQL that finds the rows that are not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from demand.errors import UserError

SQL_TYPES = {"string": "VARCHAR", "timestamp": "TIMESTAMP", "number": "DOUBLE", "boolean": "BOOLEAN"}
# Monthly sums are exact decimals with 12 digits before the point (ml/data/monthly_sales.sql).
NUMBER_LIMIT = "1e12"
INTEGER_TYPES = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT"}
_ARTICLE = {"string": "a text", "timestamp": "a timestamp", "number": "a number", "boolean": "true or false"}
_COLUMN_KEYS = {"name", "type", "required", "unique", "minimum", "future", "description"}
FREQUENCIES = ("daily", "weekly", "monthly")


@dataclass(frozen=True)
class Column:
    """One column of the contract; `minimum` is inclusive and in the column's own unit.

    A timestamp with `future` False may not lie after the day `latest`, which is not the contract's to know.
    """

    name: str
    type: str
    required: bool = False
    unique: bool = False
    minimum: float | None = None
    future: bool = True
    description: str = ""
    latest: date | None = None


@dataclass(frozen=True)
class Contract:
    """Columns in their order, the fraction of bad rows (0 to 1) above which a run ends, and how often stores report."""

    name: str
    max_bad_fraction: float
    columns: tuple[Column, ...]
    frequency: str = "daily"

    def as_of(self, day: date) -> "Contract":
        """The contract as it holds on `day`: what comes after it is the future."""
        columns = (column if column.future else replace(column, latest=day) for column in self.columns)
        return replace(self, columns=tuple(columns))

    def unique_columns(self) -> tuple[str, ...]:
        """Names of the columns whose values may occur once only."""
        return tuple(column.name for column in self.columns if column.unique)


def load_contract(path: Path | str) -> Contract:
    """Read the contract's YAML file.

    Raises:
        UserError: no such file, no YAML, or a field that the contract does not know; names the file and the place.
    """
    path = Path(path)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such contract file") from error
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not YAML: {error}") from error
    if not isinstance(content, dict) or not content.get("columns"):
        raise UserError(f"{path}: a contract needs a list `columns`")
    fraction = content.get("max_bad_fraction", 0.0)
    if isinstance(fraction, bool) or not isinstance(fraction, int | float) or not 0 <= fraction <= 1:
        raise UserError(f"{path}: max_bad_fraction is {fraction!r}, it must be a number from 0 to 1")
    frequency = content.get("frequency", "daily")
    if frequency not in FREQUENCIES:
        raise UserError(f"{path}: frequency is {frequency!r}, it must be one of {', '.join(FREQUENCIES)}")
    columns = tuple(_column(entry, path) for entry in content["columns"])
    return Contract(str(content.get("name", path.stem)), float(fraction), columns, frequency)


def _column(entry: Any, path: Path) -> Column:
    if not isinstance(entry, dict) or not {"name", "type"} <= set(entry):
        raise UserError(f"{path}: each column needs `name` and `type`, found {entry!r}")
    unknown = sorted(set(entry) - _COLUMN_KEYS)
    if unknown:
        raise UserError(f"{path}: column {entry['name']}: unknown field {', '.join(unknown)}")
    if entry["type"] not in SQL_TYPES:
        raise UserError(f"{path}: column {entry['name']}: type {entry['type']!r} is none of {', '.join(SQL_TYPES)}")
    if "future" in entry and (entry["type"] != "timestamp" or not isinstance(entry["future"], bool)):
        raise UserError(f"{path}: column {entry['name']}: `future` is true or false, and only a timestamp has it")
    return Column(**entry)


def match_columns(contract: Contract, present: Sequence[str], source: str) -> dict[str, str | None]:
    """Contract name -> name in `present`, compared without case since Snowflake upper-cases; None where optional.

    Raises:
        UserError: a required column is missing; names it, what is present, and `source`.
    """
    by_lower = {name.lower(): name for name in present}
    mapping = {column.name: by_lower.get(column.name.lower()) for column in contract.columns}
    missing = [column.name for column in contract.columns if column.required and mapping[column.name] is None]
    if missing:
        raise UserError(
            f"{source}: required column {', '.join(missing)} is missing; present: {', '.join(present) or 'none'}; "
            "add it to the query or rename the column that holds it"
        )
    return mapping


def quoted(name: str) -> str:
    """A DuckDB identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A DuckDB string literal."""
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
    """(condition that a bad value meets, the rule's name, SQL of the reason) in the order in which they are told."""
    raw, value, name = _raw(actual, types), _value(column, actual, types), column.name
    shown = f"cast({quoted(actual)} as varchar)"
    rules = []
    if column.required:
        rules.append((f"{raw} is null", f"{name} missing", literal(f"{name}: missing")))
    if value != raw and column.type != "string":
        fault = f"not {_ARTICLE[column.type]}"
        reason = literal(f'{name}: {fault}: "') + f" || {shown} || '\"'"
        rules.append((f"{raw} is not null and {value} is null", f"{name} {fault}", reason))
    if column.type == "timestamp":
        rules.append(
            (f"not isfinite({value})", f"{name} not finite", literal(f"{name}: not finite: ") + f" || {shown}")
        )
    if column.latest is not None:
        reason = literal(f"{name}: ") + f" || {shown} || " + literal(f" is in the future, after {column.latest}")
        condition = f"{value} >= timestamp '{column.latest + timedelta(days=1)}'"
        rules.append((condition, f"{name} in the future", reason))
    if column.type == "number":  # NaN and infinity too: DuckDB orders NaN above every number
        condition = f"not (abs({value}) < {NUMBER_LIMIT})"
        rules.append((condition, f"{name} out of range", literal(f"{name}: out of range: ") + f" || {shown}"))
    if column.minimum is not None:
        fault = f"below {column.minimum:g}"
        reason = literal(f"{name}: ") + f" || {shown} || " + literal(f" is {fault}")
        rules.append((f"{value} < {column.minimum:g}", f"{name} {fault}", reason))
    return rules


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
    """A DuckDB expression: NULL for a good row, else the first broken rule, e.g. 'Price: -3.5 is below 0'.

    `types` (actual column name -> DuckDB type) leaves out checks that a typed column cannot fail.
    Uniqueness is not in it: `demand.duplicates` looks across rows.
    """
    return _case([(condition, reason) for condition, _, reason in _all_rules(contract, mapping, types)])


def rule_sql(contract: Contract, mapping: Mapping[str, str | None], types: Mapping[str, str] | None = None) -> str:
    """As `reason_sql`, with the rule's name alone, e.g. 'Price below 0': what rows are counted by."""
    return _case([(condition, literal(rule)) for condition, rule, _ in _all_rules(contract, mapping, types)])


def bad_sql(contract: Contract, mapping: Mapping[str, str | None], types: Mapping[str, str] | None = None) -> str:
    """A DuckDB condition that a bad row meets; may be NULL for a good one. Three times as fast as the reason."""
    conditions = [condition for condition, _, _ in _all_rules(contract, mapping, types)]
    return " or ".join(f"({condition})" for condition in conditions) or "false"


def typed_sql(contract: Contract, mapping: Mapping[str, str | None], types: Mapping[str, str] | None = None) -> str:
    """A DuckDB select list with the contract's names and types; a missing optional column is a typed NULL.

    A value that does not fit its type becomes NULL, so use it on rows whose reason is NULL. With `types`, a unique
    column of whole numbers keeps its type.
    """
    parts = []
    for column in contract.columns:
        actual = mapping.get(column.name)
        value = f"cast(null as {SQL_TYPES[column.type]})" if actual is None else _value(column, actual, types)
        parts.append(f"{value} as {quoted(column.name)}")
    return ", ".join(parts)

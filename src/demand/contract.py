"""The sales contract: what a raw row must be, read from its YAML file."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from demand.errors import StepError

SQL_TYPES = {"string": "VARCHAR", "timestamp": "TIMESTAMP", "number": "DOUBLE", "boolean": "BOOLEAN"}
_COLUMN_KEYS = {"name", "type", "required", "unique", "minimum", "future", "personal", "description"}
FREQUENCIES = ("daily", "weekly", "monthly")


@dataclass(frozen=True)
class Column:
    """One column of the contract; `minimum` is inclusive and in the column's own unit.

    A `personal` column is never kept of a request to the endpoint. A timestamp with `future` False may not lie after
    the day `latest`, which is not the contract's to know.
    """

    name: str
    type: str
    required: bool = False
    unique: bool = False
    minimum: float | None = None
    future: bool = True
    personal: bool = False
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
        StepError: no such file, no YAML, or a field that the contract does not know; names the file and the place.
    """
    path = Path(path)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StepError(f"{path}: no such contract file") from error
    except yaml.YAMLError as error:
        raise StepError(f"{path}: not YAML: {error}") from error
    if not isinstance(content, dict) or not content.get("columns"):
        raise StepError(f"{path}: a contract needs a list `columns`")
    fraction = content.get("max_bad_fraction", 0.0)
    if isinstance(fraction, bool) or not isinstance(fraction, int | float) or not 0 <= fraction <= 1:
        raise StepError(f"{path}: max_bad_fraction is {fraction!r}, it must be a number from 0 to 1")
    frequency = content.get("frequency", "daily")
    if frequency not in FREQUENCIES:
        raise StepError(f"{path}: frequency is {frequency!r}, it must be one of {', '.join(FREQUENCIES)}")
    columns = tuple(_column(entry, path) for entry in content["columns"])
    return Contract(str(content.get("name", path.stem)), float(fraction), columns, frequency)


def _column(entry: Any, path: Path) -> Column:
    if not isinstance(entry, dict) or not {"name", "type"} <= set(entry):
        raise StepError(f"{path}: each column needs `name` and `type`, found {entry!r}")
    unknown = sorted(set(entry) - _COLUMN_KEYS)
    if unknown:
        raise StepError(f"{path}: column {entry['name']}: unknown field {', '.join(unknown)}")
    if entry["type"] not in SQL_TYPES:
        raise StepError(f"{path}: column {entry['name']}: type {entry['type']!r} is none of {', '.join(SQL_TYPES)}")
    if "future" in entry and (entry["type"] != "timestamp" or not isinstance(entry["future"], bool)):
        raise StepError(f"{path}: column {entry['name']}: `future` is true or false, and only a timestamp has it")
    if not isinstance(entry.get("personal", False), bool):
        raise StepError(f"{path}: column {entry['name']}: `personal` is true or false")
    return Column(**entry)


def match_columns(contract: Contract, present: Sequence[str], source: str) -> dict[str, str | None]:
    """Contract name -> name in `present`, compared without case since Snowflake upper-cases; None where optional.

    Raises:
        StepError: a required column is missing; names it, what is present, and `source`.
    """
    by_lower = {name.lower(): name for name in present}
    mapping = {column.name: by_lower.get(column.name.lower()) for column in contract.columns}
    missing = [column.name for column in contract.columns if column.required and mapping[column.name] is None]
    if missing:
        raise StepError(
            f"{source}: required column {', '.join(missing)} is missing; present: {', '.join(present) or 'none'}; "
            "add it to the query or rename the column that holds it"
        )
    return mapping

"""ml/data/sales.mapping.yml: which column of an export is what, and how its values are written."""

from collections.abc import Mapping as Named
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from amlspec.errors import UserError
from host.state import write_text
from ownsales.synonyms import NAMES

HEAD = """\
# How an export of sales becomes rows of ml/data/sales.contract.yml. Proposed by `make start FILE=` and accepted by a
# person; edit it and run `make start` again. `make sales-query` writes the same as a query for Snowflake.
"""
REQUIRED = ("SaleDate", "StoreID", "Quantity")
NUMBERS = ("Quantity", "Price")
FLAGS = ("Promotion", "Holiday")
FREQUENCIES = ("daily", "weekly", "monthly")


@dataclass(frozen=True)
class Mapping:
    """How an export is read.

    Attributes:
        columns: column of the contract -> column of the export.
        constants: column of the contract -> the value that every row has.
        date_format: of SaleDate: as strptime takes it, or iso, or excel (day numbers).
        decimals: of Quantity and Price, where they are columns: the sign before the decimals.
        frequency: how often a store reports: daily, weekly or monthly.
        settings: of the file: encoding and separator, or sheet.
    """

    columns: Named[str, str]
    date_format: str = "iso"
    decimals: Named[str, str] = field(default_factory=dict)
    constants: Named[str, str] = field(default_factory=dict)
    frequency: str = "daily"
    settings: Named[str, str] = field(default_factory=dict)

    def fits(self, columns: tuple[str, ...]) -> bool:
        """Whether an export has the columns that are named here."""
        return set(self.columns.values()) <= set(columns)


def write(mapping: Mapping, path: Path) -> None:
    """Keep it as YAML, in a fixed order, so that a change is a diff of a line."""
    content: dict[str, Any] = {"columns": {name: mapping.columns[name] for name in NAMES if name in mapping.columns}}
    if mapping.constants:
        content["constants"] = dict(mapping.constants)
    content |= {"date_format": mapping.date_format, "frequency": mapping.frequency}
    if mapping.decimals:
        content["decimals"] = dict(mapping.decimals)
    if mapping.settings:
        content["settings"] = dict(mapping.settings)
    write_text(path, HEAD + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120))


def read(path: Path) -> Mapping:
    """Read it.

    Raises:
        UserError: no such file, no YAML, an unknown field or column, a required column that is not named.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such mapping; make start FILE= writes one") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or not isinstance(content.get("columns"), dict):
        raise UserError(f"{path}: a mapping needs `columns`, a name of the contract: a name of the export")
    unknown = sorted(set(content) - set(Mapping.__dataclass_fields__))
    if unknown:
        raise UserError(
            f"{path}: {', '.join(unknown)}: not a field of a mapping: {', '.join(Mapping.__dataclass_fields__)}"
        )
    mapping = Mapping(**content)
    _check(mapping, path)
    return mapping


def _check(mapping: Mapping, path: Path) -> None:
    strange = sorted({*mapping.columns, *mapping.constants} - set(NAMES))
    if strange:
        raise UserError(f"{path}: {strange[0]} is not a column of the contract: {', '.join(NAMES)}")
    missing = [name for name in REQUIRED if name not in {*mapping.columns, *mapping.constants}]
    missing += ["SaleDate"] if "SaleDate" not in mapping.columns and not missing else []
    if missing:
        raise UserError(f"{path}: columns lacks {missing[0]}")
    if mapping.frequency not in FREQUENCIES:
        raise UserError(f"{path}: frequency is {mapping.frequency!r}: give {', '.join(FREQUENCIES)}")

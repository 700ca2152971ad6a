"""Output in the CLI's shapes: json, table, tsv, yaml, none, after an optional JMESPath query."""

import json
from collections.abc import Callable
from typing import Any

import yaml

from amlspec.errors import UserError

FORMATS = ("json", "jsonc", "table", "tsv", "yaml", "yamlc", "none")


def text(data: Any, form: str, query: str | None = None) -> str:
    """What stands on stdout for `data`: lines with their ends, or nothing."""
    if data is None and not query:
        return ""
    shown = _FORMATTERS[form](_queried(data, query) if query else data)
    return shown if not shown or shown.endswith("\n") else f"{shown}\n"


def _queried(data: Any, query: str) -> Any:
    import jmespath  # noqa: PLC0415 - only where asked for

    try:
        return jmespath.search(query, data)
    except jmespath.exceptions.JMESPathError as error:
        raise UserError(f"--query {query!r}: not valid JMESPath: {str(error).splitlines()[0]}") from None


def _json(data: Any) -> str:
    return "" if data is None else json.dumps(data, indent=2, default=str)


def _yaml(data: Any) -> str:
    return str(yaml.safe_dump(json.loads(json.dumps(data, default=str)), sort_keys=False))


def _scalar(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    return json.dumps(value, default=str) if isinstance(value, dict | list) else str(value)


def _tsv(data: Any) -> str:
    rows = data if isinstance(data, list) else [data]
    return "\n".join("\t".join(_scalar(cell) for cell in _cells(row)) for row in rows if row is not None)


def _cells(row: Any) -> list[Any]:
    if isinstance(row, dict):
        return [value for _, value in sorted(row.items())]
    return row if isinstance(row, list) else [row]


def _table(data: Any) -> str:
    rows = data if isinstance(data, list) else [data]
    rows = [row if isinstance(row, dict) else {"Result": row} for row in rows if row is not None]
    columns = [key for key in (rows[0] if rows else {}) if any(_is_shown(row.get(key)) for row in rows)]
    if not columns:
        return ""
    cells = [[_title(column) for column in columns]]
    cells += [[_scalar(row.get(column)) if _is_shown(row.get(column)) else "" for column in columns] for row in rows]
    widths = [max(len(line[index]) for line in cells) for index in range(len(columns))]
    # The CLI draws its tables with tabulate, which gives every heading two more places.
    widths = [max(width, len(heading) + 2) for width, heading in zip(widths, cells[0], strict=True)]
    cells.insert(1, ["-" * width for width in widths])
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(line.rstrip() for line in lines)


def _is_shown(value: Any) -> bool:
    """The CLI's tables leave nested values out."""
    return value is not None and not isinstance(value, dict | list)


def _title(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


_FORMATTERS: dict[str, Callable[[Any], str]] = {
    "json": _json,
    "jsonc": _json,
    "table": _table,
    "tsv": _tsv,
    "yaml": _yaml,
    "yamlc": _yaml,
    "none": lambda _: "",
}

"""The DataImport spec: which query the import runs, and on which line of the file it stands."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from demand.connection_spec import read_yaml
from demand.errors import UserError
from demand.job_paths import shown_input


@dataclass(frozen=True)
class ImportSpec:
    """The query without a final semicolon, and its place as file:line."""

    query: str
    place: str


def load_import_spec(path: Path) -> ImportSpec:
    """Read a DataImport spec with a database source.

    Raises:
        UserError: no such file, no YAML, or no `source.query`.
    """
    content = read_yaml(path, "import spec")
    source = content.get("source")
    query = source.get("query") if isinstance(source, dict) else None
    if not isinstance(query, str) or not query.strip():
        raise UserError(f"{shown_input(path)}: the import spec needs source.query, the SQL whose rows are imported")
    return ImportSpec(query.strip().rstrip(";").strip(), f"{shown_input(path)}:{_query_line(path)}")


def _query_line(path: Path) -> int:
    """Line (from 1) of the key source.query."""
    node = yaml.compose(path.read_text(encoding="utf-8"))
    for name in ("source", "query"):
        found = [(key, value) for key, value in node.value if key.value == name]  # type: ignore[union-attr]
        key, node = found[0]
    return int(key.start_mark.line) + 1

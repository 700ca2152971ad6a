"""The specs that an import reads: the Snowflake connection with its JDBC target, and the DataImport with its query."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from demand.errors import StepError
from demand.job_paths import shown_input

_PREFIX = "jdbc:snowflake://"
_SUFFIX = ".snowflakecomputing.com"


@dataclass(frozen=True)
class Connection:
    """Who signs in, and where; `host` is the account's public name and holds no credential."""

    account: str
    host: str
    user: str
    database: str
    schema: str
    warehouse: str
    role: str


def read_yaml(path: Path, what: str) -> dict[str, Any]:
    """The mapping in `path`; `what` names the kind of file in errors.

    Raises:
        StepError: no such file, or no YAML mapping.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StepError(f"{shown_input(path)}: cannot read the {what}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise StepError(f"{shown_input(path)}: the {what} is not YAML: {error}") from error
    if not isinstance(content, dict):
        raise StepError(f"{shown_input(path)}: the {what} must be a mapping of fields")
    return content


def load_connection(path: Path) -> Connection:
    """Read a workspace connection of type snowflake.

    Raises:
        StepError: the file, its target or one of the target's parts is missing; names the part.
    """
    content = read_yaml(path, "connection spec")
    target = str(content.get("target", ""))
    host = urlsplit("//" + target.removeprefix(_PREFIX)).hostname
    if not target.startswith(_PREFIX) or not host:
        raise StepError(
            f"{shown_input(path)}: target must be {_PREFIX}<account>{_SUFFIX}/?db=...&schema=..., it is {target!r}"
        )
    asked = {name: values[-1] for name, values in parse_qs(urlsplit(target.removeprefix("jdbc:")).query).items()}
    credentials = content.get("credentials")
    if not asked.get("user") and isinstance(credentials, dict) and credentials.get("username"):
        asked["user"] = str(credentials["username"])
    missing = [name for name in ("user", "db", "schema", "warehouse", "role") if not asked.get(name)]
    if missing:
        raise StepError(f"{shown_input(path)}: the target lacks {', '.join(missing)}; add &{missing[0]}=... to it")
    return Connection(
        account=host.removesuffix(_SUFFIX),
        host=host,
        user=asked["user"],
        database=asked["db"],
        schema=asked["schema"],
        warehouse=asked["warehouse"],
        role=asked["role"],
    )


@dataclass(frozen=True)
class ImportSpec:
    """The query without a final semicolon, and its place as file:line."""

    query: str
    place: str


def load_import_spec(path: Path) -> ImportSpec:
    """Read a DataImport spec with a database source.

    Raises:
        StepError: no such file, no YAML, or no `source.query`.
    """
    content = read_yaml(path, "import spec")
    source = content.get("source")
    query = source.get("query") if isinstance(source, dict) else None
    if not isinstance(query, str) or not query.strip():
        raise StepError(f"{shown_input(path)}: the import spec needs source.query, the SQL whose rows are imported")
    return ImportSpec(query.strip().rstrip(";").strip(), f"{shown_input(path)}:{_query_line(path)}")


def _query_line(path: Path) -> int:
    """Line (from 1) of the key source.query."""
    node = yaml.compose(path.read_text(encoding="utf-8"))
    for name in ("source", "query"):
        matches = [(key, value) for key, value in node.value if key.value == name]  # type: ignore[union-attr]
        key, node = matches[0]
    return int(key.start_mark.line) + 1

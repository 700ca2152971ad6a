"""Reads MLflow's SQLite store without importing mlflow, so that looking at a model costs milliseconds, not seconds.

The tables are those of the mlflow version that the lock pins; a test compares each answer with MLflow's own client.
"""

import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from amlspec.errors import UserError
from host.state import home

CHAMPION = "champion"
_TAGS = "select key, value from model_version_tags where name = ? and version = ?"
_ALIAS = "select 1 from registered_model_aliases where name = ? and alias = ? and version = ?"


def database() -> Path:
    """MLflow's database."""
    return home() / "mlflow.db"


def has_experiment(name: str) -> bool:
    """Whether the store exists and has the experiment."""
    return bool(_rows("select 1 from experiments where name = ? and lifecycle_stage = 'active'", name))


def run_ids(tag: str, value: str) -> list[str]:
    """Ids of the runs with a tag."""
    return [str(row[0]) for row in _rows("select run_uuid from tags where key = ? and value = ?", tag, value)]


def has_versions_of(run: str) -> bool:
    """Whether a run has registered a model."""
    return bool(_rows("select 1 from model_versions where run_id = ?", run))


def versions(name: str | None = None) -> list[dict[str, Any]]:
    """Model versions as the CLI shows them, the newest first; of every model its newest without `name`."""
    query = (
        "select name, version, description, creation_time, coalesce(storage_location, source), run_id "
        "from model_versions where coalesce(current_stage, '') <> 'Deleted_Internal'"
    )
    if name:
        return [_record(row) for row in _rows(f"{query} and name = ? order by version desc", name)]
    newest: dict[str, tuple[Any, ...]] = {}
    for row in _rows(f"{query} order by name, version desc"):
        newest.setdefault(str(row[0]), row)
    return [_record(row) for row in newest.values()]


def get(name: str, version: str | None = None) -> dict[str, Any]:
    """One version, the newest without `version`. Raises UserError where there is none."""
    for record in versions(name):
        if version is None or record["version"] == version:
            return record
    label = f"{name}:{version}" if version else name
    raise UserError(f"model {label} is not registered here: `localml model list` shows what is")


def renumber(name: str, version: str, wanted: str) -> None:
    """Give a version another number; its tags follow by MLflow's own keys (onupdate="cascade")."""
    query = "update model_versions set version = ? where name = ? and version = ?"
    try:
        with closing(sqlite3.connect(database(), timeout=30)) as store, store:
            store.execute("pragma foreign_keys = on")
            store.execute(query, (int(wanted), name, int(version)))
    except sqlite3.Error as error:
        raise UserError(f"the MLflow store {database()} cannot be written: {error}", exit_code=1) from None


def _record(row: tuple[Any, ...]) -> dict[str, Any]:
    name, version, description, created, source, run = row
    tags = {str(key): value for key, value in _rows(_TAGS, name, version)}
    # Azure ML has no aliases: there the champion is the version with the newest tag of that name. Here the alias
    # counts, so that moving it on MLflow's page moves the champion.
    crowned = tags.pop(CHAMPION, "by hand")
    if _rows(_ALIAS, name, CHAMPION, version):
        tags[CHAMPION] = crowned
    return {
        "name": name,
        "version": str(version),
        "id": f"azureml:{name}:{version}",
        "type": "mlflow_model",
        "path": _local(str(source)),
        "description": description,
        "tags": tags,
        "properties": {"run_id": run},
        "creation_context": {"created_at": dt.datetime.fromtimestamp(created / 1000, dt.UTC).isoformat()},
    }


def _local(source: str) -> str:
    return unquote(urlparse(source).path) if source.startswith("file:") else source


def _rows(query: str, *values: Any) -> list[tuple[Any, ...]]:
    path = database()
    if not path.exists():
        return []
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(query, values).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):  # the store is being made by another process
            return []
        raise UserError(f"the MLflow store {path} cannot be read: {error}", exit_code=1) from None

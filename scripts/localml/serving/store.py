"""Files of endpoints, under endpoints/<name>/: what shall be (written by the verbs) and keys. The router reads them."""

import os
import re
import secrets
import shutil
from pathlib import Path
from typing import Any

from filelock import FileLock

from amlspec.errors import UserError
from host.state import home, read_json, write_json

# Everything listens here only. It stands here because the verbs need it, and the router's imports take 0.2 s.
HOST = "127.0.0.1"
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]{1,30}[a-zA-Z0-9]")


def _checked(kind: str, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise UserError(f"{name!r} is not a name of an {kind}: 3-32 letters, digits and dashes, a letter first")
    return name


def folder(endpoint: str) -> Path:
    """Folder of an endpoint."""
    return home() / "endpoints" / _checked("online endpoint", endpoint)


def lock(endpoint: str) -> FileLock:
    """Held while the files of an endpoint change, never while a server starts."""
    path = folder(endpoint).with_name(f".{endpoint}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path)


def load(endpoint: str) -> dict[str, Any]:
    """An endpoint's record. Raises UserError where there is none."""
    record: dict[str, Any] | None = read_json(folder(endpoint) / "endpoint.json")
    if record is None:
        raise UserError(f"online endpoint {endpoint} does not exist here: `localml online-endpoint list` shows all")
    return record


def save(record: dict[str, Any]) -> None:
    """Write an endpoint's record."""
    write_json(folder(record["name"]) / "endpoint.json", record)


def names() -> list[str]:
    """Every endpoint."""
    return sorted(path.parent.name for path in (home() / "endpoints").glob("*/endpoint.json"))


def remove(endpoint: str) -> None:
    """Remove an endpoint with everything below it."""
    shutil.rmtree(folder(endpoint), ignore_errors=True)


def deployment_folder(endpoint: str, name: str) -> Path:
    """Folder of a deployment."""
    return folder(endpoint) / "deployments" / _checked("online deployment", name)


def load_deployment(endpoint: str, name: str) -> dict[str, Any]:
    """{"record", "generation", "serve"} of a deployment. Raises UserError where there is none."""
    load(endpoint)
    entry: dict[str, Any] | None = read_json(deployment_folder(endpoint, name) / "deployment.json")
    if entry is None:
        raise UserError(f"online deployment {name} of {endpoint} does not exist here")
    return entry


def save_deployment(endpoint: str, entry: dict[str, Any]) -> None:
    """Write a deployment's entry."""
    write_json(deployment_folder(endpoint, entry["record"]["name"]) / "deployment.json", entry)


def deployments(endpoint: str) -> dict[str, dict[str, Any]]:
    """Entries of every deployment of an endpoint."""
    return entries_below(folder(endpoint))


def entries_below(endpoint_folder: Path) -> dict[str, dict[str, Any]]:
    """The same, by folder: the router knows no more."""
    entries = ((path.parent.name, read_json(path)) for path in endpoint_folder.glob("deployments/*/deployment.json"))
    return {name: entry for name, entry in sorted(entries) if entry is not None}


def keys(endpoint_folder: Path) -> dict[str, str]:
    """primaryKey and secondaryKey of callers, and `control`, which only the verbs use; made the first time."""
    path = endpoint_folder / "keys.json"
    if not path.exists():
        made = {name: secrets.token_urlsafe(32) for name in ("primaryKey", "secondaryKey", "control")}
        write_secret(path, made)
    kept: dict[str, str] = read_json(path)
    return kept


def write_secret(path: Path, data: dict[str, str]) -> None:
    """Write JSON that only its owner reads."""
    write_json(path, data)  # mkstemp makes it 0600, and the rename keeps that
    os.chmod(path, 0o600)  # noqa: PTH101 - said once more, since all depends on it

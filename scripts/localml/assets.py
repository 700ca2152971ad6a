"""Versioned assets of the local workspace: immutable, registered in one step, found by name and version or @latest."""

import datetime as dt
import os
import re
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from amlspec.errors import UserError
from amlspec.references import Reference
from amlspec.versions import order
from host import hashing
from host.state import home, read_json, write_json

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}")


@dataclass(frozen=True)
class Asset:
    """One version: its record as the CLI shows it, its content hash, and where its content lies."""

    record: dict[str, Any]
    sha256: str
    content: Path | None

    @property
    def version(self) -> str:
        """The version as text."""
        return str(self.record["version"])


def register(
    kind: str,
    record: dict[str, Any],
    sha256: str,
    content: Path | None = None,
    link: Path | None = None,
    same: Callable[[Path, str], bool] | None = None,
) -> Asset:
    """Register `record` (needs `name`; without `version` the next number is taken).

    `content` is copied into the store; `link` names content that the store already keeps. The same content under the
    same version changes nothing; other content is a UserError. Where the hashes differ, `same` is asked whether what is
    kept makes `sha256` nevertheless.
    """
    name, version = str(record["name"]), record.get("version")
    _check_name(kind, name)
    folder = home() / "assets" / kind / name
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        version = str(version) if version is not None else _next_version(folder)
        _check_name(kind, version)
        known = read_json(folder / version / "asset.json")
        if known is not None:
            kept = get(kind, name, version).content
            if same is not None and kept is not None and known["sha256"] != sha256 and same(kept, sha256):
                sha256 = known["sha256"]
            return _unchanged(kind, record | {"version": version}, known, sha256, content)
        staged = folder / f".new-{uuid.uuid4().hex}"
        try:
            stored = _store(staged, folder / version, content, link)
            write_json(staged / "asset.json", _entry(kind, record, version, sha256, stored))
            staged.rename(folder / version)
        except BaseException:
            shutil.rmtree(staged, ignore_errors=True)
            raise
    return get(kind, name, version)


def get(kind: str, name: str, version: str | None = None) -> Asset:
    """One version, the latest created without `version`. Raises UserError where there is none."""
    folder = home() / "assets" / kind / name
    if version is None:
        entries = sorted(_entries(folder), key=lambda entry: str(entry["record"]["creation_context"]["created_at"]))
        entry = entries[-1] if entries else None
    else:
        entry = read_json(folder / version / "asset.json")
    if entry is None:
        label = f"{name}:{version}" if version else name
        raise UserError(f"{kind} {label} is not registered here: `localml {kind} list` shows what is")
    stored = entry["content"]
    base = folder / str(entry["record"]["version"])
    return Asset(entry["record"], entry["sha256"], None if stored is None else base / stored)


def find(kind: str, reference: str) -> Asset:
    """The asset of `azureml:name:version` or `azureml:name@latest`."""
    parsed = Reference.parse(reference)
    if parsed is None or not parsed.is_resolvable:
        raise UserError(f"{reference}: not a {kind}: write azureml:<name>:<version> or azureml:<name>@latest")
    return get(kind, parsed.name, parsed.version)


def versions(kind: str, name: str | None = None) -> list[dict[str, Any]]:
    """Records of every version of `name`, or of the latest version of every name."""
    root = home() / "assets" / kind
    if name is not None:
        records = [entry["record"] for entry in _entries(root / name)]
        return sorted(records, key=lambda record: order(str(record["version"])), reverse=True)
    names = sorted(path.name for path in root.glob("*") if any(_entries(path)))
    return [get(kind, each).record for each in names]


def _check_name(kind: str, text: str) -> None:
    if not _NAME.fullmatch(text):
        raise UserError(f"{text!r} is not a name or version of a {kind}: letters, digits, '-', '_' and '.' only")


def _entries(folder: Path) -> list[dict[str, Any]]:
    return [read_json(path) for path in folder.glob("[!.]*/asset.json")]


def _next_version(folder: Path) -> str:
    numbers = [int(path.parent.name) for path in folder.glob("[!.]*/asset.json") if path.parent.name.isdigit()]
    return str(max(numbers, default=0) + 1)


def _unchanged(kind: str, record: dict[str, Any], known: dict[str, Any], sha256: str, content: Path | None) -> Asset:
    name, version = str(record["name"]), str(record["version"])
    if known["sha256"] != sha256:
        raise UserError(
            f"{kind} {name}:{version} is registered with other content, and versions do not change: "
            f"raise `version` in its spec"
        )
    if content is not None and known["content"] is None:  # an engine before this one kept the hash alone
        folder = home() / "assets" / kind / name / version
        shutil.copytree(content, folder / "content" / content.name, dirs_exist_ok=True)
        write_json(folder / "asset.json", known | {"content": f"content/{content.name}"})
    return get(kind, name, version)


def _store(staged: Path, final: Path, content: Path | None, link: Path | None) -> str | None:
    """Where the content lies, relative to the version's folder, so that the whole state can be moved."""
    staged.mkdir()
    if link is not None:
        return os.path.relpath(link, final)
    if content is None:
        return None
    target = staged / "content" / content.name
    target.parent.mkdir()
    if content.is_dir():
        shutil.copytree(content, target)
    else:
        shutil.copy2(content, target)
    return f"content/{content.name}"


def _entry(kind: str, record: dict[str, Any], version: str, sha256: str, stored: str | None) -> dict[str, Any]:
    now = dt.datetime.now(dt.UTC).isoformat()
    shown = {**record, "version": version, "id": f"azureml:{record['name']}:{version}"}
    shown["creation_context"] = {"created_at": now}
    return {"kind": kind, "record": shown, "sha256": sha256, "content": stored}


def content_hash(content: Path, record: dict[str, Any]) -> str:
    """What makes a version's content: its type and its bytes, not its description."""
    return hashing.of_data({"type": record.get("type"), "content": hashing.of_path(content)})

"""Content hashes: what a step is reused by, and what makes an asset's version immutable."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from host.state import home, read_json, write_json

# A stat is enough to know a large file again; small ones are read, which is as fast.
_CACHED_FROM_BYTES = 1 << 20


def of_data(data: Any) -> str:
    """Hash of JSON-like data, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()


def of_path(path: Path) -> str:
    """Hash of a file's bytes, or of a folder's relative names and bytes."""
    if path.is_file():
        return of_file(path)
    return of_files(path, sorted(child for child in path.rglob("*") if child.is_file()))


def of_files(root: Path, files: Iterable[Path]) -> str:
    """Hash of some files of a folder, by relative name and bytes."""
    return of_data([(child.relative_to(root).as_posix(), of_file(child)) for child in files])


def of_members(members: Mapping[str, Path]) -> str:
    """Hash of files by the names that they have in a snapshot, and by their bytes."""
    return of_data([(name, of_file(path)) for name, path in members.items()])


def of_file(path: Path) -> str:
    """SHA-256 of a file; of a large one read once for each size, time and inode."""
    stat = path.stat()
    if stat.st_size < _CACHED_FROM_BYTES:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    known = home() / "cache" / "hashes" / f"{hashlib.sha256(str(path.resolve()).encode()).hexdigest()}.json"
    mark = [stat.st_size, stat.st_mtime_ns, stat.st_ino]
    entry = read_json(known)
    if entry and entry["mark"] == mark:
        return str(entry["sha256"])
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    write_json(known, {"mark": mark, "sha256": digest, "path": str(path)})
    return digest

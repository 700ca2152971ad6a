"""Blobs as files. What a client uploads becomes a file in one step; until then nobody sees a part of it.

A container is a folder: a datastore's is the engine's own, so that `azureml://datastores/workspaceblobstore/paths/x`
names the same bytes for both; each code has one of its own, as the service's pending uploads do. What runs wrote is
seen below the names that the service gives it (`runs`), and cannot be written.
"""

import base64
import binascii
import hashlib
import re
import shutil
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import BinaryIO

from host.state import home, read_json, write_json
from workspace import runs
from workspace.messages import ServiceError
from workspace.site import Site

_CODE = re.compile(r"code-[0-9a-f-]{36}")
_NAME_CHARACTERS = 1024


@dataclass(frozen=True)
class Blob:
    """One blob: its name in its container, and the file."""

    name: str
    path: Path

    @property
    def headers(self) -> dict[str, str]:
        """What the service says of a blob."""
        stat = self.path.stat()
        return {
            "ETag": f'"0x{stat.st_mtime_ns:X}{stat.st_size:X}"',
            "Last-Modified": formatdate(stat.st_mtime, usegmt=True),
            "x-ms-blob-type": "BlockBlob",
            "x-ms-creation-time": formatdate(stat.st_ctime, usegmt=True),
            "Accept-Ranges": "bytes",
        }


@dataclass(frozen=True)
class Container:
    """A container of the storage account."""

    site: Site
    name: str

    @property
    def root(self) -> Path:
        """Folder of what clients uploaded. Raises ServiceError for a container that there is not."""
        if store := self.site.store_of(self.name):
            return home() / "datastores" / store
        if _CODE.fullmatch(self.name):
            return self.site.folder / "code" / self.name
        raise ServiceError(404, "ContainerNotFound", f"The container {self.name!r} does not exist.")

    def get(self, name: str) -> Blob:
        """A blob. Raises ServiceError where there is none."""
        path = self.place(name)
        if path.is_file():
            return Blob(name, path)
        result = runs.file(self.site.store_of(self.name), name)
        if result is None:
            raise ServiceError(404, "BlobNotFound", "The specified blob does not exist.")
        return Blob(name, result)

    def place(self, name: str) -> Path:
        """Where a blob lies. Raises ServiceError for a name that would lead out of the container."""
        parts = name.split("/")
        wrong = any(part in ("", ".", "..") or part.startswith("\0") for part in parts) or "\\" in name
        if wrong or "\0" in name or len(name) > _NAME_CHARACTERS:
            raise ServiceError(400, "InvalidResourceName", f"The blob name {name!r} is not one that is kept here.")
        path = self.root.joinpath(*parts)
        # A link that a job left below its output leads where it wants; a blob does not.
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise ServiceError(400, "InvalidResourceName", f"The blob name {name!r} leads out of its container.")
        return path

    def walk(self, prefix: str) -> Iterator[Blob]:
        """Blobs whose names begin with `prefix`, sorted by name, each once."""
        if ".." in prefix.split("/"):
            return
        named = {name: Blob(name, path) for name, path in runs.walk(self.site.store_of(self.name), prefix)}
        named |= {blob.name: blob for blob in self._uploaded(prefix)}
        yield from (named[name] for name in sorted(named))

    def _uploaded(self, prefix: str) -> Iterator[Blob]:
        folder = self.root / prefix.rpartition("/")[0]
        for path in folder.rglob("*") if folder.is_dir() else ():
            name = path.relative_to(self.root).as_posix()
            if path.is_file() and not path.is_symlink() and name.startswith(prefix):
                yield Blob(name, path)

    def put(self, name: str, content: Path) -> Blob:
        """Make `content` the blob; the file is moved."""
        self._writable(name)
        path = self.place(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            content.replace(path)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            reason = f"The blob {name!r} would lie below another blob, or others lie below it."
            raise ServiceError(409, "BlobTypeMismatch", reason) from None
        self.set_metadata(name, {})
        return Blob(name, path)

    def delete(self, name: str) -> None:
        """Remove a blob."""
        self._writable(name)
        self.get(name).path.unlink()
        self._note(name).unlink(missing_ok=True)

    def put_block(self, name: str, block: str, content: Path) -> None:
        """Keep a block of a blob that is not complete; the file is moved."""
        self._writable(name)
        folder = self._blocks(name)
        folder.mkdir(parents=True, exist_ok=True)
        content.replace(folder / _block_name(block))

    def commit(self, name: str, blocks: Sequence[str]) -> Blob:
        """Make a blob of its blocks, in this order."""
        joined = scratch(self.site)
        try:
            with joined.open("wb") as target:
                for block in blocks:
                    self._append(name, block, target)
            made = self.put(name, joined)
        finally:
            joined.unlink(missing_ok=True)
        shutil.rmtree(self._blocks(name), ignore_errors=True)
        return made

    def _append(self, name: str, block: str, target: BinaryIO) -> None:
        try:
            with (self._blocks(name) / _block_name(block)).open("rb") as source:
                shutil.copyfileobj(source, target)
        except FileNotFoundError:
            raise ServiceError(400, "InvalidBlockList", "The specified block list is invalid.") from None

    def metadata(self, name: str) -> dict[str, str]:
        """What a client noted with a blob."""
        result: dict[str, str] = read_json(self._note(name)) or {}
        return result

    def set_metadata(self, name: str, metadata: dict[str, str]) -> None:
        """Note something with a blob, in the place of what was noted."""
        note = self._note(name)
        if metadata:
            write_json(note, metadata)
        else:
            note.unlink(missing_ok=True)

    def _writable(self, name: str) -> None:
        if runs.owns(self.site.store_of(self.name), name):
            raise ServiceError(403, "AuthorizationPermissionMismatch", f"{name!r} belongs to a run.")

    def _note(self, name: str) -> Path:
        return self.site.folder / "blob-metadata" / f"{self._key(name)}.json"

    def _blocks(self, name: str) -> Path:
        return self.site.folder / "blocks" / self._key(name)

    def _key(self, name: str) -> str:
        return hashlib.sha256(f"{self.name}/{name}".encode()).hexdigest()


def scratch(site: Site) -> Path:
    """A name for a body that is being received; on the disk of the blobs, so that it can be moved."""
    folder = site.folder / "incoming"
    folder.mkdir(exist_ok=True)
    return folder / uuid.uuid4().hex


def _block_name(block: str) -> str:
    """Ids of blocks are base64 and may hold a slash."""
    try:
        return base64.b64decode(block, validate=True).hex()
    except binascii.Error:
        raise ServiceError(400, "InvalidQueryParameterValue", f"blockid {block!r} is not base64.") from None

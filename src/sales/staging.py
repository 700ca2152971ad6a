"""Finished months of an import that did not end, in a folder that may be a mounted blob container.

Such a mount promises neither rename nor locks nor writing at an offset, and two jobs may use it at once. So each file
is made elsewhere and copied in one go under a name that no other run uses, and a month counts as finished only when
the file beside it, which is written last, holds the hash of its content.
"""

import errno
import hashlib
import logging
import os
import re
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from demand.errors import StepError
from sales.partitions import Partition

log = logging.getLogger("sales.ingest")
MLTABLE = """\
type: mltable
paths:
  - pattern: ./*.parquet
transformations:
  - read_parquet:
      include_path_column: false
"""
_DONE = ".done"
_OURS = re.compile(r"[0-9a-f]{16}\.(\d{4}-\d{2}|undated)\.[0-9a-f]{32}\.[0-9a-f]{32}\.parquet(\.done)?")


class Staging:
    """The months in `folder` that an import with the same `key` (16 hex digits) has finished."""

    def __init__(self, folder: Path, key: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._key = key

    def take(self, part: Partition, target: Path) -> bool:
        """Copy a finished month to the local file `target`; False where there is none, or only damaged ones."""
        for done in sorted(self._folder.glob(f"{self._key}.{part.month}.{part.fingerprint}.*{_DONE}")):
            try:
                shutil.copyfile(done.with_name(done.name.removesuffix(_DONE)), target)
                if _hash(target) == done.read_text(encoding="ascii").strip():
                    return True
            except (FileNotFoundError, UnicodeDecodeError):  # another run has ended and cleared it, or it is damaged
                log.debug("%s is of no use", done)
            target.unlink(missing_ok=True)
        return False

    def keep(self, part: Partition, file: Path) -> None:
        """Copy the finished month in the local `file` here."""
        name = f"{self._key}.{part.month}.{part.fingerprint}.{uuid.uuid4().hex}.parquet"
        shutil.copyfile(file, self._folder / name)
        (self._folder / f"{name}{_DONE}").write_text(_hash(file), encoding="ascii")

    def prune(self, parts: Sequence[Partition]) -> None:
        """Remove this key's months that are none of `parts`, marks first."""
        current = {(part.month, part.fingerprint) for part in parts}
        for path in sorted(self._folder.glob(f"{self._key}.*"), key=lambda path: not path.name.endswith(_DONE)):
            _, month, fingerprint, *_ = path.name.split(".")
            if (month, fingerprint) not in current:
                path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove every month of every run, marks first; a run that still goes on then fetches what it lacks."""
        ours = [path for path in self._folder.iterdir() if _OURS.fullmatch(path.name)]
        for path in sorted(ours, key=lambda path: not path.name.endswith(_DONE)):
            path.unlink(missing_ok=True)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def disk_errors(staging: Path) -> Iterator[None]:
    """Turn a disk that is full or may not be written into a StepError."""
    try:
        yield
    except OSError as error:
        code = errno.ENOSPC if "No space left" in str(error) else error.errno
        if code not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES}:
            raise
        place = error.filename or staging
        hint = "free space and run it again, finished months are kept"
        raise StepError(f"cannot write {place}: {os.strerror(code or 0)}; {hint}") from error


def publish(files: Sequence[Path], sales: Path) -> None:
    """Put the files and MLTable into `sales` and nothing else; after an error nothing of them is left there.

    The folder is never removed or replaced, since it may be a mount, and it may hold what an earlier try left.
    """
    sales.mkdir(parents=True, exist_ok=True)
    mark = sales / "MLTable"
    try:
        mark.unlink(missing_ok=True)
        for old in [*sales.glob("*.parquet"), *sales.glob("*.json")]:
            old.unlink()
        for path in files:
            shutil.copyfile(path, sales / path.name)
        mark.write_text(MLTABLE, encoding="utf-8")  # last: without it the folder is not a table
    except BaseException:
        for path in (mark, *(sales / path.name for path in files)):
            path.unlink(missing_ok=True)
        raise

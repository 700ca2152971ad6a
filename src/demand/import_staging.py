"""Finished months of an import that did not end, in a folder that may be a mounted blob container.

Such a mount promises neither rename nor locks nor writing at an offset, and two jobs may use it at once. So each file
is made elsewhere and copied in one go under a name that no other run uses, and a month counts as finished only when
the file beside it, which is written last, holds the hash of its content.
"""

import hashlib
import logging
import re
import shutil
import uuid
from pathlib import Path

from demand.import_plan import Partition

log = logging.getLogger("demand.import")
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

    def clear(self) -> None:
        """Remove every month of every run, marks first; a run that still goes on then fetches what it lacks."""
        ours = [path for path in self._folder.iterdir() if _OURS.fullmatch(path.name)]
        for path in sorted(ours, key=lambda path: not path.name.endswith(_DONE)):
            path.unlink(missing_ok=True)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

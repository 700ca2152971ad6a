"""What nothing needs any more: older jobs, and the outputs that only they refer to."""

import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from amlspec.errors import UserError
from host.state import home
from localml import records, recovery

# Of each kind (train, import, forecast, ...) the newest jobs stay, with what they took from earlier ones.
KEPT_OF_KIND = 5


class Cleaned(NamedTuple):
    """What was removed."""

    jobs: int
    outputs: int
    bytes: int


def clean() -> Cleaned:
    """Remove old jobs and unreferenced outputs; registered assets, models and the newest jobs stay.

    A later run makes again what it cannot take from an earlier one. Raises UserError while a job runs.
    """
    recovery.recover()
    known = records.load_all()
    running = [record["name"] for record in known if record["status"] not in records.FINAL]
    if running:
        raise UserError(f"job {running[0]} runs: wait until it has ended, or `make stop` and cancel it")
    kept = _kept(known)
    texts = [json.dumps(record) for record in known if record["name"] in kept]
    texts += [path.read_text(encoding="utf-8") for path in (home() / "assets").rglob("*.json")]
    jobs = [records.folder(record["name"]) for record in known if record["name"] not in kept]
    outputs = [folder for folder in _folders(home() / "outputs") if not any(folder.name in text for text in texts)]
    size = sum(map(_size, [*jobs, *outputs]))
    # Outputs first: a job without a record would leave outputs that nobody could find any more.
    for folder in [*outputs, *jobs]:
        shutil.rmtree(folder)
    return Cleaned(len(jobs), len(outputs), size)


def _kept(known: list[dict[str, Any]]) -> set[str]:
    """Names of the newest jobs of each kind, and of those that they refer to, such as one whose step they reuse."""
    names = {record["name"]: json.dumps(record) for record in known}
    kept: set[str] = set()
    for kind in {_kind(name) for name in names}:
        kept |= set([name for name in names if _kind(name) == kind][:KEPT_OF_KIND])
    notes = [path.read_text(encoding="utf-8") for path in (home() / "runs").glob("*.json")]
    kept |= {name for name in names if any(f'"{name}"' in note for note in notes)}
    waiting = list(kept)
    while waiting:
        text = names[waiting.pop()]
        more = {name for name in names if name not in kept and name in text}
        kept |= more
        waiting += more
    return kept


def _kind(name: str) -> str:
    return re.split(r"[-_]", name)[0]


def _folders(place: Path) -> Iterable[Path]:
    return sorted(path for path in place.iterdir() if path.is_dir()) if place.is_dir() else []


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())

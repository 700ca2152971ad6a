"""The last batch forecast: its job, and where its files are on this machine."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from host.state import home, read_json, write_json


def remember(job: str, folder: Path | None) -> None:
    """Note a forecast that ended well; `folder` is None where its files are not here."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    write_json(_note(), {"job": job, "at": at, "folder": str(folder) if folder else None})


def note() -> dict[str, Any] | None:
    """job, at and folder of the last one; None where there was none."""
    kept: dict[str, Any] | None = read_json(_note())
    return kept


def folder() -> Path | None:
    """Where its files are; None where they are not here."""
    kept = (note() or {}).get("folder")
    return Path(kept) if kept and Path(kept).is_dir() else None


def _note() -> Path:
    return home() / "runs" / f"{os.environ.get('ENV', 'local')}.forecast.json"

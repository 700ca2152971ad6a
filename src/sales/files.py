"""Which Parquet files an input stands for: an MLTable folder, a plain folder, or one file."""

from pathlib import Path
from typing import Any

import yaml

from demand.errors import StepError

MLTABLE = "MLTable"


def find_parquet(source: Path | str) -> list[Path]:
    """Parquet files of `source` in a fixed order.

    Raises:
        StepError: nothing there, an MLTable file that cannot be followed, or no Parquet file at all.
    """
    source = Path(source)
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise StepError(
            f"{source}: no such file or folder; give a Parquet file, a folder of them, or an MLTable folder"
        )
    table = source / MLTABLE
    files = _listed(table) if table.is_file() else sorted(source.rglob("*.parquet"))
    if not files:
        raise StepError(f"{source}: holds no Parquet file; run the import again, or give another folder")
    return files


def _listed(table: Path) -> list[Path]:
    try:
        content = yaml.safe_load(table.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise StepError(f"{table}: not YAML: {error}") from error
    paths = content.get("paths") if isinstance(content, dict) else None
    if not isinstance(paths, list):
        raise StepError(f"{table}: has no list `paths`")
    files: set[Path] = set()
    for entry in paths:
        files.update(_entry_files(table, entry))
    return sorted(files)


def _entry_files(table: Path, entry: Any) -> list[Path]:
    """Files of one `paths` entry; a file that is listed but absent is an error, never skipped."""
    kind, value = next(iter(entry.items())) if isinstance(entry, dict) and len(entry) == 1 else (None, None)
    if kind not in {"file", "folder", "pattern"} or not isinstance(value, str):
        raise StepError(f"{table}: paths entry {entry!r} is not one of file, folder, pattern")
    value = value.removeprefix("file://")
    if kind == "pattern":
        return list(table.parent.glob(value.removeprefix("./")))
    path = table.parent / value
    if not path.exists():
        raise StepError(f"{table}: lists {value}, which is not there; run the import again")
    return [path] if kind == "file" else sorted(path.rglob("*.parquet"))

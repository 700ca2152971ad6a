"""Where state is kept on this machine, and how it is written there: all or nothing."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from amlspec.errors import UserError


def home() -> Path:
    """`LOCALML_HOME`, `.localml` in the current folder without it; made where it is missing."""
    path = Path(os.environ.get("LOCALML_HOME") or ".localml").resolve()
    try:
        path.mkdir(parents=True, exist_ok=True)
        ignore = path / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
    except OSError as error:
        raise UserError(f"LOCALML_HOME {path}: {error.strerror}: name a folder that can be written") from None
    return path


def write_json(path: Path, data: Any) -> None:
    """Write `path` in one step: a reader sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(data, indent=1, default=str))


def write_text(path: Path, text: str) -> None:
    """The same of any text, in a folder that exists; only its owner reads the file."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_json(path: Path) -> Any:
    """The JSON of a file, or None where there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None

"""What a step warns of: logged where it happens, and kept beside its output, so that the end of the run can say it.

Each entry is {"step": "aggregate", "message": "..."}. The steps hand them on (rows.json, verdict.json, warnings.json),
because a log stays with its step, and a step that is reused writes none.
"""

import json
import logging
from collections.abc import Iterable
from pathlib import Path

log = logging.getLogger(__name__)
FILE = "warnings.json"
Entry = dict[str, str]


class StepWarnings:
    """Warnings of one step, after those of the steps before it."""

    def __init__(self, step: str, before: Iterable[Entry] = ()) -> None:
        self.step = step
        self.entries: list[Entry] = list(before)

    def add(self, message: str) -> None:
        """Log a warning, and keep it."""
        log.warning("%s", message)
        self.entries.append({"step": self.step, "message": message})

    def write(self, folder: Path) -> None:
        """Write warnings.json."""
        text = json.dumps(self.entries, indent=2, ensure_ascii=False)
        (folder / FILE).write_text(text + "\n", encoding="utf-8")


def of_rows(folder: Path) -> list[Entry]:
    """Warnings in the rows.json of a step's output; none where it has no such file."""
    path = folder / "rows.json"
    counts = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return list(counts.get("warnings", []))

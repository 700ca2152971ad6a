"""Thresholds of the gate, as ml/gate.yml has them; the step evaluate reads them, and `make check` asks `problems`."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from demand.errors import StepError


@dataclass(frozen=True)
class Gate:
    """Thresholds, as ml/gate.yml has them.

    Attributes:
        alpha: a difference counts where its p is below this.
        min_months: fewer judged months are too few to tell.
        max_segment_rise: a segment's WAPE may be this fraction above the champion's.
        min_segment_rows: smaller segments are not looked at.
        refresh_months: a champion older than this may be replaced by its own recipe, fitted on newer months; 0 never.
    """

    alpha: float = 0.10
    min_months: int = 6
    max_segment_rise: float = 0.10
    min_segment_rows: int = 30
    refresh_months: int = 3

    @classmethod
    def read(cls, path: Path) -> "Gate":
        """From YAML.

        Raises:
            StepError: no such file, or a threshold that is unknown or out of range.
        """
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except (OSError, yaml.YAMLError) as error:
            raise StepError(f"{path}: cannot be read: {' '.join(str(error).split())}") from error
        for _, message in problems(content):
            raise StepError(f"{path}: {message}")
        return cls(**content)


def problems(content: Any) -> Iterator[tuple[str | None, str]]:
    """(threshold that is wrong, or None for the whole file; what is wrong with it) of the parsed YAML."""
    known = {each.name: each.type for each in fields(Gate)}
    if not isinstance(content, dict):
        yield None, f"a gate has the thresholds {', '.join(known)} and no other"
        return
    for name, value in content.items():
        if name not in known:
            yield str(name), f"a gate has the thresholds {', '.join(known)} and no other, so not {name}"
            continue
        whole = known[name] is int
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or not value >= 0:
            yield name, f"{name} is {value!r}, it must be a {'whole number' if whole else 'number'} from 0 on"
        elif name == "alpha" and not 0 < value < 1:
            yield name, f"alpha is {value!r}, it must lie between 0 and 1"

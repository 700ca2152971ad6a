"""Thresholds in a YAML file of their own: those of the gate (ml/gate.yml), and how any such file is read and checked.

The steps read them, and `make check` asks `problems`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Self

import yaml

from demand.errors import StepError


class Thresholds:
    """Fields of a dataclass, each a number from 0 on; an int takes whole numbers alone."""

    # In messages.
    WHAT: ClassVar[str]

    @classmethod
    def read(cls, path: Path) -> Self:
        """From YAML.

        Raises:
            StepError: no such file, or a threshold that is unknown or out of range.
        """
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except (OSError, yaml.YAMLError) as error:
            raise StepError(f"{path}: cannot be read: {' '.join(str(error).split())}") from error
        for _, message in cls.problems(content):
            raise StepError(f"{path}: {message}")
        return cls(**content)

    @classmethod
    def problems(cls, content: Any) -> Iterator[tuple[str | None, str]]:
        """(threshold that is wrong, or None for the whole file; what is wrong with it) of the parsed YAML."""
        known = {each.name: each.type for each in fields(cls)}  # type: ignore[arg-type]  # subclasses are dataclasses
        listed = f"{cls.WHAT} has the thresholds {', '.join(known)} and no other"
        if not isinstance(content, dict):
            yield None, listed
            return
        for name, value in content.items():
            if name not in known:
                yield str(name), f"{listed}, so not {name}"
            elif problem := cls.problem_of(str(name), value, known[name] is int):
                yield str(name), problem

    @classmethod
    def problem_of(cls, name: str, value: Any, is_whole: bool) -> str | None:
        """What is wrong with one value."""
        if isinstance(value, bool) or not isinstance(value, int if is_whole else int | float) or not value >= 0:
            return f"{name} is {value!r}, it must be a {'whole number' if is_whole else 'number'} from 0 on"
        return None


@dataclass(frozen=True)
class Gate(Thresholds):
    """Thresholds of the promotion, as ml/gate.yml has them.

    Attributes:
        alpha: a difference counts where its p is below this.
        min_months: fewer judged months are too few to tell.
        max_segment_rise: a segment's WAPE may be this fraction above the champion's.
        min_segment_rows: smaller segments are not looked at.
        refresh_months: a champion older than this may be replaced by its own recipe, fitted on newer months; 0 never.
    """

    WHAT = "a gate"
    alpha: float = 0.10
    min_months: int = 6
    max_segment_rise: float = 0.10
    min_segment_rows: int = 30
    refresh_months: int = 3

    @classmethod
    def problem_of(cls, name: str, value: Any, is_whole: bool) -> str | None:
        """As any threshold; alpha is a probability."""
        problem = super().problem_of(name, value, is_whole)
        if problem is None and name == "alpha" and not 0 < value < 1:
            return f"alpha is {value!r}, it must lie between 0 and 1"
        return problem

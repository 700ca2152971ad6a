"""What a check says: a place, the problem and the fix, in one line."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """One problem. Sorts by path, then line, then message, so that two runs print the same."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"

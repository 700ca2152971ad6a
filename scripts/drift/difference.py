"""One difference between git and what stands, as every check reports it."""

from typing import NamedTuple


class Difference(NamedTuple):
    """`what` differs, `how`, and `todo`: what makes both equal again."""

    what: str
    how: str
    todo: str

    def __str__(self) -> str:
        return f"{self.what}: {self.how}  -> {self.todo}"

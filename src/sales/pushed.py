"""Monthly rows that a warehouse has summed: how a folder tells them, and for which question they were made.

Apart from `sales.pushdown`, since the aggregate step must not load the warehouse's connector.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from demand.errors import StepError

MARK = "pushed_down.json"
# The warehouse's table of rows that broke the contract.
QUARANTINE = "SALES_QUARANTINE"


@dataclass(frozen=True)
class Aggregation:
    """The SQL that sums, what a row of it stands for, and the contract's text: what the result depends on."""

    sql: str
    grain: str
    contract: str

    @property
    def key(self) -> str:
        """16 hex digits; equal rows give equal months under one key."""
        return digest(f"pushdown 1\n{self.grain}\n{self.sql}")[:16]

    def mark(self) -> dict[str, str]:
        """As JSON, without the texts."""
        return {"grain": self.grain, "sql": digest(self.sql), "contract": digest(self.contract)}


def is_pushed_down(sales: Path) -> bool:
    """Whether the folder holds monthly rows of a push-down."""
    return (sales / MARK).is_file()


def check_mark(sales: Path, wanted: Aggregation) -> None:
    """Raises StepError where the months in `sales` were made with another grain, SQL or contract than is wanted."""
    mark, now = json.loads((sales / MARK).read_text(encoding="utf-8")), wanted.mark()
    names = {"grain": "grain", "sql": "the aggregation's SQL", "contract": "the sales contract"}
    other = [text for name, text in names.items() if mark.get(name) != now[name]]
    if other:
        raise StepError(
            f"the warehouse has summed these sales by {mark.get('grain')}, and {' and '.join(other)} of this run is "
            f"another: import them again, make import-data PUSHDOWN=1 GRAIN={wanted.grain}"
        )


def digest(text: str) -> str:
    """SHA-256, hex."""
    return hashlib.sha256(text.encode()).hexdigest()

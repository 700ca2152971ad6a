"""Whether a model is any good on the sales of today: its error beside the plainest forecast, last year's same month.

A model goes on forecasting whatever becomes of the sales it learned from: other stores, another currency, another
warehouse. So each batch forecast looks back first, and says so where last year's figures would do better.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FILE = "health.json"
NAIVE = "seasonal_naive"


def sentence(name: str, version: str, found: Mapping[str, Any]) -> str | None:
    """What to say of a model that is worse than last year's same month; None of one that is not."""
    if not found.get("is_worse"):
        return None
    wape, naive = float(found["wape"]), float(found[NAIVE])
    times = f"{wape / naive:.1f} times as far off" if naive else "far off, where that is exact"
    return (
        f"{name} version {version} is worse on these sales than the same month of last year: "
        f"WAPE {wape:.1%} against {naive:.1%}, {times}"
    )


def write(found: Mapping[str, Any], folder: Path) -> None:
    """Keep it beside the forecasts, where the publish step looks."""
    (folder / FILE).write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def read(folder: Path) -> dict[str, Any]:
    """What `write` wrote; {} where a forecast was made before there was such a file."""
    path = folder / FILE
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}

"""Whether a model is fit for the sales of today: its error beside the plainest forecast, last year's same month.

A model goes on forecasting whatever becomes of the sales it learned from: other stores, another currency, another
warehouse. So each batch forecast looks back first, and says so where last year's figures would do better.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FILE = "health.json"
NAIVE = "seasonal_naive"


def sentence(name: str, version: str, comparison: Mapping[str, Any]) -> str | None:
    """What to say of a model that is worse than last year's same month; None of one that is not."""
    if not comparison.get("is_worse"):
        return None
    wape, naive = float(comparison["wape"]), float(comparison[NAIVE])
    times = f"{wape / naive:.1f} times as far off" if naive else "far off, where that is exact"
    return (
        f"{name} version {version} is worse on these sales than the same month of last year: "
        f"WAPE {wape:.1%} against {naive:.1%}, {times}"
    )


def write(comparison: Mapping[str, Any], folder: Path) -> None:
    """Keep it beside the forecasts, where the publish step looks."""
    (folder / FILE).write_text(json.dumps(comparison, indent=2) + "\n", encoding="utf-8")


def read(folder: Path) -> dict[str, Any]:
    """What `write` wrote; {} where a forecast was made before there was such a file."""
    path = folder / FILE
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}

"""How long the steps of a pipeline took the last time that they ran, for the view of the next job."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from host.state import home, read_json, write_json
from localml.view import WHOLE


def seconds(job: str) -> dict[str, float]:
    """Step -> seconds, and WHOLE -> those of a job in which every step ran; {} before the first one."""
    known: dict[str, float] = read_json(_note(job)) or {}
    return known


def remember(job: str, steps: Mapping[str, Mapping[str, Any]], whole: float) -> None:
    """Note what a job that completed took; of a step that was reused the note of before stays."""
    ran = {name: float(step["seconds"]) for name, step in steps.items() if not step["reused_from"] and step["seconds"]}
    every = {WHOLE: round(whole, 1)} if len(ran) == len(steps) else {}
    write_json(_note(job), {**seconds(job), **ran, **every})


def _note(job: str) -> Path:
    """One file for each pipeline, which a job's name begins with, and environment."""
    return home() / "runs" / os.environ.get("ENV", "local") / "usual" / f"{job.split('-', maxsplit=1)[0]}.json"

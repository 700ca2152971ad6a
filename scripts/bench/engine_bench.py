"""What the local engine costs beside its steps, and how long a fully reused run takes."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

RUNS = 3
REPO = Path(__file__).parents[2]


def engine_overhead_fraction() -> dict[str, Any]:
    """Wall time of the training job, start-up included, less the time in which a step ran, over the steps' seconds."""
    with _state() as home:
        _make(home, "environments", "import-data")
        runs = [_overhead(home, run) for run in range(RUNS)]
    value = statistics.median(fraction for fraction, _, _ in runs)
    detail = {
        "runs": RUNS,
        "engine_seconds": [own for _, own, _ in runs],
        "steps_seconds": [sum_ for *_, sum_ in runs],
    }
    goal = "< 0.1, or < 1 s of engine"
    return {
        "value": round(value, 4),
        "unit": "fraction",
        "goal": goal,
        "peer": "the sum of its steps",
        "detail": detail,
    }


def reused_run_seconds() -> dict[str, Any]:
    """`make run-pipeline` again, unchanged: the whole command, from make to the printed table."""
    with _state() as home:
        _make(home, "run-pipeline")
        seconds = [_timed(lambda: _make(home, "run-pipeline")) for _ in range(RUNS)]
    detail = {"runs": RUNS, "seconds": [round(each, 3) for each in seconds]}
    return {
        "value": round(statistics.median(seconds), 3),
        "unit": "s",
        "goal": "< 2",
        "peer": "the first run of the same",
        "detail": detail,
    }


class _state(tempfile.TemporaryDirectory[str]):  # noqa: N801 - used as a function
    """State of its own, whose warehouse is ended before it goes."""

    def __exit__(self, *error: Any) -> None:
        _make(self.name, "stop")
        super().__exit__(*error)


def _overhead(home: str, run: int) -> tuple[float, float, float]:
    """(fraction, seconds of the engine, seconds of the steps) of a run that reuses nothing."""
    # A seed of its own for every run, from the first step that reads it; the others follow by their inputs.
    settings = [f"inputs.holdout_months={6 + run}", "inputs.git_commit=bench"]
    command = [sys.executable, "-m", "localml", "job", "create", "--file", "ml/pipelines/train.yml", "--stream"]
    started = time.monotonic()
    done = subprocess.run(
        [*command, "--set", *settings], cwd=REPO, env=_environment(home), capture_output=True, text=True, check=True
    )
    wall = time.monotonic() - started
    steps = [step for step in json.loads(done.stdout)["jobs"].values() if not step.get("reused_from")]
    own = wall - _union(steps)
    total = sum(step["seconds"] for step in steps)
    return own / total, round(own, 3), round(total, 3)


def _union(steps: list[dict[str, Any]]) -> float:
    """Seconds in which at least one step ran."""
    import datetime as dt  # noqa: PLC0415

    spans = sorted((dt.datetime.fromisoformat(step["started"]).timestamp(), step["seconds"]) for step in steps)
    covered, end = 0.0, 0.0
    for start, seconds in spans:
        covered += max(0.0, start + seconds - max(start, end))
        end = max(end, start + seconds)
    return covered


def _timed(work: Any) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def _make(home: str, *targets: str) -> None:
    seeded = [] if Path(home, "warehouse/seeded.json").exists() or "stop" in targets else ["seed-sales"]
    subprocess.run(
        ["/usr/bin/env", "make", *seeded, *targets], cwd=REPO, env=_environment(home), capture_output=True, check=True
    )


def _environment(home: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "AZ_ML", "ENV")}
    return {**kept, "LOCALML_HOME": home, "PYTHONDONTWRITEBYTECODE": ""}

"""How long the spec check of this repo takes, start-up and azure-ai-ml's import included."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
GOAL_SECONDS = 15.0


def spec_check_seconds() -> dict[str, Any]:
    """Seconds of one `python -m speccheck` over ml/; the faster of two runs, as a busy machine only adds."""
    runs = [_seconds(["-m", "speccheck"]) for _ in range(2)]
    bare = _seconds(["-c", "import azure.ai.ml"])
    return {
        "value": round(min(runs), 2),
        "unit": "s",
        "goal": f"< {GOAL_SECONDS:g}",
        "peer": f"importing azure-ai-ml alone: {bare:.2f} s",
        "detail": {"runs_s": [round(run, 2) for run in runs], "specs": len(list((ROOT / "ml").rglob("*.yml")))},
    }


def _seconds(arguments: list[str]) -> float:
    start = time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{arguments} ended with {done.returncode}: {done.stderr.decode()[-300:]}")
    return seconds

"""A checkout with state of its own, driven through make as a person drives it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Checkout:
    """This checkout, or the one in `root`, with state of its own."""

    def __init__(self, home: Path, root: Path = ROOT) -> None:
        self.home, self.root = home, root
        dropped = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "AZ_ML", "ENV")
        self.variables = {key: value for key, value in os.environ.items() if key not in dropped}
        self.variables["LOCALML_HOME"] = str(home)

    def make(self, *arguments: str, code: int = 0) -> str:
        """stdout and stderr of make, whose own exit code is 2 where a recipe failed."""
        command = ["make", *arguments]
        done = subprocess.run(command, cwd=self.root, env=self.variables, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def demand(self, *arguments: str, code: int = 0) -> str:
        """stdout and stderr of the program that make calls, which has exit codes of its own."""
        command = ["./demand", *arguments]
        done = subprocess.run(command, cwd=self.root, env=self.variables, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def start(self, *arguments: str, strict: str = "1") -> subprocess.Popen[str]:
        """make in a session of its own; strict="0": records with the reason of a failure, which the service's lack."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        env = {**self.variables, "LOCALML_STRICT": strict}
        return subprocess.Popen(["make", *arguments], cwd=self.root, env=env, start_new_session=True, **pipes)

    def verdict(self) -> dict:
        return json.loads(self.make("verdict"))

    def models(self) -> list:
        """Registered models, the newest version of each."""
        command = [sys.executable, "-m", "localml", "model", "list", "-o", "json"]
        done = subprocess.run(command, cwd=self.root, env=self.variables, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    def path(self, shown: str) -> Path:
        """A path as a recipe prints it."""
        return self.root / shown

    def data_versions(self) -> int:
        """How many versions of the data asset sales there are."""
        return len(list(self.home.glob("assets/data/sales/*/asset.json")))

    def running(self, step: str) -> int | None:
        """Process id of a step that runs now."""
        for path in self.home.glob("jobs/*/job.json"):
            try:
                job = json.loads(path.read_text())
            except json.JSONDecodeError:
                continue
            state = job["jobs"].get(step, {})
            if job["status"] == "Running" and state.get("status") == "Running":
                return state["process"]["pid"]
        return None


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError(f"the condition did not come true within {seconds} s")

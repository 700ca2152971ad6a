"""What a rollout saw: one line at a time for the reader, one JSON file for later."""

import datetime as dt
import os
import sys
from pathlib import Path
from typing import Any

from host.state import home, write_json


def say(text: str) -> None:
    """Write to stdout. A reader that has gone, as in `make deploy | head`, must not stop a rollout half way."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        nobody = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nobody, sys.stdout.fileno())
        os.close(nobody)


class Report:
    """Lines go to stdout; `write` puts everything into $LOCALML_HOME/rollouts/."""

    def __init__(self, verb: str, endpoint: str) -> None:
        self.began = dt.datetime.now(dt.UTC)
        env = os.environ.get("ENV", "local")
        self.data: dict[str, Any] = {"verb": verb, "endpoint": endpoint, "env": env, "steps": [], "problems": []}

    def step(self, name: str, text: str, **seen: Any) -> None:
        """One thing that was done or checked."""
        at = (dt.datetime.now(dt.UTC) - self.began).total_seconds()
        self.data["steps"].append({"step": name, "seconds": round(at, 2), "text": text, **seen})
        say(f"  {name}: {text}\n")

    def problem(self, step: str, problems: list[str], log: list[str]) -> None:
        """Why the rollout ends here."""
        self.data["problems"] = [{"step": step, "problem": each} for each in problems]
        self.data["log"] = log
        say("".join(f"  {step} FAILED: {each}\n" for each in problems))
        if log:
            say("  last lines of its log:\n" + "".join(f"    {line}\n" for line in log[-8:]))

    def write(self, outcome: str) -> Path:
        """Write the JSON; its path."""
        self.data |= {"outcome": outcome, "began": self.began.isoformat()}
        path = home() / "rollouts" / f"{self.began:%Y%m%dT%H%M%S.%f}-{self.data['verb']}.json"
        write_json(path, self.data)
        return path

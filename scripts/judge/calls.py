"""The engine called as a person would call it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Done:
    """Exit code, what was printed, and the line that says what is wrong (nothing where all is well)."""

    code: int
    out: str
    said: str

    @property
    def error(self) -> str:
        """The last line that begins with `error: `, or the last line."""
        lines = [line for line in self.said.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("error: ")]
        return (errors or lines or [""])[-1].removeprefix("error: ")


@dataclass(frozen=True)
class Engine:
    """localml with state of its own, in a folder; `seconds` bounds each call."""

    home: Path
    folder: Path
    seconds: int

    def call(self, *words: str) -> Done:
        """One call, to its end; code 124 where it took too long."""
        env = {**os.environ, "LOCALML_HOME": str(self.home), "LOCALML_STRICT": "0"}
        command = [sys.executable, "-m", "localml", *words]
        process = subprocess.Popen(
            command, cwd=self.folder, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            out, said = process.communicate(timeout=self.seconds)
        except subprocess.TimeoutExpired:
            process.terminate()  # the engine ends its steps
            out, said = process.communicate()
            return Done(124, out, said + f"\nerror: not done after {self.seconds} s")
        return Done(process.returncode, out, said)

    def job(self, name: str) -> dict[str, Any]:
        """A job's record, empty where there is none."""
        done = self.call("job", "show", "--name", name)
        record: dict[str, Any] = json.loads(done.out) if done.code == 0 else {}
        return record

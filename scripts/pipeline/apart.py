"""Another state of the repo, run in a workspace of its own by the engine's command line; this one stays as it is."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from amlspec.errors import UserError


@dataclass(frozen=True)
class Apart:
    """Files of a commit in `source`, their workspace in `state`."""

    source: Path
    state: Path

    def prepare(self, sales: Path) -> None:
        """Register the environments, and the sales as version 1; what is there already stays."""
        for spec in sorted((self.source / "ml/environments").glob("*.yml")):
            self._call("environment", "create", "--file", str(spec))
        with tempfile.TemporaryDirectory() as place:
            spec = Path(place) / "sales.yml"
            spec.write_text(yaml.safe_dump({"name": "sales", "version": "1", "type": "mltable", "path": str(sales)}))
            self._call("data", "create", "--file", str(spec))

    def run(self, pipeline: Path, name: str, settings: Sequence[str]) -> None:
        """Run a pipeline to its end. Raises UserError where it fails."""
        self._call("job", "create", "--file", str(pipeline), "--name", name, "--stream", "--set", *settings)

    def _call(self, *words: str) -> None:
        # Its own answers, which wait for a job: nothing here speaks for the service.
        environment = {**os.environ, "LOCALML_HOME": str(self.state), "LOCALML_STRICT": "0"}
        command = [sys.executable, "-m", "localml", *words, "--output", "none"]
        done = subprocess.run(command, cwd=self.source, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr.strip() or "no reason given").splitlines()[-1]
            raise UserError(f"{self.source.name}: {said.removeprefix('error: ')}", 1)

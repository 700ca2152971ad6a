"""The probe job on the local engine: it answers every question and leaves nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_probe_answers_every_question_and_leaves_its_input_as_it_was(tmp_path: Path) -> None:
    before = sorted(path.name for path in (ROOT / "ml" / "data").iterdir())
    # Strict as extension 2.45, a download of a job finds none of its outputs.
    env = {**os.environ, "LOCALML_HOME": str(tmp_path / "home"), "LOCALML_STRICT": "0"}

    def localml(*words: str) -> None:
        command = [sys.executable, "-m", "localml", *words]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    localml("environment", "create", "--file", "ml/environments/demand.yml", "--output", "none")
    hosts = "inputs.hosts=host.invalid"
    localml("job", "create", "--file", "ml/probe/probe.yml", "--name", "probe", "--set", hosts, "--stream")
    localml("job", "download", "--name", "probe", "--all", "--download-path", str(tmp_path / "down"))
    (file,) = (tmp_path / "down").rglob("probe.json")
    answers = json.loads(file.read_text())
    assert answers["variable MLFLOW_TRACKING_URI"] == "set"
    assert answers["output takes a file"] == "yes"
    assert answers["output folder can be removed"].startswith("no")
    assert answers["input takes a file"].startswith("no")
    assert answers["reaches host.invalid"].startswith("no: gaierror")
    assert answers["identity for vault.azure.net"] == "no: MSI_ENDPOINT is not set"
    assert {what.split(" ")[0] for what in answers} == {"variable", "output", "input", "identity", "reaches"}
    assert sorted(path.name for path in (ROOT / "ml" / "data").iterdir()) == before

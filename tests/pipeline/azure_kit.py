"""Recipes of ENV=dev under a stand-in `az` that knows the CLI's reference and answers as recorded."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import recorded
import yaml

ROOT = Path(__file__).parents[2]
STAND_IN = ROOT.parent / "shared/tools/az-offline"
needs_stand_in = pytest.mark.skipif(
    not STAND_IN.is_dir(), reason="no stand-in az beside this checkout: ENV=dev recipes did not run"
)
# The stand-in checks and answers; only what a download leaves on the disk is added.
# AZ_FILES names a JSON file {"job output": {name: text}}.
AZ = """#!{python}
import json, os, pathlib, subprocess, sys
words = sys.argv[1:]
done = subprocess.run(["{stand_in}", *words])
if done.returncode == 0 and words[1:3] == ["job", "download"]:
    value = lambda flag: words[words.index(flag) + 1] if flag in words else ""
    place = pathlib.Path(value("--download-path"))
    # The recipes name each job by the clock; here all are `job`.
    job = value("--name") if value("--name").startswith("guid") else "job"
    asked = " ".join([job, value("--output-name")]).strip()
    kept = json.loads(pathlib.Path(os.environ["AZ_FILES"]).read_text()).get(asked, {{}})
    place = place / "named-outputs" / value("--output-name") if value("--output-name") else place / "artifacts"
    for name, text in kept.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
sys.exit(done.returncode)
"""


class Azure:
    """A workspace as az would show it."""

    def __init__(self, folder: Path, extension: str) -> None:
        self.folder, self.extension = folder, extension
        self.replies: dict[str, Any] = {}
        self.files: dict[str, dict[str, str]] = {}
        (folder / "bin").mkdir()
        az = folder / "bin" / "az"
        az.write_text(AZ.format(python=sys.executable, stand_in=STAND_IN / "az"))
        az.chmod(0o755)

    def environment(self, load: bool) -> dict[str, str]:
        """Variables of make."""
        env = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "ENV")}
        env |= {"PATH": f"{self.folder / 'bin'}:{env['PATH']}", "LOCALML_HOME": str(self.folder / "home")}
        env |= {"AZ_OFFLINE_LOG": str(self.log), "AZ_OFFLINE_REPLIES": str(self.folder / "replies.yml")}
        env |= {"AZ_OFFLINE_ML_VERSION": self.extension, "AZ_FILES": str(self.folder / "files.json")}
        env |= {"WATCH_SECONDS": "0.05", "AZ_ML": "az ml", "AZURE_DEFAULTS_GROUP": "g", "AZURE_DEFAULTS_WORKSPACE": "w"}
        return env | ({"AZ_OFFLINE_SDK": sys.executable} if load else {})

    @property
    def log(self) -> Path:
        """The calls of az."""
        return self.folder / "calls.jsonl"

    def make(self, *words: str, code: int = 0, load: bool = False) -> "subprocess.CompletedProcess[str]":
        """Run make; `load` lets azure-ai-ml load every spec, some 5 s a file."""
        return self.run(["make", *words], code, self.environment(load))

    def submit(self, *words: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
        """What the recipes call once everything is registered, which takes the stand-in seconds."""
        return self.run(self.submission(*words), code, self.environment(False))

    def submission(self, *words: str) -> list[str]:
        """The command line of a submission of the training."""
        return [sys.executable, "-m", "pipeline.submit", "train-1", "--file", "ml/pipelines/train.yml", *words]

    def write(self) -> None:
        """Let the stand-in know what it answers."""
        (self.folder / "replies.yml").write_text(yaml.safe_dump(self.replies))
        (self.folder / "files.json").write_text(json.dumps(self.files))

    def run(self, command: list[str], code: int, env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
        """Run a command that speaks to this workspace."""
        self.write()
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def calls(self) -> list[dict[str, Any]]:
        """Every call; none may be one that the CLI does not know."""
        calls = [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []
        assert [call["errors"] for call in calls] == [[]] * len(calls)
        return calls

    def said(self, part: str) -> list[str]:
        """The calls with these words."""
        return [words for call in self.calls() if part in (words := " ".join(call["argv"]))]

    def runs(self, *states: str, children: list[dict[str, Any]], **more: Any) -> None:
        """Let each job go through these states, and have these children at its end."""
        shown = [recorded.job(self.extension, "job", state, **more) for state in states]
        self.replies["^ml job create"] = {"stdout": ""}
        self.replies["^ml job list --parent-job-name"] = [children]
        self.replies["^ml job show"] = shown


@pytest.fixture(params=recorded.EXTENSIONS)
def azure(request: pytest.FixtureRequest, tmp_path: Path) -> Azure:
    """A workspace with sales and one model, once for each extension."""
    made = Azure(tmp_path, request.param)
    made.replies["^ml data show"] = {
        "name": "sales",
        "version": "7",
        "creation_context": {"created_at": "2026-11-20T08:00:00Z"},
    }
    made.replies["^ml model list"] = [[{"name": "demand-forecast", "version": "9", "tags": {"recipe": "a"}}]]
    return made


@pytest.fixture
def new_azure(tmp_path: Path) -> Azure:
    """The same with the newer extension alone."""
    made = Azure(tmp_path, recorded.EXTENSIONS[-1])
    made.replies["^ml data show"] = {
        "name": "sales",
        "version": "7",
        "creation_context": {"created_at": "2026-11-20T08:00:00Z"},
    }
    made.replies["^ml model list"] = [[{"name": "demand-forecast", "version": "9", "tags": {"recipe": "a"}}]]
    return made

"""python -m drift on both engines: its lines and its exit codes.

ENV=dev is under the stand-in that knows the CLI's reference, for its flags and for Terraform, which the local workspace
has not; drift over the workspace is in tests/workspace/test_recipes.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from drift.__main__ import ROOT
from rollout.site import Site

pytestmark = pytest.mark.slow  # each call starts the program
STAND_IN = ROOT.parent / "shared/tools/az-offline"
needs_az = pytest.mark.skipif(not STAND_IN.is_dir(), reason=f"NOT RUN: drift of ENV=dev, {STAND_IN} is not there")
DEPLOY = ROOT / "ml" / "deploy"


def run(folder: Path, *path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if key not in ("ENV", "AZ_ML")}
    env |= {"LOCALML_HOME": str(folder / "home"), "PATH": ":".join([*map(str, path), os.environ["PATH"]]), **variables}
    command = [sys.executable, "-m", "drift"]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def localml(folder: Path, *words: str) -> None:
    env = {**os.environ, "LOCALML_HOME": str(folder / "home")}
    subprocess.run([sys.executable, "-m", "localml", *words], cwd=ROOT, env=env, check=True, capture_output=True)


def test_a_fresh_laptop_differs_by_what_nobody_has_made_yet_and_less_after_each_step(tmp_path: Path) -> None:
    before = run(tmp_path)
    assert before.returncode == 3, before.stderr
    *lines, last = before.stdout.splitlines()
    assert last == f"{len(lines)} differences between git and local"
    assert "environment demand" in lines[0]
    localml(tmp_path, "environment", "create", "--file", "ml/environments/demand.yml", "--output", "none")
    localml(tmp_path, "compute", "attach", "--file", "ml/deploy/compute.yml", "--output", "none")
    after = run(tmp_path)
    assert after.returncode == 3
    left = (" score:", " parallel:", "endpoint")
    assert set(after.stdout.splitlines()[:-1]) == {line for line in lines if any(each in line for each in left)}


def schedule(path: Path) -> dict[str, Any]:
    """A schedule as the service shows what this spec made."""
    spec = yaml.safe_load(path.read_text())
    return {"name": spec["name"], "is_enabled": True, "trigger": spec["trigger"]}


TERRAFORM = '#!/bin/sh\necho "$@" >> {log}\nexit {code}\n'


@pytest.fixture
def azure(tmp_path: Path) -> Path:
    """A dev that is what git says: a stand-in for az that checks each call, and a Terraform without changes."""
    site = Site(DEPLOY / "endpoint.yml", DEPLOY / "deployment.yml")
    endpoint = {"name": site.name, "auth_mode": "key", "tags": {"team": "platform"}, "traffic": {"blue": 100}}
    deployment = {"name": "blue", "model": "azureml:demand-forecast:1", "tags": {"content": site.content()}}
    replies: dict[str, Any] = {
        "compute list": [[{"name": "aks-inference"}]],
        "online-endpoint list": [[endpoint]],
        "online-endpoint show": endpoint,
        "online-deployment list": [[deployment]],
        "schedule list": [[schedule(path) for path in (*ROOT.glob("ml/schedules/*.yml"), DEPLOY / "monitor.yml")]],
    }
    for kind in ("environment", "component"):
        for path in (ROOT / "ml" / f"{kind}s").glob("*.yml"):
            spec = yaml.safe_load(path.read_text())
            replies[f"{kind} list --name {spec['name']} "] = [[{"name": spec["name"], "version": spec["version"]}]]
    (tmp_path / "replies.yml").write_text(yaml.safe_dump(replies))
    (tmp_path / "terraform").write_text(TERRAFORM.format(log=tmp_path / "terraform.log", code=0))
    (tmp_path / "terraform").chmod(0o755)
    return tmp_path


def on_dev(folder: Path) -> subprocess.CompletedProcess[str]:
    log = {"AZ_OFFLINE_LOG": str(folder / "calls.jsonl"), "AZ_OFFLINE_REPLIES": str(folder / "replies.yml")}
    names = {"AZURE_DEFAULTS_GROUP": "g", "AZURE_DEFAULTS_WORKSPACE": "w"}
    return run(folder, folder, STAND_IN, ENV="dev", AZ_ML="az ml", **log, **names)


@needs_az
def test_a_dev_that_is_what_git_says_ends_with_0_and_calls_only_what_the_cli_knows(azure: Path) -> None:
    done = on_dev(azure)
    assert (done.returncode, done.stdout) == (0, "no drift: dev is what git says\n"), done.stderr
    calls = [json.loads(line) for line in (azure / "calls.jsonl").read_text().splitlines()]
    assert [call["errors"] for call in calls if call["errors"]] == []
    assert "plan -lock=false -var-file=environments/dev.tfvars" in (azure / "terraform.log").read_text()


@needs_az
def test_a_version_that_dev_lacks_ends_with_3(azure: Path) -> None:
    replies = yaml.safe_load((azure / "replies.yml").read_text())
    first = next(key for key in replies if key.startswith("component list"))
    (azure / "replies.yml").write_text(yaml.safe_dump({**replies, first: [[]]}))
    done = on_dev(azure)
    assert done.returncode == 3
    assert done.stdout.endswith("1 difference between git and dev\n")


@needs_az
def test_a_cloud_that_cannot_be_asked_ends_with_1_and_one_line(azure: Path) -> None:
    (azure / "replies.yml").write_text(
        yaml.safe_dump({".*": {"stderr": "ERROR: (AuthorizationFailed) no\n", "exit": 1}})
    )
    done = on_dev(azure)
    assert done.returncode == 1
    assert "AuthorizationFailed" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_terraform_that_cannot_plan_ends_with_1(azure: Path) -> None:
    (azure / "terraform").write_text("#!/bin/sh\necho 'Error: No state file' >&2\nexit 1\n")
    done = on_dev(azure)
    assert done.returncode == 1
    assert done.stderr == "error: terraform plan: Error: No state file\n"

"""Every recipe of ENV=dev runs end to end: make, az over the real azure-ai-ml, REST, and the engine behind it.

The trainings are real ones. The second version of the extension goes on with what the first has left.
"""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from workspace_kit import Shell, make

from e2e.checkout import wait_for
from helpers_sales import promoted_sales

pytestmark = pytest.mark.slow
MODEL = "demand-forecast"
PREDICT = "predict STORE=S1 MONTH=2024-07"


@pytest.fixture
def home(tmp_path: Path, serving_python: Path) -> Iterator[Path]:
    """State with sales in the warehouse."""
    promoted_sales().to_csv(tmp_path / "sales.csv", index=False)
    home = tmp_path / "home"
    home.mkdir()
    make(home, "seed-sales", f"FILE={tmp_path / 'sales.csv'}")
    yield home
    make(home, "stop")


@pytest.mark.timeout(1200)  # five minutes on two idle cores
def test_every_recipe_of_dev_runs_end_to_end_with_both_versions_of_the_extension_and_under_faults(home: Path) -> None:
    make(home, "workspace", "ENV=dev", "AZ_VERSION=2.45")
    shell = Shell(home)
    an_import_that_is_killed_leaves_nothing_and_the_next_one_goes_on(shell)
    assert f"is {MODEL} version 1" in said(shell, "run-pipeline")
    assert json.loads(shell.run("make verdict ENV=dev").stdout)["model"] == {"name": MODEL, "version": "1"}
    assert "blue" in said(shell, "deploy")
    predicted = said(shell, PREDICT)
    assert "... 48 forecasts in all" in said(shell, "forecast")

    # From the shell of the workspace that ends here, whose variables are then stale.
    assert "Ended: az's preloaded interpreter" in said(shell, "stop")
    said(shell, "workspace AZ_VERSION=2.44")
    two_runs_at_once_under_faults_are_two_jobs_and_register_nothing_twice(shell)
    register_again(shell)
    a_deployment_that_fails_is_taken_back_and_the_next_one_goes_on(shell)
    with faults(shell, {"method": "PUT", "path": "/onlineEndpoints/[^/]+$", "status": 503, "after": True}):
        said(shell, "rollback")
    assert shares(shell) == {"blue": 100, "green": 0}
    with faults(shell, {"path": "/onlineEndpoints/", "cut": True}, {"path": "listKeys", "status": 429}):
        # The SDK does not repeat a POST that was refused, so the first call ends with one line.
        assert "InjectedFault" in shell.run(f"make {PREDICT} ENV=dev", code=2).stderr
        assert said(shell, PREDICT) == predicted
    with faults(shell, {"method": "PUT", "path": "/jobs/", "cut": True, "after": True}):
        assert "... 48 forecasts in all" in said(shell, "forecast MODEL_VERSION=2 PARALLEL=2")
    assert len(jobs(shell, "forecast")) == 2
    assert "component" not in shell.run("make drift ENV=dev", code=None).stdout


def an_import_that_is_killed_leaves_nothing_and_the_next_one_goes_on(shell: Shell) -> None:
    with faults(shell, {"path": "/(codes|components|data)/", "seconds": 1, "at": None}):
        process = shell.begin("make import-data ENV=dev")
        wait_for(lambda: is_submitting(process.pid))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert jobs(shell, "import") == []
    with faults(shell, {"method": "PUT", "path": "/requirements.txt", "cut": True}, {"path": "/jobs/", "status": 503}):
        assert "import: done" in said(shell, "import-data")
    assert len(jobs(shell, "import")) == 1
    assert len(list((shell.home / "assets/data/sales").glob("*/asset.json"))) == 1


def two_runs_at_once_under_faults_are_two_jobs_and_register_nothing_twice(shell: Shell) -> None:
    with faults(shell, {"method": "PUT", "path": "/jobs/", "status": 503, "after": True}):
        both = [shell.begin("make run-pipeline ENV=dev") for _ in range(2)]
        texts = ["".join(each.communicate(timeout=300)) for each in both]
    assert all("Unchanged: " in text for text in texts), texts
    assert len(jobs(shell, "train")) == 3
    shown = json.loads(shell.run(f"az ml model list --name {MODEL} --output json").stdout)
    assert [each["version"] for each in shown] == ["1"]


def a_deployment_that_fails_is_taken_back_and_the_next_one_goes_on(shell: Shell) -> None:
    with faults(shell, {"method": "PUT", "path": "/deployments/green", "status": 400, "at": None}):
        assert "error: " in shell.run("make deploy MODEL_VERSION=2 ENV=dev", code=2).stderr
    assert shares(shell)["blue"] == 100
    with faults(shell, {"method": "PUT", "path": "/deployments/green", "cut": True, "after": True}):
        said(shell, "deploy MODEL_VERSION=2")
    assert shares(shell) == {"blue": 0, "green": 100}


@contextmanager
def faults(shell: Shell, *rules: dict[str, Any]) -> Iterator[None]:
    """Let these faults happen meanwhile (scripts/workspace/faults.py)."""
    path = shell.home / "workspace" / "faults.json"
    path.write_text(json.dumps(rules))
    yield
    path.unlink()


def is_submitting(pid: int) -> bool:
    """Whether a recipe has come as far as its call of `az ml job create`."""
    for child in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # ended meanwhile
            if {"job", "create"} <= set(child.cmdline()):
                return True
    return False


def jobs(shell: Shell, kind: str) -> list[str]:
    """Names of the jobs of a recipe."""
    return [path.parent.name for path in shell.home.glob(f"jobs/{kind}-*/job.json")]


def said(shell: Shell, verb: str) -> str:
    """What a recipe prints; it must end well."""
    done = shell.run(f"make {verb} ENV=dev")
    return done.stdout + done.stderr


def _deployments(shell: Shell) -> list[dict[str, Any]]:
    """The endpoint's deployments as `make status` has them."""
    facts = json.loads(shell.run("make status ENV=dev OUTPUT=json").stdout)
    return list(facts["endpoint"]["deployments"])


def shares(shell: Shell) -> dict[str, int]:
    """Colour -> its share of the traffic in percent."""
    return {each["deployment"]: each["traffic"] for each in _deployments(shell)}


def register_again(shell: Shell) -> None:
    """Version 2 of the model, with the bytes and the tags of version 1, but for its title."""
    known = json.loads(shell.run(f".venv/bin/python -m localml model show --name {MODEL} --version 1 -o json").stdout)
    spec = shell.home / "model.yml"
    tags = {key: value for key, value in known["tags"].items() if key != "champion"}
    spec.write_text(json.dumps({"name": MODEL, "type": "mlflow_model", "path": known["path"], "tags": tags}))
    made = json.loads(shell.run(f"az ml model create --file {spec} --output json").stdout)
    assert made["version"] == "2"

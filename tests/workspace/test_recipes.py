"""Every recipe of ENV=dev runs end to end: make, az over the real azure-ai-ml, REST, and the engine behind it.

The trainings are real ones. The second version of the extension goes on with what the first has left.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from workspace_kit import Shell, make

from helpers_sales import promoted_sales

pytestmark = pytest.mark.slow
MODEL = "demand-forecast"


@pytest.fixture
def home(tmp_path: Path, serving_python: Path) -> Iterator[Path]:
    """State with sales in the warehouse."""
    promoted_sales().to_csv(tmp_path / "sales.csv", index=False)
    home = tmp_path / "home"
    home.mkdir()
    make(home, "seed-sales", f"FILE={tmp_path / 'sales.csv'}")
    yield home
    make(home, "stop")


def test_every_recipe_of_dev_runs_end_to_end_with_both_versions_of_the_extension(home: Path) -> None:
    make(home, "workspace", "ENV=dev", "AZ_VERSION=2.45")
    shell = Shell(home)
    assert "import: done" in said(shell, "import-data")
    assert f"is {MODEL} version 1" in said(shell, "run-pipeline")
    assert json.loads(shell.run("make verdict ENV=dev").stdout)["model"] == {"name": MODEL, "version": "1"}
    assert "blue" in said(shell, "deploy")
    before = said(shell, "predict STORE=S1 MONTH=2024-07")
    assert "... 48 forecasts in all" in said(shell, "forecast")

    # From the shell of the workspace that ends here, whose variables are then stale.
    assert "Ended: az's preloaded interpreter" in said(shell, "stop")
    said(shell, "workspace AZ_VERSION=2.44")
    assert "Unchanged: " in said(shell, "run-pipeline")
    register_again(shell)
    said(shell, "deploy MODEL_VERSION=2")
    assert shares(shell) == {"blue": 0, "green": 100}
    said(shell, "rollback")
    assert shares(shell) == {"blue": 100, "green": 0}
    assert said(shell, "predict STORE=S1 MONTH=2024-07") == before
    assert "... 48 forecasts in all" in said(shell, "forecast MODEL_VERSION=2")
    assert "component" not in shell.run("make drift ENV=dev", code=None).stdout


def said(shell: Shell, verb: str) -> str:
    """What a recipe prints; it must end well."""
    done = shell.run(f"make {verb} ENV=dev")
    return done.stdout + done.stderr


def shares(shell: Shell) -> dict[str, int]:
    """Colour -> its share of the traffic in percent."""
    return {each["deployment"]: each["traffic"] for each in json.loads(shell.run("make status ENV=dev").stdout)}


def register_again(shell: Shell) -> None:
    """Version 2 of the model, with the bytes of version 1."""
    known = json.loads(shell.run(f".venv/bin/python -m localml model show --name {MODEL} --version 1 -o json").stdout)
    spec = shell.home / "model.yml"
    spec.write_text(f"name: {MODEL}\ntype: mlflow_model\npath: {known['path']}\n")
    made = json.loads(shell.run(f"az ml model create --file {spec} --output json").stdout)
    assert made["version"] == "2"

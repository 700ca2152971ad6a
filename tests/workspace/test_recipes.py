"""Every recipe of ENV=dev through the thin `az` and the real azure-ai-ml, over the workspace: 1.35.2 trains and serves
a model from nothing; 1.34.1 then goes on in the same state, whose steps are reused, so that it need not train anew.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import workspace_kit
from workspace_kit import Shell

from helpers_sales import daily_sales

pytestmark = pytest.mark.slow
# Forests of few trees; every other candidate learns as it does elsewhere.
LEAST = "SET='jobs.train_history.inputs.n_estimators=10 jobs.train_contextual.inputs.n_estimators=10'"
ASK = "make predict STORE=S001 MONTH=2024-08 ENV=dev"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    sales = daily_sales(stores=6, first="2022-01-01", last="2024-06-30")
    # They double in two years, so that last year's month is no good forecast and the gate lets a model through.
    years = (sales["SaleDate"] - sales["SaleDate"].min()).dt.days / 365.25
    sales.assign(Quantity=(sales["Quantity"] * 2 ** (years / 2)).round()).to_csv(folder / "sales.csv", index=False)
    workspace_kit.make(folder, "seed-sales", f"FILE={folder / 'sales.csv'}")
    return folder


def _status(shell: Shell) -> dict[str, tuple[str, int]]:
    """Deployment -> (model, percent of the traffic)."""
    shown = json.loads(shell.run("make status ENV=dev").stdout)
    return {each["deployment"]: (each["model"], each["traffic"]) for each in shown}


def _second_version(shell: Shell) -> None:
    """Register what version 1 is once more: something to roll out and back."""
    path = shell.run("az ml model show --name demand-forecast --version 1 --query path --output tsv").stdout.strip()
    spec = shell.home / "again.yml"
    spec.write_text(f'name: demand-forecast\nversion: "2"\ntype: mlflow_model\npath: {path}\n')
    shell.run(f"az ml model create --file {spec} --output none")


def _answers(shell: Shell) -> Any:
    return shell.run(ASK).stdout


def test_the_recipes_of_dev_under_both_versions_of_the_sdk(home: Path) -> None:
    """One test, since each recipe needs what the one before has made."""
    with workspace_kit.shell(home, "2.45") as shell:
        _from_nothing(shell)
    with workspace_kit.shell(home, "2.44") as shell:
        _goes_on(shell)


def _from_nothing(shell: Shell) -> None:
    shell.run("make import-data ENV=dev")
    trained = shell.run(f"make run-pipeline ENV=dev {LEAST}").stdout
    assert "is demand-forecast version 1" in trained and "Report: " in trained, trained
    assert "demand-forecast version 1 is live on blue" in shell.run("make deploy ENV=dev").stdout
    first = _answers(shell)
    assert "S001" in first
    forecast = shell.run("make forecast ENV=dev HORIZON=1").stdout
    assert "6 forecasts in all, also in the warehouse's table FORECASTS" in forecast
    _second_version(shell)
    assert "version 2 is live on green" in shell.run("make deploy ENV=dev MODEL_VERSION=2").stdout
    assert _status(shell) == {"blue": ("demand-forecast:1", 0), "green": ("demand-forecast:2", 100)}
    assert "demand-forecast version 1 is live on blue" in shell.run("make rollback ENV=dev").stdout
    assert _answers(shell) == first
    assert "no drift: dev is what git says" in shell.run("make drift ENV=dev").stdout


def _goes_on(shell: Shell) -> None:
    shell.run("make import-data ENV=dev")
    again = shell.run(f"make run-pipeline ENV=dev {LEAST}")
    assert again.stderr.count("reused from") >= 7, again.stderr
    assert "Report: " in again.stdout
    assert "version 2 is live on green" in shell.run("make deploy ENV=dev MODEL_VERSION=2").stdout
    assert "S001" in _answers(shell)
    forecast = shell.run("make forecast ENV=dev HORIZON=2 FORCE=1").stdout
    assert "12 forecasts in all, also in the warehouse's table FORECASTS" in forecast
    assert "demand-forecast version 1 is live on blue" in shell.run("make rollback ENV=dev").stdout
    assert _status(shell)["blue"] == ("demand-forecast:1", 100)
    assert "no drift: dev is what git says" in shell.run("make drift ENV=dev").stdout

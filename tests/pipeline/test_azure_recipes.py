"""The recipes of ENV=dev and ENV=prod under a stand-in `az` that knows the CLI's reference and loads every spec."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
STAND_IN = ROOT.parent / "shared/tools/az-offline"
REPLIES = {
    "^ml data list": [[{"name": "sales", "version": "7", "creation_context": {"created_at": "2026-11-20T08:00:00Z"}}]],
    "^ml model list": [[{"name": "demand-forecast", "version": "9", "tags": {"recipe": "a"}}]],
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not STAND_IN.is_dir(), reason="no stand-in az beside this checkout: ENV=dev recipes did not run"
    ),
]


@pytest.fixture(autouse=True)
def usual_replies():
    """What one test lets az answer must not answer in the next."""
    before = dict(REPLIES)
    yield
    REPLIES.clear()
    REPLIES.update(before)


@pytest.fixture
def make(tmp_path):
    """Run make with the stand-in; what it printed and the calls of az."""

    def run(*arguments, code=0, load=False):
        (tmp_path / "replies.yml").write_text(yaml.safe_dump(REPLIES))
        env = {**os.environ, "PATH": f"{STAND_IN}:{os.environ['PATH']}", "LOCALML_HOME": str(tmp_path / "home")}
        env |= {"AZ_OFFLINE_LOG": str(tmp_path / "calls.jsonl"), "AZ_OFFLINE_REPLIES": str(tmp_path / "replies.yml")}
        if load:  # some 5 s a file
            env["AZ_OFFLINE_SDK"] = sys.executable
        for name in ("MAKEFLAGS", "MAKELEVEL", "ENV", "AZ_ML"):
            env.pop(name, None)
        done = subprocess.run(["make", *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        log = tmp_path / "calls.jsonl"
        return done, [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    return run


def test_run_pipeline_registers_environments_and_components_and_submits_with_stream(make):
    _, calls = make("run-pipeline", "ENV=dev", "HOLDOUT_MONTHS=3", load=True)
    assert [call["errors"] for call in calls] == [[]] * len(calls)
    commands = [" ".join(call["argv"]) for call in calls]
    registered = [command for command in commands if " create --file ml/" in command and " job " not in command]
    assert [command.split()[4] for command in registered] == [
        *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "ml/environments").glob("*.yml")),
        *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "ml/components").glob("*.yml")),
    ]
    (submitted,) = [command for command in commands if "job create" in command]
    for part in (
        "--file ml/pipelines/train.yml",
        "--stream",
        "azureml:sales:7",
        "champion=9",
        "holdout_months=3",
        "as_of=2026-11-20Z",
    ):
        assert part in submitted
    loaded = {json.loads(call["loaded"])["loaded"] if isinstance(call["loaded"], str) else call["loaded"]["loaded"]
              for call in calls if call["loaded"]}  # fmt: skip
    assert loaded == {"Environment", "CommandComponent", "PipelineJob"}


def test_import_data_names_the_vault_and_the_secret_where_the_environment_has_one(make):
    _, calls = make("import-data", "ENV=prod", "VAULT_URI=https://v.vault.azure.net", "SNOWFLAKE_SECRET=key")
    assert [call["errors"] for call in calls] == [[]] * len(calls)
    submitted = " ".join(calls[-1]["argv"])
    assert "jobs.import.inputs.vault_url=https://v.vault.azure.net" in submitted
    assert "inputs.key_name=key" in submitted


def test_a_call_that_the_service_refuses_ends_the_verb(make):
    REPLIES["^ml job create"] = {"stdout": "", "stderr": "quota exceeded", "exit": 1}
    done, _ = make("run-pipeline", "ENV=dev", code=2)
    assert "quota exceeded" in done.stderr


def test_forecast_names_the_newest_version_the_plan_and_the_vault(make, tmp_path):
    plan = tmp_path / "plan.csv"
    plan.write_text("StoreID,MonthYear,Price\nS001,2026-12,4.5\n")
    REPLIES["^ml model list"] = [[{"name": "demand-forecast", "version": each} for each in ("9", "10", "8")]]
    vault = ("VAULT_URI=https://v.vault.azure.net", "SNOWFLAKE_SECRET=key")
    done, calls = make("forecast", "ENV=dev", "HORIZON=3", f"PLAN={plan}", *vault, load=True)
    assert [call["errors"] for call in calls] == [[]] * len(calls)
    (submitted,) = [" ".join(call["argv"]) for call in calls if "job create" in " ".join(call["argv"])]
    for part in (
        "--file ml/pipelines/forecast.yml",
        "--stream",
        "inputs.model.path=azureml:demand-forecast:10",
        "inputs.model_version=10",
        "inputs.horizon=3",
        "inputs.as_of=2026-11-20Z",
        f"inputs.plan.path={plan}",
        "jobs.publish.inputs.vault_url=https://v.vault.azure.net",
        "inputs.key_name=key",
    ):
        assert part in submitted
    assert "az ml job download --name forecast-" in done.stdout


def test_predict_asks_the_endpoint_and_reads_the_body_that_the_verb_prints_as_text(make):
    row = {"StoreID": "S001", "MonthYear": "2026-12", "TotalSales": 5644.0, "P10": 4761.0, "P90": 7003.0, "flags": []}
    drivers = [{"feature": "Lag1", "units": 162.0}]
    body = {
        "predictions": [{**row, "past": [{"MonthYear": "2025-12", "TotalSales": 7340.0}], "drivers": drivers}],
        "model": {"name": "demand-forecast", "version": "9", "known_until": "2026-10"},
    }
    REPLIES["^ml online-endpoint list"] = [[{"name": "demand-forecast"}]]
    REPLIES["^ml online-endpoint invoke"] = {"stdout": json.dumps(json.dumps(body))}
    done, calls = make("predict", "ENV=dev", "STORE=S001", "MONTH=2026-12", "FIELDS=Price=4.5 Promotion=true")
    assert [call["errors"] for call in calls] == [[]] * len(calls)
    assert "Store S001, 2026-12: 5,644 units" in done.stdout
    assert "+162  Lag1" in done.stdout


def test_deploy_asks_for_the_batch_forecasts_of_the_version(make):
    done = {"name": "forecast-1", "display_name": "Forecast demand", "status": "Completed"}
    REPLIES["^ml job list"] = [[{**done, "name": "forecast-2", "status": "Failed"}, done]]
    REPLIES["^ml job show"] = [{**done, "inputs": {"model_name": "demand-forecast", "model_version": "9"}}]
    REPLIES["^ml online-endpoint list"] = [[{"name": "demand-forecast", "traffic": {}}]]
    REPLIES["^ml job download"] = {"stdout": "", "stderr": "no such output", "exit": 1}
    told, calls = make("deploy", "ENV=dev", code=2)
    assert "no such output" in told.stderr
    words = [" ".join(call["argv"]) for call in calls]
    assert [call["errors"] for call in calls if call["argv"][1:3] != ["job", "download"]] == [[]] * (
        sum("job download" not in each for each in words)
    )
    assert any("job download --name forecast-1 --output-name forecasts --download-path" in each for each in words)
    assert not any("online-deployment create" in each for each in words), "nothing is made before all is known"

"""The recipes of ENV=dev and ENV=prod: what they ask of az, and that they read what each extension answers.

Under the stand-in that knows the CLI's reference: what is held here is each call's flags, and answers that the local
workspace does not give (a vault's key, ENV=prod, a router without network, a service that is away). What the recipes do
runs over the workspace, in tests/workspace/test_recipes.py and test_recipe_faults.py.
"""

import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
import recorded
from azure_kit import ROOT, needs_stand_in
from test_summary import VERDICT

from forecasting.verdict import Verdict
from rollout.site import Site

pytestmark = [pytest.mark.slow, needs_stand_in]
STEPS = ("aggregate", "prepare", "train_contextual", "train_history", "evaluate", "register")
VAULT = ("VAULT_URI=https://v.vault.azure.net", "SNOWFLAKE_SECRET=key")
MODEL = "/subscriptions/0/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/models"


def completed(azure, *steps):
    return [recorded.child(azure.extension, step, "Completed") for step in steps or STEPS]


def with_report(azure):
    """The report's file: found by the pipeline's name with 2.44, only by the step's own with 2.45."""
    name = "job report" if azure.extension.startswith("2.44") else "guid-of-register report"
    azure.files[name] = {"verdict.json": json.dumps(VERDICT), "report.html": "<html>"}
    azure.replies["^ml job download"] = {"stdout": recorded.DOTS}


def test_run_pipeline_registers_submits_follows_and_shows_its_own_verdict(azure):
    azure.runs("NotStarted", "Running", "Completed", children=completed(azure))
    with_report(azure)
    done = azure.make("run-pipeline", "ENV=dev", "HOLDOUT_MONTHS=3")
    registered = [words.split()[4] for words in azure.said(" create --file ml/") if " job " not in words]
    environments, components = (
        sorted(str(path.relative_to(ROOT)) for path in (ROOT / folder).glob("*.yml"))
        for folder in ("ml/environments", "ml/components")
    )
    first = len(environments)  # side by side, but a component names an environment
    assert [sorted(registered[:first]), sorted(registered[first:])] == [environments, components]
    (submitted,) = azure.said("job create")
    for part in ("--file ml/pipelines/train.yml", "azureml:sales:7", "holdout_months=3", "as_of=2026-11-20Z"):
        assert part in submitted
    assert "--stream" not in submitted
    job = submitted.split("--name ")[1].split()[0]
    assert all(f"--name {job}" in words for words in azure.said("job show"))
    assert "https://ml.azure.com/runs/job" in done.stderr
    assert "  register: done" in done.stderr
    assert "Promoted: history is demand-forecast version 3" in done.stdout
    assert "Seconds:" not in done.stdout, "Azure ML's records name none"
    printed = azure.make("verdict", "ENV=dev").stdout
    expected = Verdict.of({**VERDICT, "seconds": {"register": None}})
    assert Verdict.of(json.loads(printed)) == expected, "JSON and nothing else"


def test_every_node_runs_the_registered_component(new_azure):
    new_azure.runs("Completed", children=completed(new_azure))
    with_report(new_azure)
    new_azure.make("run-pipeline", "ENV=dev", load=True)
    (submitted,) = new_azure.said("job create")
    for step in STEPS:
        assert f"jobs.{step}.component=azureml:" in submitted
    loaded = {str(call["loaded"]) for call in new_azure.calls() if call["loaded"]}
    for kind in ("Environment", "CommandComponent", "PipelineJob"):
        assert any(kind in each for each in loaded)


@pytest.mark.parametrize("unknown", ["empty", "not found"])
def test_the_first_run_of_a_workspace_has_no_champion_to_beat(new_azure, unknown):
    new_azure.replies["^ml model list"] = [[]] if unknown == "empty" else recorded.not_found("demand-forecast")
    new_azure.replies["^ml data show"] = recorded.refused("No data asset exists for name: sales", exit_code=3)
    program = "from pipeline import runs; print(*runs.training_settings('train-1', 'store', []), sep='\\n')"
    command = [sys.executable, "-c", program]
    settings = new_azure.run(command, 0, new_azure.environment(False)).stdout.splitlines()
    assert "inputs.champion=none" in settings
    assert not any("inputs.sales.path" in each for each in settings), "the spec's own sales@latest stands"


def test_a_step_that_fails_ends_the_verb_with_its_log(azure):
    children = [recorded.child(azure.extension, "prepare", "Failed"), *completed(azure, "aggregate")]
    azure.runs("Running", "Failed", children=children)
    azure.replies["^ml job download"] = {"stdout": ""}
    azure.files["guid-of-prepare"] = {"user_logs/std_log.txt": "INFO began\nerror: 1 complete month is too few\n"}
    done = azure.submit(code=1)
    assert "  prepare: failed; its last lines:\n    INFO began\n    error: 1 complete month is too few" in done.stderr
    assert "failed in prepare; finished steps are kept for the next run" in done.stderr


def test_a_log_that_cannot_be_had_is_said_with_the_way_to_it(azure):
    azure.runs("Failed", children=[recorded.child(azure.extension, "prepare", "Failed")])
    azure.replies["^ml job download"] = recorded.refused("This job is in state Failed.")
    done = azure.submit(code=1)
    assert "no log: az ml job download --name guid-of-prepare" in done.stderr
    assert "its log: az ml job download --name guid-of-prepare" in done.stderr


def test_a_reused_step_is_shown_as_reused(new_azure):
    children = [recorded.child(new_azure.extension, step, "Completed", reused="old-guid") for step in STEPS]
    new_azure.runs("Completed", children=children)
    assert "  aggregate: reused from old-guid" in new_azure.submit().stderr


def test_a_question_that_stays_without_an_answer_is_asked_again(new_azure):
    new_azure.runs("Completed", children=completed(new_azure))
    gateway = recorded.refused("The gateway did not answer", "ServiceUnavailable")
    new_azure.replies["^ml job show"] = [gateway, gateway, *new_azure.replies["^ml job show"]]
    assert "register: done" in new_azure.submit().stderr


def test_a_job_that_cannot_be_followed_may_go_on_and_that_is_said(new_azure):
    new_azure.runs("Completed", children=[])
    new_azure.replies["^ml job show"] = recorded.refused("The token has expired", "ExpiredAuthenticationToken")
    done = new_azure.submit(code=1)
    assert "(ExpiredAuthenticationToken) The token has expired" in done.stderr
    assert "may go on" in done.stderr
    assert "`make watch JOB=train-" in done.stderr


def test_an_interrupt_ends_the_watching_and_says_how_to_go_on_or_cancel(new_azure):
    new_azure.runs("Running", children=[])
    new_azure.write()
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    env = new_azure.environment(False) | {"ENV": "dev"}
    run = subprocess.Popen(new_azure.submission(), cwd=ROOT, env=env, **pipes)
    deadline = time.monotonic() + 120
    while not new_azure.log.exists() or '"ml job show"' not in new_azure.log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "interrupted; the job train-1 goes on: `make watch JOB=train-1 ENV=dev` follows it" in err
    assert "`az ml job cancel --name train-1` ends it" in err
    assert new_azure.said("job cancel") == []


def test_watch_follows_a_job_that_was_submitted_earlier(azure):
    azure.runs("Running", "Completed", children=completed(azure, "import"))
    done = azure.make("watch", "ENV=dev", "JOB=import-1")
    assert "import: done" in done.stderr
    assert azure.said("job create") == []


def test_import_data_runs_the_registered_component_with_the_vaults_key(azure):
    azure.runs("Completed", children=completed(azure, "import"))
    azure.make("import-data", "ENV=prod", *VAULT)
    (submitted,) = azure.said("job create")
    assert "jobs.import.inputs.vault_url=https://v.vault.azure.net" in submitted
    assert "inputs.key_name=key" in submitted
    assert "jobs.import.component=azureml:import_sales:" in submitted


def test_a_push_down_is_imported_before_the_training(azure):
    azure.runs("Completed", children=completed(azure))
    with_report(azure)
    azure.make("run-pipeline", "ENV=dev", "PUSHDOWN=1", *VAULT)
    imported, trained = azure.said("job create")
    for part in ("--file ml/pipelines/import.yml", "inputs.push_down=always", "inputs.grain=store"):
        assert part in imported
    assert "--file ml/pipelines/train.yml" in trained


def test_a_push_down_names_its_grain_and_raw_sales_have_none(azure):
    azure.make("import-data", "ENV=dev", "PUSHDOWN=1", "GRAIN=product", "NO_WAIT=1", *VAULT)
    (submitted,) = azure.said("job create")
    assert "inputs.push_down=always" in submitted and "inputs.grain=product" in submitted
    refused = azure.make("import-data", "ENV=dev", "GRAIN=product", code=2)
    assert "raw sales have no grain: GRAIN is for PUSHDOWN=1 alone" in refused.stderr


@pytest.mark.parametrize(
    ("version", "said"),
    [("2.40.0", "az's ml extension is 2.40.0, 2.44.1 or 2.45.x is supported: az extension remove --name ml && ")],
)
def test_another_extension_ends_every_recipe_before_it_asks_anything(new_azure, version, said):
    new_azure.extension = version
    for recipe in ("run-pipeline", "deploy"):
        done = new_azure.make(recipe, "ENV=dev", *VAULT, code=2)
        assert said + "az extension add --name ml --version 2.44.1 --yes" in done.stderr
    assert new_azure.said("ml ") == []


def test_a_missing_extension_is_one_line_with_the_remedy(new_azure):
    new_azure.replies["^version"] = {"azure-cli": "2.90.0", "extensions": {}}
    done = new_azure.make("run-pipeline", "ENV=dev", code=2)
    assert "error: az has no ml extension, 2.44.1 or 2.45.x is supported: az extension add" in done.stderr


def test_a_job_that_the_service_refuses_ends_the_verb_with_the_line_that_says_why(azure):
    azure.replies["^ml job create"] = recorded.refused("Quota exceeded for cpu-cluster")
    done = azure.submit(code=1)
    assert "(UserError) Quota exceeded for cpu-cluster (all of it: " in done.stderr


def test_monitor_watches_the_champion_and_says_its_alarms_with_a_code_of_its_own(azure):
    azure.replies["^ml model list"] = [[{"name": "demand-forecast", "version": "10", "tags": {"recipe": "a"}}]]
    azure.runs("Completed", children=completed(azure, "aggregate", "monitor"))
    alarm = {"name": "bias", "scope": "all", "value": 0.4, "limit": 0.2, "state": "breached", "since": "2026-10",
             "calls_for": "retrain"}  # fmt: skip
    report = {"model": {"name": "demand-forecast", "version": "10"}, "as_of": "2026-11-20", "signals": [alarm]}
    report |= {"is_healthy": False, "calls_for_retraining": True}
    name = "job signals" if azure.extension.startswith("2.44") else "guid-of-monitor signals"
    azure.files[name] = {"signals.json": json.dumps(report), "monitor.html": "<html>"}
    azure.replies["^ml job download"] = {"stdout": recorded.DOTS}
    done = azure.make("monitor", "ENV=dev", code=2)
    (submitted,) = azure.said("job create")
    for part in (
        "--file ml/pipelines/monitor.yml",
        "azureml:demand-forecast:10",
        f"inputs.as_of={datetime.now(UTC):%Y-%m-%d}Z",
    ):
        assert part in submitted
    assert "jobs.monitor.component=azureml:monitor_model:" in submitted
    assert "  Bias: 40.0%, above 20.0% since 2026-10" in done.stdout
    assert "Error 3" in done.stderr


def test_schedules_are_created_with_the_commit_and_the_monitor_of_the_live_colour(azure):
    site = Site(ROOT / "ml/deploy/endpoint.yml", ROOT / "ml/deploy/deployment.yml")
    azure.replies["^ml online-endpoint list"] = [
        [{"name": "fc", "traffic": {"green": 100}, "tags": {"stable": "green"}}]
    ]
    deployed = {"name": "green", "model": f"azureml:{site.model}:3", "tags": {}}
    azure.replies["^ml online-deployment list"] = [[deployed]]
    done = azure.make(
        "schedules", "ENV=dev", "ENDPOINT=fc", "INSIGHTS=InstrumentationKey=k;IngestionEndpoint=https://i/"
    )
    created = {words.split("--file ")[1].split()[0]: words for words in azure.said("schedule create")}
    specs = sorted((ROOT / "ml/schedules").glob("*.yml"))
    assert set(created) == {*(str(path.relative_to(ROOT)) for path in specs), "ml/deploy/monitor.yml"}
    assert "create_job.inputs.git_commit=" in created["ml/schedules/train.yml"]
    assert "create_job.inputs.insights=InstrumentationKey=k" in created["ml/schedules/monitor.yml"]
    assert "endpoint_deployment_id=azureml:fc:green" in created["ml/deploy/monitor.yml"]
    assert "import-monthly: next " in done.stdout and "of azureml:fc:green" in done.stdout
    assert "make run-due" not in done.stdout
    refused = azure.make("run-due", "ENV=dev", code=2)
    assert "Azure ML starts the jobs of its schedules itself" in refused.stderr


def test_forecast_names_version_plan_and_vault_and_shows_its_files(azure, tmp_path):
    plan = tmp_path / "plan.csv"
    plan.write_text("StoreID,MonthYear,Price\nS001,2026-12,4.5\n")
    versions = [{"name": "demand-forecast", "version": each, "tags": {"recipe": "a"}} for each in ("9", "10", "8")]
    azure.replies["^ml model list"] = [versions]
    azure.runs("Completed", children=completed(azure, "aggregate", "forecast", "publish"))
    name = "job forecasts" if azure.extension.startswith("2.44") else "guid-of-forecast forecasts"
    azure.files[name] = {"forecasts.csv": "StoreID,MonthYear,TotalSales,P10,P90\nS001,2026-12,5644,4761,7003\n"}
    azure.replies["^ml job download"] = {"stdout": ""}
    done = azure.make("forecast", "ENV=dev", "HORIZON=3", f"PLAN={plan}", *VAULT)
    (submitted,) = azure.said("job create")
    for part in (
        "--file ml/pipelines/forecast.yml",
        "inputs.model.path=azureml:demand-forecast:10",
        "inputs.model_version=10",
        "inputs.horizon=3",
        "inputs.as_of=2026-11-20Z",
        f"inputs.plan.path={plan}",
        "jobs.publish.inputs.vault_url=https://v.vault.azure.net",
        "inputs.key_name=key",
        "jobs.forecast.component=azureml:forecast_demand:",
    ):
        assert part in submitted
    assert "S001 2026-12: 5,644 (4,761 to 7,003)" in done.stdout


def test_a_forecast_in_parallel_is_submitted_with_its_machines(azure):
    azure.replies["^ml model list"] = [[{"name": "demand-forecast", "version": "9", "tags": {"recipe": "a"}}]]
    azure.runs("Completed", children=completed(azure, "aggregate", "split", "forecast_parts", "forecast", "publish"))
    name = "job forecasts" if azure.extension.startswith("2.44") else "guid-of-forecast forecasts"
    azure.files[name] = {"forecasts.csv": "StoreID,MonthYear,TotalSales,P10,P90\nS001,2026-12,5644,4761,7003\n"}
    azure.replies["^ml job download"] = {"stdout": ""}
    done = azure.make("forecast", "ENV=dev", "PARALLEL=4", *VAULT)
    (submitted,) = azure.said("job create")
    for part in (
        "--file ml/pipelines/forecast_parallel.yml",
        "jobs.forecast_parts.resources.instance_count=4",
        "jobs.forecast_parts.component=azureml:forecast_parts:",
        "jobs.forecast.component=azureml:collect_forecasts:",
    ):
        assert part in submitted
    assert "S001 2026-12: 5,644 (4,761 to 7,003)" in done.stdout
    refused = azure.make("forecast", "ENV=dev", "PARALLEL=0", code=2)
    assert "--parallel" in refused.stderr


def test_predict_reads_the_body_that_the_verb_prints_as_text(azure):
    row = {"StoreID": "S001", "MonthYear": "2026-12", "TotalSales": 5644.0, "P10": 4761.0, "P90": 7003.0, "flags": []}
    drivers = [{"feature": "Lag1", "units": 162.0}]
    body = {
        "predictions": [{**row, "past": [{"MonthYear": "2025-12", "TotalSales": 7340.0}], "drivers": drivers}],
        "model": {"name": "demand-forecast", "version": "9", "known_until": "2026-10"},
    }
    azure.replies["^ml online-endpoint list"] = [[{"name": "gbj-dmd-dev-fc"}]]
    azure.replies["^ml online-endpoint invoke"] = {"stdout": json.dumps(json.dumps(body))}
    done = azure.make("predict", "ENV=dev", "STORE=S001", "MONTH=2026-12", "FIELDS=Price=4.5 Promotion=true")
    assert "Store S001, 2026-12: 5,644 units" in done.stdout
    assert "+162  Lag1" in done.stdout


def serving(azure, traffic):
    """An endpoint with a healthy blue, and a green beside it where it has a share."""
    content = Site(ROOT / "ml/deploy/endpoint.yml", ROOT / "ml/deploy/deployment.yml").content()
    shown = {"name": "gbj-dmd-dev-fc", "traffic": traffic, "tags": {"stable": "blue"}}
    azure.replies["^ml online-endpoint list"] = [[shown]]
    azure.replies["^ml online-endpoint show"] = {**shown, "scoring_uri": "http://127.0.0.1:9/score"}
    azure.replies["^ml online-endpoint get-credentials"] = {"primaryKey": "k"}
    azure.replies["^ml online-deployment list"] = [
        [
            recorded.deployment(azure.extension, colour, f"azureml:{MODEL}/demand-forecast/versions/9", content)
            for colour in traffic
        ]
    ]


def test_deploy_of_what_is_live_changes_nothing(azure):
    serving(azure, {"blue": 100})
    assert "version 9 is live already on blue: no change" in azure.make("deploy", "ENV=dev").stdout


def test_a_router_that_cannot_be_reached_is_said_before_anything_is_made(new_azure):
    serving(new_azure, {"blue": 100})
    new_azure.replies["^ml model list"] = [[{"name": "demand-forecast", "version": "10", "tags": {"recipe": "a"}}]]
    done = new_azure.make("deploy", "ENV=dev", code=2)
    assert "error: 127.0.0.1:9 cannot be reached from here (Connection refused)" in done.stderr
    assert "agent in the cluster's network (docs/serving.md)" in done.stderr
    for verb in ("create --file ml/deploy", "delete", "update"):
        assert new_azure.said(f"online-deployment {verb}") == []


def test_status_shows_health_in_either_spelling(azure):
    serving(azure, {"blue": 100})
    (row,) = json.loads(azure.make("status", "ENV=dev", "OUTPUT=json").stdout)["endpoint"]["deployments"]
    assert (row["healthy"], row["stable"], row["model"]) == (True, True, "demand-forecast:9")


def test_rollback_sees_the_healthy_idle_colour(azure):
    serving(azure, {"blue": 100, "green": 0})
    done = azure.make("rollback", "ENV=dev", code=2)
    assert "no idle deployment" not in done.stderr
    assert "127.0.0.1:9" in done.stderr, "it goes on to ask green, which no server answers for here"

"""Realistic slips, each one edit of a good spec: file, text, what it becomes, and a word of the finding that names it.

Each is made twice: as it is, and with the descriptions of the file taken away, so that findings of house style stand
on the same blocks. Both times the mistake itself must be told, on a line of the edit.
"""

from pathlib import Path

import pytest

from amlspec.finding import Finding
from speccheck.check import run_checks

PREPARE, TRAIN, PIPELINE = "components/prepare.yml", "components/train.yml", "pipelines/train.yml"
SCHEDULE, BLUE, ENDPOINT = "pipelines/train.schedule.yml", "deploy/blue.yml", "deploy/endpoint.yml"
COMPUTE, IMPORT, CONNECTION = "deploy/compute.yml", "data/sales.import.yml", "data/snowflake.connection.yml"
DEMAND, SCORING = "environments/demand.yml", "environments/scoring.yml"
MISTAKES = (
    (PREPARE, "type: mltable", "type: ml_table", "mltable"),
    (PREPARE, "    type: integer", "    type: int", "integer"),
    (PREPARE, "    type: integer", "    typ: integer", "typ"),
    (PREPARE, "    min: 1\n", "    minimum: 1\n", "minimum"),
    (PREPARE, "    max: 24", "    max: 0", "above max"),
    (PREPARE, "    min: 1\n", "    min: one\n", "one"),
    (PREPARE, "    default: 6", "    default: six", "six"),
    (PREPARE, "    default: 6", "    default: 60", "60"),
    (PREPARE, "    optional: true", "    optional: maybe", "refuses"),
    (PREPARE, "default: store", "default: shop", "shop"),
    (PREPARE, "enum: [store, product]", "enum: store", "enum"),
    (PREPARE, "enum: [store, product]", "enum: [store, product, shop]", "shop"),
    (PREPARE, "outputs:", "output:", "output"),
    (PREPARE, "    type: uri_folder", "    type: urifolder", "uri_folder"),
    (PREPARE, "environment: azureml:demand:1", "environment: azureml:demnd:1", "demnd"),
    (PREPARE, "environment: azureml:demand:1", "environment: demand:1", "environment"),
    (PREPARE, "environment:", "enviroment:", "enviroment"),
    (PREPARE, "code: ../../src", "code: ../src", "../src"),
    (PREPARE, "type: command", "type: comand", "comand"),
    (PREPARE, "name: prepare_features", "name: Prepare-Features", "name"),
    (PREPARE, "${{inputs.months}}", "${{inputs.month}}", "month"),
    (PREPARE, "${{inputs.months}}", "${inputs.months}", "binding"),
    (PREPARE, "--grain", "--grian", "--grian"),
    (PREPARE, "$[[--note ${{inputs.note}}]]", "--note ${{inputs.note}}", "optional"),
    (PREPARE, "]]\n  --train", "\n  --train", "not closed"),
    (PREPARE, "demand.prepare", "demand.prepair", "prepair"),
    (TRAIN, "type: mlflow_model", "type: mlflow", "mlflow"),
    (TRAIN, "default: 0.5", "default: 5", "above the maximum"),
    (TRAIN, "default: 0.5", "default: 0,5", "0,5"),
    (TRAIN, "type: number", "type: float", "float"),
    (PIPELINE, "type: pipeline", "type: pipline", "pipline"),
    (PIPELINE, "default_compute:", "default_computer:", "default_computer"),
    (PIPELINE, "azureml:cpu-cluster", "cpu-cluster", "cpu-cluster"),
    (PIPELINE, "azureml:sales@latest", "azureml:sale@latest", "sale"),
    (PIPELINE, "months: 6", "months: many", "many"),
    (PIPELINE, "  contract:\n    type: uri_file", "  contract:\n    type: uri_fil", "uri_fil"),
    (PIPELINE, "components/prepare.yml", "components/prepare.yaml", "prepare.yaml"),
    (PIPELINE, "parent.inputs.sales", "inputs.sales", "inputs.sales"),
    (PIPELINE, "parent.inputs.months", "parent.input.months", "parent.input.months"),
    (PIPELINE, "prepare.outputs.train", "prepare.outputs.model", "model"),
    (PIPELINE, "parent.jobs.prepare", "parent.jobs.prepar", "prepar"),
    (PIPELINE, "timeout: 3600", "timeout: 1h", "1h"),
    (PIPELINE, "timeout: 3600", "timout: 3600", "timout"),
    (PIPELINE, "    limits:", "    limit:", "limit"),
    (PIPELINE, "      months: ", "      month: ", "month"),
    (PIPELINE, "parent.outputs.report", "parent.outputs.reports", "reports"),
    (SCHEDULE, '"0 6 * * mon"', '"0 6 * mon"', "fields"),
    (SCHEDULE, '"0 6 * * mon"', '"0 26 * * mon"', "hour"),
    (SCHEDULE, "type: cron", "type: crom", "crom"),
    (SCHEDULE, "Eastern Standard Time", "America/New_York", "time zone"),
    (SCHEDULE, '"2026-12-01T00:00:00"', "tomorrow", "tomorrow"),
    (SCHEDULE, "./train.yml", "./trains.yml", "trains.yml"),
    (BLUE, "endpoint_name: demand-forecast", "endpoint_name: demand", "demand"),
    (BLUE, "scoring_script: score.py", "scoring_script: scores.py", "scores.py"),
    (BLUE, "instance_count: 1", "instance_count: one", "integer"),
    (BLUE, '"500m"', '"500x"', "500x"),
    (BLUE, "request_timeout_ms: 5000", "request_timeout: 5000", "Unknown field"),
    (BLUE, "request_timeout_ms: 5000", "request_timeout_ms: 5s", "integer"),
    (BLUE, "  initial_delay: 10", "  initial_dealy: 10", "Unknown field"),
    (BLUE, "  period: 10", "  period: often", "integer"),
    (BLUE, 'enabled: "true"', "enabled: yes", "enabled"),
    (BLUE, "instance_type: small", "instance_type: smal", "smal"),
    (ENDPOINT, "auth_mode: key", "auth_mode: keys", "keys"),
    (ENDPOINT, "blue: 100", "blue: 90", "90"),
    (ENDPOINT, "blue: 100", "blue: all", "all"),
    (COMPUTE, "type: kubernetes", "type: kubernets", "kubernets"),
    (IMPORT, "type: database", "type: databse", "databse"),
    (IMPORT, "  query:", "  qeury:", "query"),
    (IMPORT, "datastores/workspaceblobstore", "datastore/workspaceblobstore", "datastore"),
    (CONNECTION, "type: username_password", "type: user_password", "user_password"),
    (CONNECTION, "target:", "targt:", "Unknown field"),
    (DEMAND, "path: demand", "path: demnd", "demnd"),
    (DEMAND, "dockerfile_path: Dockerfile", "dockerfile_path: Dockerfil", "Dockerfil"),
    (SCORING, "conda_file: scoring.conda.yml", "conda_file: conda.yml", "conda.yml"),
    (SCORING, "port: 5001}\n  readiness", "port: http}\n  readiness", "integer"),
)
# How many lines above the edit its block begins, where a finding is of the block: a port, a command's optional part.
HEADS = {
    "    max: 0": 1,
    "    optional: maybe": 2,
    "enum: store": 2,
    "\n  --train": 6,
    "blue: 90": 1,
    "  qeury:": 3,
}


def findings_of(repo: Path, mistake: tuple[str, str, str, str], *, style: bool, loaders: bool = True) -> list[Finding]:
    file, old, new, _ = mistake
    path = repo / "ml" / file
    text = path.read_text()
    assert old in text
    text = text.replace(old, new, 1)
    if style:
        text = "".join(f"{'' if 'description:' in line else line}\n" for line in text.splitlines())
    path.write_text(text)
    return run_checks(repo, [path], loaders=loaders)


@pytest.mark.parametrize("style", [False, True], ids=["alone", "beside_house_style"])
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: f"{mistake[0]}: {mistake[2].strip()}")
def test_a_single_mistake_is_reported_on_its_line(mistake: tuple[str, str, str, str], style: bool, repo: Path) -> None:
    file, old, new, word = mistake
    start = (repo / "ml" / file).read_text().split(old)[0].count("\n") + 1
    findings = findings_of(repo, mistake, style=style)
    assert [f for f in findings if not f.rule.startswith("style/") and word in f.message], findings
    lines = {f.line for f in findings if word in f.message}
    first = start - HEADS.get(new, 0)
    assert lines & set(range(first, start + new.count("\n") + 1)), findings

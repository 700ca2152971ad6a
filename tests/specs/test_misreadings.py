"""Specs that are right though they look odd: azure-ai-ml's loader takes them, and so must the check."""

from pathlib import Path

import pytest

from speccheck.__main__ import main
from speccheck.check import run_checks

SCHEMA = "$schema: https://azuremlschemas.azureedge.net/latest/{}.schema.json\n"
PIPELINE = SCHEMA.format("pipelineJob") + (
    "display_name: Odd\ndescription: Odd but right.\ntype: pipeline\nexperiment_name: demand\n"
    "settings:\n  default_compute: azureml:cpu-cluster\n"
)
COMPONENT = SCHEMA.format("commandComponent") + (
    'name: odd\nversion: "1"\ndisplay_name: Odd\ndescription: Odd but right.\ntype: command\n'
)
ENVIRONMENT = SCHEMA.format("environment") + 'name: odd\nversion: "1"\ndescription: Odd but right.\n'
NODE = (
    "jobs:\n  a:\n    type: command\n    command: >-\n      echo {}\n    environment: azureml:demand:1\n"
    "    inputs:\n      x: {}\n"
)
DEPLOYMENT = SCHEMA.format("kubernetesOnlineDeployment") + (
    "name: odd\ntype: kubernetes\nendpoint_name: demand-forecast\nmodel: azureml:forecast@latest\n"
)
CODE = "  code: {}\n  scoring_script: score.py\n"
RIGHT = {
    "an output of the pipeline without a value": (
        "pipelines",
        PIPELINE
        + "outputs:\n  m:\njobs:\n  a:\n    type: command\n    command: >-\n      echo ${{outputs.o}}\n"
        + "    environment: azureml:demand:1\n    outputs:\n      o: ${{parent.outputs.m}}\n",
    ),
    "a pipeline's output without a value that a component makes": (
        "pipelines",
        PIPELINE
        + "outputs:\n  m:\njobs:\n  a:\n    type: command\n    component: ../components/prepare.yml\n"
        + "    inputs:\n      sales:\n        type: mltable\n        path: azureml:sales@latest\n"
        + "    outputs:\n      train: ${{parent.outputs.m}}\n",
    ),
    "an output of a job without a value": (
        "pipelines",
        PIPELINE
        + "jobs:\n  a:\n    type: command\n    command: >-\n      echo ${{outputs.o}}\n"
        + "    environment: azureml:demand:1\n    outputs:\n      o:\n",
    ),
    "an output bound by its path, beside a mode": (
        "pipelines",
        PIPELINE
        + "outputs:\n  m:\n    type: uri_folder\njobs:\n  a:\n    type: command\n    command: >-\n"
        + "      echo ${{outputs.o}}\n    environment: azureml:demand:1\n    outputs:\n      o:\n"
        + "        path: ${{parent.outputs.m}}\n        mode: upload\n",
    ),
    "a binding among other text": (
        "pipelines",
        PIPELINE + "inputs:\n  x: v\n" + NODE.format("${{inputs.x}}", "run-${{parent.inputs.x}}"),
    ),
    "a literal in scientific notation": (
        "pipelines",
        PIPELINE + "inputs:\n  x: 1e-3\n" + NODE.format("${{inputs.x}}", "${{parent.inputs.x}}"),
    ),
    "a default and a bound in scientific notation": (
        "components",
        COMPONENT
        + "inputs:\n  x:\n    type: number\n    min: 1e-5\n    default: 1e-3\n    description: A rate.\n"
        + "environment: azureml:demand:1\ncommand: >-\n  echo\n  ${{inputs.x}}\n",
    ),
    "file: before a component": (
        "pipelines",
        PIPELINE
        + "jobs:\n  a:\n    type: command\n    component: file:../components/prepare.yml\n"
        + "    inputs:\n      sales:\n        type: mltable\n        path: azureml:sales@latest\n",
    ),
    "file: before a path": (
        "pipelines",
        PIPELINE
        + "inputs:\n  x:\n    type: uri_folder\n    path: file:../environments\n"
        + NODE.format("${{inputs.x}}", "${{parent.inputs.x}}"),
    ),
    "file: before an environment": (
        "components",
        COMPONENT + "environment: file:../environments/demand.yml\ncommand: >-\n  echo\n",
    ),
    "file: before a deployment's code": (
        "deploy",
        DEPLOYMENT
        + "environment: azureml:scoring:2\ncode_configuration:\n"
        + CODE.format("file:../../src/scoring")
        + "instance_count: 1\n",
    ),
    "inputs called as fields are": (
        "pipelines",
        PIPELINE + "inputs:\n  compute: fast\n" + NODE.format("${{inputs.x}}", "${{parent.inputs.compute}}"),
    ),
    "routes of an environment": (
        "environments",
        ENVIRONMENT
        + "image: mcr.microsoft.com/azureml/minimal:20260901.v1\ninference_config:\n"
        + "".join(
            f"  {name}_route:\n    path: /score\n    port: 5001\n" for name in ("liveness", "readiness", "scoring")
        ),
    ),
    "routes of an environment inside a deployment": (
        "deploy",
        DEPLOYMENT
        + "environment:\n  image: mcr.microsoft.com/azureml/minimal:20260901.v1\n  inference_config:\n"
        + "".join(
            f"    {name}_route:\n      path: /score\n      port: 5001\n"
            for name in ("liveness", "readiness", "scoring")
        )
        + "code_configuration:\n"
        + CODE.format("../../src/scoring")
        + "instance_count: 1\n",
    ),
    "a pipeline job of a component": (
        "pipelines",
        PIPELINE + "inputs:\n  x: 1\ncomponent: azureml:elsewhere@latest\n",
    ),
}
FOREIGN = {
    "docker-compose.yml": "services:\n  db:\n    image: postgres:17\n    build:\n      context: .\n",
    "workflow.yml": "name: CI\non: [push]\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make\n",
    "azure-pipelines.yml": "trigger:\n  branches:\n    include: [main]\njobs:\n  - job: a\n    steps: []\n",
    "gitlab.yml": "image: python:3.11\nstages: [test]\ntest:\n  script: make\n",
    ".readthedocs.yml": "version: 2\nbuild:\n  os: ubuntu-24.04\n",
    "action.yml": "name: a\ndescription: b\nruns:\n  using: composite\n  steps: []\n",
    "kubernetes.yml": "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: a\n---\napiVersion: v1\nkind: Service\n",
    "playbook.yml": "- hosts: all\n  tasks: []\n",
    "template.yml": "Resources:\n  Role: !Ref Name\n",
    "with-schema.yml": "$schema: https://json.schemastore.org/github-workflow.json\njobs: {}\n",
}
OTHER_SPECS = ("batchEndpoint", "sparkJob", "autoMLJob", "azureFile", "workspace", "pipelineComponentBatchDeployment")


def said(repo: Path, path: Path) -> list[str]:
    return [str(finding) for finding in run_checks(repo, [path]) if not finding.rule.startswith("style/")]


@pytest.mark.parametrize("name", RIGHT)
def test_what_azure_ml_takes_is_not_refused(name: str, repo: Path) -> None:
    folder, text = RIGHT[name]
    path = repo / "ml" / folder / "odd.yml"
    path.write_text(text)
    assert said(repo, path) == []


@pytest.mark.parametrize("name", FOREIGN)
def test_yaml_of_another_program_is_not_a_finding(name: str, repo: Path) -> None:
    (repo / "ml" / name).write_text(FOREIGN[name])
    assert [str(finding) for finding in run_checks(repo, [repo / "ml" / name])] == []


@pytest.mark.parametrize("stem", OTHER_SPECS)
def test_a_kind_of_spec_that_this_repo_does_not_check_is_not_a_finding(stem: str, repo: Path) -> None:
    (repo / "ml/other.yml").write_text(SCHEMA.format(stem) + "name: other\n")
    assert said(repo, repo / "ml/other.yml") == []


def test_two_bindings_and_nothing_else_at_the_ends_are_refused_as_azure_ml_does(repo: Path) -> None:
    path = repo / "ml/pipelines/odd.yml"
    both = "${{parent.inputs.x}}-${{parent.inputs.x}}"
    path.write_text(PIPELINE + "inputs:\n  x: v\n" + NODE.format("${{inputs.x}}", both))
    (line,) = said(repo, path)
    assert "is taken for one binding by azure-ai-ml" in line


def test_an_output_of_a_component_without_a_type_is_refused_as_azure_ml_does(repo: Path) -> None:
    path = repo / "ml/components/odd.yml"
    path.write_text(
        COMPONENT + "outputs:\n  o:\nenvironment: azureml:demand:1\ncommand: >-\n  echo\n  ${{outputs.o}}\n"
    )
    (line,) = said(repo, path)
    assert "output 'o' has no type" in line


@pytest.mark.parametrize("text", [None, FOREIGN["docker-compose.yml"]])
def test_a_folder_without_specs_is_an_error_not_a_pass(
    text: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    if text is not None:
        (folder / "docker-compose.yml").write_text(text)
    assert main(["--root", str(tmp_path), str(folder)]) == 2
    assert capsys.readouterr().err == f"error: no Azure ML spec in {folder}: name the folder that holds them\n"

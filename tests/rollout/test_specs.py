"""The specs of serving: what the rollout and the local engine rely on, and pins that decide the model's numbers."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from amlspec.document import read_document
from amlspec.schema import parse
from amlspec.serving import Compute, Deployment, Endpoint
from rollout.checks import read_requests
from rollout.site import Site
from serving_kit import REPO
from speccheck.check import run_checks

DEPLOY = REPO / "ml" / "deploy"


def test_endpoint_deployment_and_compute_specs_name_each_other() -> None:
    endpoint = parse(Endpoint, read_document(DEPLOY / "endpoint.yml"))
    deployment = parse(Deployment, read_document(DEPLOY / "deployment.yml"))
    compute = parse(Compute, read_document(DEPLOY / "compute.yml"))
    environment = yaml.safe_load((REPO / "ml" / "environments" / "score.yml").read_text())
    assert deployment.endpoint_name == endpoint.name
    assert endpoint.compute == f"azureml:{compute.name}"
    assert deployment.environment == f"azureml:{environment['name']}:{environment['version']}"
    assert Site(DEPLOY / "endpoint.yml", DEPLOY / "deployment.yml").model == "demand-forecast"
    assert len(read_requests([DEPLOY / "sample-request.json"])) == 1


def test_the_compute_is_the_one_that_terraform_names() -> None:
    names = (REPO / "infra" / "outputs" / "dev.mk").read_text()
    compute = parse(Compute, read_document(DEPLOY / "compute.yml"))
    assert f"KUBERNETES_COMPUTE := {compute.name}\n" in names
    assert f"KUBERNETES_NAMESPACE := {compute.namespace}\n" in names
    assert f"CLUSTER := {compute.resource_id.rsplit('/', 1)[1]}\n" in names


def test_a_request_times_out_in_the_script_no_later_than_at_the_router() -> None:
    deployment = parse(Deployment, read_document(DEPLOY / "deployment.yml"))
    inside = int(deployment.environment_variables["SCORING_TIMEOUT_MS"])
    assert inside <= deployment.request_settings.request_timeout_ms


@pytest.mark.parametrize("name", ["numpy", "pandas", "scikit-learn", "cloudpickle", "onnxruntime", "pyyaml"])
def test_what_decides_the_numbers_is_pinned_alike_for_training_and_serving(name: str) -> None:
    training, serving = (_pins(REPO / path) for path in ("requirements.lock", "ml/environments/score/requirements.txt"))
    if name in training and name in serving:
        assert serving[name] == training[name]
    else:
        assert name in serving or name in training


def test_every_locked_package_has_hashes() -> None:
    text = (REPO / "ml/environments/score/requirements.txt").read_text()
    blocks = re.split(r"\n(?=[a-z0-9])", text)
    assert len(blocks) > 30
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []


def _pins(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ \\\n]+)", path.read_text(), flags=re.MULTILINE))


def test_check_and_engine_both_know_where_a_custom_container_has_its_model(tmp_path: Path) -> None:
    text = (DEPLOY / "deployment.yml").read_text() + "model_mount_path: /var/azureml-app/model\n"
    copied = shutil.copytree(REPO / "ml", tmp_path / "ml") / "deploy" / "deployment.yml"
    copied.write_text(text)
    assert parse(Deployment, read_document(copied)).model_mount_path == "/var/azureml-app/model"
    findings = run_checks(tmp_path, [copied], loaders=False)
    assert not [each for each in findings if "model_mount_path" in each.message and "no field" in each.message]

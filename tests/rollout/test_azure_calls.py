"""What a rollout asks of Azure: every call is one that the Azure CLI knows, and Azure's answers are understood.

The stand-in stays here since flags are held against the CLI's reference; rollouts run in tests/workspace.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import load_online_endpoint

from rollout.site import Site
from serving_kit import REPO, Shop
from serving_models import FAILS, GOOD, OTHER

STAND_IN = REPO.parent / "shared" / "tools" / "az-offline"
needs_stand_in = pytest.mark.skipif(
    not STAND_IN.is_dir(), reason="NOT CHECKED against the Azure CLI's reference: ../shared/tools/az-offline is absent"
)
MODEL = "/subscriptions/0/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/models"
IDENTITY = "/subscriptions/0/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/serving"


@needs_stand_in
@pytest.mark.slow
def test_every_call_of_deploy_failure_and_rollback_is_valid(bare_shop: Shop, faults: Any) -> None:
    log: Path = faults()
    bare_shop.rollout("deploy", "--model-version", GOOD)
    bare_shop.rollout("deploy", "--model-version", OTHER)
    bare_shop.rollout("rollback")
    bare_shop.rollout("deploy", "--model-version", FAILS, code=1)
    bare_shop.rollout("status")
    calls = {json.loads(line)["words"] for line in log.read_text().splitlines()}
    assert len(calls) > 10
    script = bare_shop.root / "calls.sh"
    # The words lost their quotes in the log; --traffic takes one value.
    quoted = [_quoted(call) for call in sorted(calls)]
    script.write_text("\n".join(f"az ml {call} -g group -w workspace" for call in quoted))
    done = subprocess.run([STAND_IN / "check-az", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert f"{len(calls)} az commands checked" in done.stdout


def _quoted(call: str) -> str:
    before, flag, rest = call.partition("--traffic ")
    if not flag:
        return call
    shares, dashes, after = rest.partition(" --")
    return f'{before}{flag}"{shares}"{dashes}{after}'


def test_the_endpoint_runs_as_the_identity_that_has_the_roles(monkeypatch: pytest.MonkeyPatch) -> None:
    site, given = Site(REPO / "ml/deploy/endpoint.yml", REPO / "ml/deploy/deployment.yml"), []
    # Azure's own loader reads the file that the call names.
    monkeypatch.setattr(site, "do", lambda *_, spec: given.append(load_online_endpoint(spec)))
    monkeypatch.setenv("SERVING_IDENTITY_ID", IDENTITY)
    site.create_endpoint()
    monkeypatch.delenv("SERVING_IDENTITY_ID")
    site.create_endpoint()
    with_identity, without = given
    assert with_identity.identity.type == "user_assigned"
    assert [each.resource_id for each in with_identity.identity.user_assigned_identities] == [IDENTITY]
    assert without.identity is None
    assert (with_identity.name, with_identity.compute) == (without.name, without.compute)


@needs_stand_in
@pytest.mark.slow
@pytest.mark.parametrize(
    ("version", "said", "extension", "state"),
    [
        ("10", "version 10 is live already on blue: no change", "2.44.1", "Succeeded"),
        ("10", "version 10 is live already on blue: no change", "2.45.0", "EndpointProvisioningState.SUCCEEDED"),
        ("9", "COLOUR", "2.45.0", "EndpointProvisioningState.SUCCEEDED"),
    ],
)
def test_make_deploy_of_dev_speaks_to_azure_and_understands_its_answers(
    tmp_path: Path, version: str, said: str, extension: str, state: str
) -> None:
    endpoint = {"name": "gbj-dmd-dev-fc", "traffic": {"blue": 100, "green": 0}, "tags": {"stable": "blue"}}
    content = Site(REPO / "ml/deploy/endpoint.yml", REPO / "ml/deploy/deployment.yml").content()
    blue = {"name": "blue", "provisioning_state": state, "model": f"azureml:{MODEL}/demand-forecast/versions/10"}
    blue["tags"] = {"content": content}
    replies = {
        "ml model list": [{"version": "9"}, {"version": "10"}, {"version": "8"}],
        "ml online-endpoint list": [endpoint],
        "ml online-endpoint show": endpoint,
        "ml online-deployment list": [blue],
    }
    # The stand-in takes a list for the answers of one call after the other.
    texts = {call: {"stdout": json.dumps(reply)} for call, reply in replies.items()}
    (tmp_path / "replies.yml").write_text(json.dumps(texts))
    env = {
        **os.environ,
        "PATH": f"{STAND_IN}{os.pathsep}{os.environ['PATH']}",
        "AZ_OFFLINE_REPLIES": str(tmp_path / "replies.yml"),
        "AZ_OFFLINE_LOG": str(tmp_path / "log.jsonl"),
        "AZ_OFFLINE_ML_VERSION": extension,
        "LOCALML_HOME": str(tmp_path / "home"),
    }
    ask = ["make", "deploy", "ENV=dev", *(["MODEL_VERSION=9", "COLOUR=blue"] if version == "9" else [])]
    done = subprocess.run(ask, cwd=REPO, env=env, capture_output=True, text=True, check=False)
    assert said in done.stdout + done.stderr
    assert (done.returncode == 0) == (version == "10")
    calls = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [call["argv"] for call in calls if call["exit"]] == []
    assert {"ml environment create", "ml model list", "ml online-deployment list"} <= {
        call["command"] for call in calls
    }

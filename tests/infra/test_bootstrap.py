"""The bootstrap of the state, the providers and the pipelines' identities, with a stand-in for az on PATH."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from machine import ME, SUB, Machine, token
from terraform_runs import AZ, ROOT

from amlspec.errors import UserError
from infra.principal import Principal, read_token

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not AZ.exists(), reason=f"NOT RUN: scripts against the stand-in az, {AZ} is not there"),
    pytest.mark.skipif(not shutil.which("terraform"), reason="NOT RUN: terraform is not on PATH"),
]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    here = Machine(tmp_path)
    yield here
    for call in here.az_calls():
        assert not call.get("errors"), call


def option(call: dict[str, Any], name: str) -> str:
    words: list[str] = call["argv"]
    return words[words.index(name) + 1]


def grants(machine: Machine) -> list[tuple[str, str, str]]:
    """(object id, role, scope) of every role assignment, in order."""
    made = [call for call in machine.az_calls() if call["command"] == "role assignment create"]
    return [(option(c, "--assignee-object-id"), option(c, "--role"), option(c, "--scope")) for c in made]


def test_the_state_has_no_keys_and_everything_may_run_twice(machine: Machine) -> None:
    for _ in range(2):
        done = machine.make("bootstrap-infra", "ENV=prod")
        assert done.returncode == 0, done.stderr
    calls = machine.az_commands()
    assert calls[: len(calls) // 2] == calls[len(calls) // 2 :]
    account = next(call for call in machine.az_calls() if call["command"] == "storage account create")
    wanted = {"--allow-shared-key-access": "false", "--allow-blob-public-access": "false", "--location": "eastus2"}
    assert {name: option(account, name) for name in wanted} == wanted
    kept = next(call for call in machine.az_calls() if call["command"].endswith("blob-service-properties update"))
    assert option(kept, "--enable-versioning") == option(kept, "--enable-container-delete-retention") == "true"
    assert 'key = "prod.tfstate"' in (machine.repo / "infra" / "outputs" / "prod.backend.hcl").read_text()


def test_the_lock_comes_last_so_that_a_missing_right_costs_nothing_else(machine: Machine) -> None:
    machine.answer({"lock create": {"stderr": "ERROR: (AuthorizationFailed) locks/write", "exit": 1}})
    done = machine.make("bootstrap-infra", "ENV=dev")
    assert done.returncode != 0
    assert machine.az_commands()[-1] == "lock create"
    assert (machine.repo / "infra" / "outputs" / "dev.backend.hcl").exists()


def test_whoever_runs_it_is_granted_by_object_id_and_the_grant_is_waited_for(machine: Machine) -> None:
    refused = {"stderr": "ERROR: AuthorizationPermissionMismatch", "exit": 1}
    machine.answer({"storage blob list": [refused, refused, "[]"]})
    done = machine.make("bootstrap-infra", "ENV=dev")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("waiting for the grant on the state") == 1
    who, role, scope = grants(machine)[0]
    assert (who, role) == (ME, "Storage Blob Data Contributor")
    assert scope.endswith("/blobServices/default/containers/tfstate")


def test_a_grant_that_never_takes_effect_ends_with_one_line(machine: Machine) -> None:
    machine.answer({"storage blob list": {"stderr": "ERROR: no", "exit": 1}})
    done = machine.make("bootstrap-infra", "ENV=dev")
    assert done.returncode != 0
    assert "error: the grant on the state to take effect did not come within" in done.stderr
    assert "lock create" not in machine.az_commands()


def test_host_encryption_is_waited_for_and_then_propagated(machine: Machine) -> None:
    states = [{"properties": {"state": state}} for state in ("Registering", "Registering", "Registered")]
    machine.answer({"feature show": states})
    assert machine.make("bootstrap-infra", "ENV=dev").returncode == 0
    commands = machine.az_commands()
    assert commands.count("feature show") == 3
    after = machine.az_calls()[commands.index("feature show") + 3]
    assert (after["command"], option(after, "--namespace")) == ("provider register", "Microsoft.Compute")


def test_every_provider_of_the_configuration_is_registered_where_it_is_not(machine: Machine) -> None:
    machine.answer({"provider show .*Microsoft.Insights": {"registrationState": "NotRegistered"}})
    assert machine.make("bootstrap-infra", "ENV=dev").returncode == 0
    asked = [option(call, "--namespace") for call in machine.az_calls() if call["command"] == "provider show"]
    text = (ROOT / "infra" / "versions.tf").read_text()
    assert asked == re.findall(r'^ *"(Microsoft\.\w+)"', text, re.M)
    made = [option(call, "--namespace") for call in machine.az_calls() if call["command"] == "provider register"]
    assert made == ["Microsoft.Insights", "Microsoft.Compute"]


def test_the_plan_may_read_and_the_apply_may_make_no_owner(machine: Machine) -> None:
    machine.answer({"monitor log-analytics workspace show": {"stderr": "ERROR: ResourceNotFound", "exit": 3}})
    done = machine.make("bootstrap-infra", "ENV=dev")
    assert done.returncode == 0, done.stderr
    assert "plan   gbj-dmd-dev-id-terraform-plan   plan-client" in done.stdout
    roles = {(who, role) for who, role, _ in grants(machine)}
    assert {role for who, role in roles if who == "plan-object"} == {"Reader", "Storage Blob Data Contributor"}
    assert {role for who, role in roles if who == "apply-object"} == {
        "Contributor",
        "Storage Blob Data Contributor",
        "User Access Administrator",
    }
    made = [call for call in machine.az_calls() if call["command"] == "role assignment create"]
    bound = next(call for call in made if option(call, "--role") == "User Access Administrator")
    condition = option(bound, "--condition")
    for owner in ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"):
        assert condition.count(owner) == 2
    assert "@Request[" in condition
    assert "@Resource[" in condition
    assert "run this again after the first deployment" in done.stdout
    assert "monitor diagnostic-settings create" not in machine.az_commands()


def test_after_the_first_deployment_the_plan_reads_the_cluster_and_the_state_is_logged(machine: Machine) -> None:
    assert machine.make("bootstrap-infra", "ENV=dev").returncode == 0
    scopes = {role: scope for who, role, scope in grants(machine) if who == "plan-object"}
    group = f"/subscriptions/{SUB}/resourceGroups/gbj-dmd-dev-rg"
    assert scopes["Azure Kubernetes Service Cluster Admin Role"] == group
    assert "monitor diagnostic-settings create" in machine.az_commands()


def test_two_subscriptions_at_once_are_refused(machine: Machine) -> None:
    done = machine.make("bootstrap-infra", "ENV=dev", ARM_SUBSCRIPTION_ID="another")
    assert done.returncode != 0
    assert f"error: ARM_SUBSCRIPTION_ID is another, az works in {SUB}" in done.stderr
    assert "group create" not in machine.az_commands()


@pytest.mark.parametrize(
    ("claims", "kind"), [({"scp": "user_impersonation"}, "User"), ({"idtyp": "app"}, "ServicePrincipal")]
)
def test_a_token_names_people_and_applications_by_object_id(claims: dict[str, str], kind: str) -> None:
    assert read_token(token(oid=ME, **claims)) == Principal(ME, kind)


@pytest.mark.parametrize("text", ["", "opaque", token(sub="x"), "a.b.c"])
def test_a_token_without_an_object_id_ends_with_one_line(text: str) -> None:
    with pytest.raises(UserError, match="names no object id"):
        read_token(text)

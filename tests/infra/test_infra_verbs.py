"""The Makefile's verbs and the two shell scripts, with stand-ins for az and terraform on PATH."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from machine import CLUSTER, Machine
from terraform_runs import AZ, ROOT

pytestmark = pytest.mark.slow  # each call starts the program

needs_az = pytest.mark.skipif(not AZ.exists(), reason=f"NOT RUN: scripts against the stand-in az, {AZ} is not there")
needs_terraform = pytest.mark.skipif(not shutil.which("terraform"), reason="NOT RUN: terraform is not on PATH")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    here = Machine(tmp_path)
    yield here
    for call in here.az_calls():
        assert not call.get("errors"), call


VERBS = [
    *("plan-infra", "deploy-infra", "destroy-infra", "outputs-infra", "bootstrap-infra", "attach-infra"),
    *("lock-infra", "renew-certificate"),
]


@pytest.mark.parametrize("verb", VERBS)
def test_local_has_no_infrastructure_and_says_so_in_one_line(verb: str, machine: Machine) -> None:
    done = machine.make(verb)
    assert done.returncode == 2
    first = done.stderr.splitlines()[0]
    assert first == f"error: ENV=local is this machine and has no infrastructure: make {verb} ENV=dev (or prod)"
    assert machine.terraform_calls() == machine.az_calls() == []


@needs_az
@needs_terraform
def test_plan_uses_the_environments_values_and_state_and_reports(machine: Machine) -> None:
    machine.will(("azurerm_key_vault.main", ["delete", "create"]))
    done = machine.make("plan-infra", "ENV=dev")
    assert done.returncode == 0, done.stderr
    init, plan, show = machine.terraform_calls()
    assert init == "init -input=false -reconfigure -backend-config=outputs/dev.backend.hcl"
    assert plan == "plan -input=false -var-file=environments/dev.tfvars -out=outputs/dev.tfplan"
    assert show == "show -json outputs/dev.tfplan"
    assert 'key = "dev.tfstate"' in (machine.repo / "infra" / "outputs" / "dev.backend.hcl").read_text()
    assert "refused: azurerm_key_vault.main would be replaced" in done.stdout
    assert "make deploy-infra would refuse this plan" in done.stdout


@needs_terraform
def test_deploy_without_a_saved_plan_applies_nothing(machine: Machine) -> None:
    done = machine.make("deploy-infra", "ENV=dev")
    assert done.returncode != 0
    assert "error: no saved plan for dev: make plan-infra ENV=dev" in done.stderr
    assert machine.terraform_calls() == []


@pytest.mark.slow
@needs_az
@needs_terraform
def test_deploy_applies_the_saved_plan_then_names_then_attaches(machine: Machine) -> None:
    (machine.repo / "infra" / "outputs" / "dev.tfplan").write_text("plan")
    done = machine.make("deploy-infra", "ENV=dev")
    assert done.returncode == 0, done.stderr + done.stdout
    # A fresh checkout has no providers yet; without them `show` cannot read the plan.
    assert [call.split()[0] for call in machine.terraform_calls()[:3]] == ["init", "show", "apply"]
    applied = [call for call in machine.terraform_calls() if call.startswith("apply")]
    assert applied == ["apply -input=false outputs/dev.tfplan"]
    assert not (machine.repo / "infra" / "outputs" / "dev.tfplan").exists()
    assert f"CLUSTER_ID := {CLUSTER}" in (machine.repo / "infra" / "outputs" / "dev.deployed.mk").read_text()
    assert machine.az_commands()[-1] == "ml compute attach"
    attach = machine.az_calls()[-1]["argv"]
    assert attach[attach.index("--resource-id") + 1] == CLUSTER


@needs_az
@needs_terraform
def test_deploy_stops_at_a_refused_plan(machine: Machine) -> None:
    (machine.repo / "infra" / "outputs" / "prod.tfplan").write_text("plan")
    machine.will(("azurerm_storage_account.main", ["delete"]))
    done = machine.make("deploy-infra", "ENV=prod")
    assert done.returncode != 0
    assert "refused: azurerm_storage_account.main would be deleted" in done.stdout
    assert not [call for call in machine.terraform_calls() if call.startswith("apply")]
    assert (machine.repo / "infra" / "outputs" / "prod.tfplan").exists()


@needs_az
@needs_terraform
@pytest.mark.parametrize("confirm", [[], ["CONFIRM=dev"]])
def test_destroy_prod_needs_prod_typed(confirm: list[str], machine: Machine) -> None:
    machine.will(("azurerm_key_vault.main", ["delete"]))
    done = machine.make("destroy-infra", "ENV=prod", *confirm)
    assert done.returncode != 0
    assert "destroy prod: 1 resources go" in done.stdout
    assert "nothing was destroyed" in done.stderr
    assert not [call for call in machine.terraform_calls() if call.startswith("apply")]


@needs_az
@needs_terraform
@pytest.mark.parametrize(("purge", "value"), [([], "true"), (["PURGE=no"], "false")])
def test_destroy_applies_the_listed_plan_and_frees_devs_names_unless_asked_not_to(
    purge: list[str], value: str, machine: Machine
) -> None:
    machine.will(("azurerm_subnet.main", ["delete"]))
    done = machine.make("destroy-infra", "ENV=dev", "CONFIRM=dev", *purge)
    assert done.returncode == 0, done.stderr
    plan = next(call for call in machine.terraform_calls() if call.startswith("plan"))
    assert plan.startswith("plan -destroy ")
    assert plan.endswith(f"-var=destroying=true -var=purge_on_destroy={value}")
    assert machine.terraform_calls()[-1] == "apply -input=false outputs/dev.destroy.tfplan"


@needs_az
@needs_terraform
def test_prods_names_stay_unless_a_purge_is_asked_for(machine: Machine) -> None:
    machine.will(("azurerm_subnet.main", ["delete"]))
    assert machine.make("destroy-infra", "ENV=prod", "CONFIRM=prod").returncode == 0
    plan = next(call for call in machine.terraform_calls() if call.startswith("plan"))
    assert plan.endswith("-var=purge_on_destroy=false")


@needs_az
@needs_terraform
@pytest.mark.parametrize("variable", ["TF_BUILD", "CI"])
def test_a_pipeline_takes_only_the_providers_of_the_committed_lock(variable: str, machine: Machine) -> None:
    lock = machine.repo / "infra" / ".terraform.lock.hcl"
    done = machine.make("plan-infra", "ENV=dev", **{variable: "True"})
    assert done.returncode == 2
    assert done.stderr.startswith("error: infra/.terraform.lock.hcl is missing")
    assert machine.terraform_calls() == []
    lock.write_text("")
    assert machine.make("plan-infra", "ENV=dev", **{variable: "True"}).returncode == 0
    assert "-lockfile=readonly" in machine.terraform_calls()[0]


@needs_az
@needs_terraform
def test_a_missing_state_account_points_to_the_bootstrap(machine: Machine) -> None:
    done = machine.make("plan-infra", "ENV=dev", TERRAFORM_FAILS="init")
    assert done.returncode != 0
    assert "make bootstrap-infra ENV=dev" in done.stderr


@pytest.mark.parametrize("verb", ["plan-infra", "outputs-infra"])
def test_without_az_and_without_a_subscription_in_the_environment_one_line_says_so(
    verb: str, machine: Machine, tmp_path: Path
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("bash", "make", "sh"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    (machine.bin / "az").unlink(missing_ok=True)
    done = machine.make(verb, "ENV=dev", PATH=f"{machine.bin}:{tools}")
    assert done.returncode == 2
    assert [line for line in done.stderr.splitlines() if not line.startswith("make: ***")] == [
        "error: az is not on PATH: `make doctor` says what to install"
    ]
    assert machine.terraform_calls() == []


ATTACHED = {
    "GROUP": "g",
    "WORKSPACE": "w",
    "CLUSTER": "c",
    "CLUSTER_ID": CLUSTER,
    "SERVING_IDENTITY_ID": "/subscriptions/s/id",
    "KUBERNETES_COMPUTE": "aks-inference",
    "KUBERNETES_NAMESPACE": "demand",
}


@needs_az
def test_attach_leaves_an_attached_cluster_alone(machine: Machine) -> None:
    machine.answer({"ml compute list": [[{"name": "aks-inference", "resource_id": CLUSTER.upper()}]]})
    done = machine.run(["infra/attach.sh"], ATTACHED)
    assert done.returncode == 0, done.stderr
    assert machine.az_commands() == ["aks command invoke", "ml compute list"]


@needs_az
def test_attach_refuses_a_name_that_belongs_to_another_cluster(machine: Machine) -> None:
    machine.answer({"ml compute list": [[{"name": "aks-inference", "resource_id": "/subscriptions/other"}]]})
    done = machine.run(["infra/attach.sh"], ATTACHED)
    assert done.returncode == 1
    assert "detach it first" in done.stderr
    assert "ml compute attach" not in machine.az_commands()


@needs_az
def test_attach_says_which_values_are_missing(machine: Machine) -> None:
    done = machine.run(["infra/attach.sh"], {**ATTACHED, "CLUSTER": ""})
    assert done.returncode == 2
    assert done.stderr == "error: CLUSTER not set: make attach-infra ENV=dev (or prod) sets it\n"


@needs_az
@pytest.mark.parametrize("answer", [{"exitCode": 1, "logs": "error: no"}, {"exitCode": None, "reason": "no node"}, ""])
def test_attach_stops_when_the_namespace_cannot_be_made(answer: object, machine: Machine) -> None:
    machine.answer({"aks command invoke": answer})
    done = machine.run(["infra/attach.sh"], ATTACHED)
    assert done.returncode == 1
    assert "on cluster c: kubectl create namespace demand: " in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "ml compute attach" not in machine.az_commands()


@needs_az
def test_instance_types_go_to_the_cluster_as_a_file_and_kubectls_answer_is_printed(machine: Machine) -> None:
    machine.answer({"aks command invoke": {"exitCode": 0, "logs": "scoring created\n"}})
    done = machine.make("instance-types", "ENV=dev")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "scoring created\n"
    (call,) = machine.az_calls()
    words = call["argv"]
    assert Path(words[words.index("--file") + 1]) == machine.repo / "ml" / "deploy" / "instance-types.yml"
    assert words[words.index("--command") + 1] == "kubectl apply --filename instance-types.yml"


@needs_az
@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (
            {"exitCode": 1, "logs": 'error: no matches for kind "InstanceType"'},
            "ended with 1: error: no matches for kind",
        ),
        ({"exitCode": None, "logs": None, "reason": "no node fits"}, "did not run: no node fits"),
        ("", "did not run: no message"),
        ({"stderr": "ERROR: (ResourceNotFound) The Resource 'c' was not found\n", "exit": 3}, "ResourceNotFound"),
    ],
)
def test_instance_types_fail_where_kubectl_failed_or_did_not_run_though_az_ends_with_0(
    answer: object, says: str, machine: Machine
) -> None:
    machine.answer({"aks command invoke": answer})
    done = machine.make("instance-types", "ENV=dev")
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]
    assert line.startswith("error: on cluster gbj-dmd-dev-aks: kubectl apply: ")
    assert says in line


def test_a_laptop_has_no_instance_types(machine: Machine) -> None:
    done = machine.make("instance-types")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == "error: ENV=local has no cluster: make instance-types ENV=dev (or prod)"
    assert machine.az_calls() == []


TLS = {"VAULT": "kv", "SCORING_CERTIFICATE": "tls", "SCORING_SECRET": "tls", "SCORING_HOST": "demand.example"}
NOT_THERE = {"stderr": "ERROR: (SecretNotFound) A secret with (name/id) tls was not found", "exit": 3}


@needs_az
@pytest.mark.parametrize(("installed", "code"), [("no", 0), ("yes", 1)])
def test_a_missing_certificate_is_the_next_step_of_a_first_deployment_and_else_an_error(
    installed: str, code: int, machine: Machine
) -> None:
    machine.answer({"keyvault secret show": NOT_THERE})
    done = machine.run(["infra/attach.sh"], {**ATTACHED, **TLS, "EXTENSION_INSTALLED": installed})
    assert done.returncode == code
    assert "az keyvault certificate import --vault-name kv --name tls" in done.stdout + done.stderr
    assert "ml compute attach" not in machine.az_commands()


@needs_az
def test_a_vault_that_cannot_be_read_is_an_error_in_every_deployment(machine: Machine) -> None:
    machine.answer(
        {"keyvault secret show": {"stderr": "ERROR: (ForbiddenByConnection) Public access is off", "exit": 1}}
    )
    done = machine.run(["infra/attach.sh"], {**ATTACHED, **TLS, "EXTENSION_INSTALLED": "no"})
    assert done.returncode == 1
    assert "vault kv does not give the certificate tls" in done.stderr
    assert "ForbiddenByConnection" in done.stderr


def rule(destination: object, status: str = "Active", kind: str = "fqdn") -> dict[str, object]:
    """As azure-ai-ml writes a rule of the managed network."""
    return {"name": "r", "type": kind, "category": "user_defined", "status": status, "destination": destination}


@needs_az
@pytest.mark.parametrize(
    ("rules", "code", "says"),
    [
        ([rule("pypi.org"), rule("*.snow.example"), rule({"port": 1}, kind="service_tag")], 0, "reach the 2 names"),
        ([rule("pypi.org")], 1, "jobs cannot reach *.snow.example: workspace w has no rule for it"),
        ([rule("pypi.org"), rule("*.snow.example", "Inactive")], 1, "az ml workspace provision-network --name w"),
        ([rule("pypi.org"), rule("*.snow.example"), rule("x.example")], 0, "warning: workspace w also lets jobs"),
    ],
)
def test_attach_compares_the_outbound_rules_with_the_listed_names(
    rules: list[dict[str, object]], code: int, says: str, machine: Machine
) -> None:
    machine.answer({"ml workspace outbound-rule list": [rules]})
    done = machine.run(["infra/attach.sh"], {**ATTACHED, "OUTBOUND_FQDNS": "pypi.org,*.snow.example"})
    assert done.returncode == code, done.stderr
    assert says in done.stdout + done.stderr


@pytest.mark.skipif(not AZ.exists(), reason=f"NOT RUN: check-az on scripts and docs, {AZ} is not there")
def test_every_az_command_in_makefile_scripts_and_docs_exists() -> None:
    command = [
        sys.executable,
        str(AZ / "check-az"),
        "--no-deprecated",
        "Makefile",
        "README.md",
        "infra",
        "docs",
        "scripts",
    ]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout

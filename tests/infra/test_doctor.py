"""The doctor: one line a finding, each with its fix, on machines that lack this or that."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from terraform_runs import AZ, ROOT

from infra import doctor, subscription
from pipeline import extension

SUB = "11111111-2222-3333-4444-555555555555"
Replies = dict[str, Any]
OWNER = {"value": [{"actions": ["*"], "notActions": []}]}
CONTRIBUTOR = {"actions": ["*"], "notActions": ["Microsoft.Authorization/*/Write", "Microsoft.Authorization/*/Delete"]}
RBAC_ADMINISTRATOR = {"actions": ["Microsoft.Authorization/roleAssignments/write", "*/read"], "notActions": []}
ACCESS_ADMINISTRATOR = {"actions": ["Microsoft.Authorization/*", "*/read"], "notActions": []}


def sku(size: str, *zones: str, restrictions: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    places = [{"location": "westus3", "zones": list(zones)}]
    return {"resourceType": "virtualMachines", "name": size, "locationInfo": places, "restrictions": restrictions or []}


def use(name: str, limit: int, used: int, **more: str) -> dict[str, Any]:
    return {"name": {"value": name, "localizedValue": name}, "limit": limit, "currentValue": used, **more}


# What a program answers, by its first words or by a part of the path that it asks for; the first that fits.
HEALTHY: Replies = {
    "terraform version": {"terraform_version": "1.11.4"},
    "az version": {"azure-cli": "2.90.0", "extensions": {"ml": extension.RECOMMENDED}},
    "az account": {"id": SUB, "name": "Demand", "state": "Enabled", "user": {"name": "a@b.example"}},
    "az provider": [{"namespace": "Microsoft.Storage", "registrationState": "Registered"}],
    "az feature": {"properties": {"state": "Registered"}},
    "az /permissions": OWNER,
    "az Compute/locations": {"value": [use(subscription.NODE_FAMILY, 100, 60), use("cores", 100, 50)]},
    "az MachineLearningServices/locations": {"value": [use("standardDSv3Family", 24, 0)]},
    "az /skus": {"value": [sku("Standard_D2s_v5", "1", "2", "3"), sku("Standard_D4s_v5", "1", "2", "3")]},
    "az workspaces?": {"value": []},
    "az workspaces/": None,
}
VALUES = """location = "westus3"
alert_emails = ["team@globojava.com"]
aks_system = { vm_size = "Standard_D2s_v5", min = 1, max = 2 }
aks_user   = { vm_size = "Standard_D4s_v5", min = 1, max = 2 }
training_max_nodes = 2
platform_group_id        = "0"
data_scientists_group_id = "0"
"""
VERSIONS = 'resource_providers_to_register = [\n "Microsoft.Storage", # a reason\n]\n'
PROGRAM = """#!{}
import json, sys
words = " ".join(sys.argv[1:])
for key, found in json.loads({}).items():
    key = key.split(" ", 1)[1]
    if key in words if "/" in key or "?" in key else words.startswith(key):
        print(json.dumps(found))
        sys.exit(0)
sys.exit(1)
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, Path]]:
    """Build PATH out of the given answers alone and run the doctor; no answer means: the program is not there."""

    def run(env: str = "dev", infra: Path | None = None, **changes: Any) -> int:
        replies = {**HEALTHY, **{key.replace("_", " ", 1): value for key, value in changes.items()}}
        for program in ("az", "terraform"):
            known = {key: value for key, value in replies.items() if key.startswith(program) and value is not None}
            if not known:
                continue
            script = tmp_path / program
            script.write_text(PROGRAM.format(sys.executable, repr(json.dumps(known))))
            script.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        folder = infra or healthy_values(tmp_path)
        return doctor.main(["--env", env, "--infra", str(folder)])

    return run  # type: ignore[return-value]


def healthy_values(tmp_path: Path) -> Path:
    folder = tmp_path / "infra" / "environments"
    folder.mkdir(parents=True, exist_ok=True)
    for env in ("dev", "prod"):
        (folder / f"{env}.tfvars").write_text(VALUES)
    (folder.parent / "versions.tf").write_text(VERSIONS)
    (folder.parent / doctor.LOCK).touch()
    return folder.parent


def test_a_complete_machine_gets_no_finding_but_a_line_that_says_so(
    machine: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert machine() == 0
    out = capsys.readouterr().out
    assert "nothing is missing" in out
    assert "MISSING" not in out
    assert "advice" not in out
    assert "40 cores free in westus3, 12 needed" in out
    assert "24 cores free in westus3, 10 needed" in out


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"terraform_version": None}, "terraform .* missing  -> install terraform >= 1.11.2"),
        ({"terraform_version": {"terraform_version": "1.11.1"}}, "terraform .* 1.11.1  -> install terraform"),
        (
            {"az_version": {"azure-cli": "2.60.0", "extensions": {"ml": extension.RECOMMENDED}}},
            "az .* 2.60.0  -> az upgrade",
        ),
        ({"az_version": {"azure-cli": "2.90.0"}}, "az ml extension .* missing  -> az extension add --name ml"),
        ({"az_version": {"azure-cli": "2.90.0", "extensions": {"ml": "2.40.0"}}}, "2.40.0  -> az extension remove"),
        ({"az_account": None}, "login .* nobody is signed in  -> az login"),
        ({"az_account": {**HEALTHY["az account"], "state": "Disabled"}}, "Disabled  -> az account set"),
        (
            {"az_provider": [{"namespace": "Microsoft.Storage", "registrationState": "NotRegistered"}]},
            "Microsoft.Storage .* NotRegistered  -> az provider register --namespace Microsoft.Storage",
        ),
        ({"az_provider": []}, "provider Microsoft.Storage .* not visible"),
        (
            {"az_feature": {"properties": {"state": "Registering"}}},
            "Registering  -> make bootstrap-infra registers it",
        ),
        ({"az_/permissions": None}, "rights .* not visible  -> ask for Reader"),
        (
            {"az_/permissions": {"value": [CONTRIBUTOR]}},
            "rights .* without Microsoft.Authorization/roleAssignments/write, Microsoft.Authorization/locks/write",
        ),
        (
            {"az_/permissions": {"value": [CONTRIBUTOR, RBAC_ADMINISTRATOR]}},
            "rights .* without Microsoft.Authorization/locks/write  -> ask for Owner",
        ),
        ({"az_Compute/locations": None}, "quota .* not visible in westus3  -> ask for Reader"),
        (
            {"az_Compute/locations": {"value": [use("cores", 100, 0)]}},
            "quota standardDSv5Family .* 0 cores free .* 12 needed  -> ask for 12 cores",
        ),
        (
            {"az_Compute/locations": {"value": [use(subscription.NODE_FAMILY, 100, 0), use("cores", 10, 0)]}},
            "quota all families .* 10 cores free .* 12 needed  -> ask for 12 cores of all families",
        ),
        (
            {"az_MachineLearningServices/locations": {"value": [use("Standard DSv3 Family Cluster Dedicated", 6, 0)]}},
            "quota of Azure ML .* 6 cores free .* 10 needed",
        ),
        ({"az_/skus": {"value": [sku("Standard_D2s_v5", "1")]}}, "size Standard_D4s_v5 .* not offered in westus3"),
        (
            {"az_/skus": {"value": [sku("Standard_D2s_v5", restrictions=[{"type": "Location"}])]}},
            "size Standard_D2s_v5 .* not offered in westus3",
        ),
        (
            {"az_workspaces?": {"value": [{"name": "gbj-dmd-dev-mlw"}]}},
            "gbj-dmd-dev-mlw is soft-deleted  -> recover or purge it",
        ),
    ],
)
def test_each_missing_tool_or_right_is_one_line_with_its_fix(
    changes: dict[str, Any], line: str, machine: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert machine(**changes) == 1
    lines = [text for text in capsys.readouterr().out.splitlines() if text.startswith("MISSING")]
    assert any(re.search(line, text) for text in lines), lines


def test_contributor_and_user_access_administrator_are_enough(machine: Callable[..., int]) -> None:
    assert machine(**{"az_/permissions": {"value": [CONTRIBUTOR, ACCESS_ADMINISTRATOR]}}) == 0


def test_a_zone_that_is_closed_to_the_subscription_counts_as_missing() -> None:
    closed = [{"type": "Zone", "restrictionInfo": {"zones": ["3"]}}]
    answer = sku("Standard_D4s_v5", "1", "2", "3", restrictions=closed)
    finding = subscription._size("Standard_D4s_v5", answer, ["1", "2", "3"], "westus3")
    assert finding.state == "zones 1, 2 of westus3"
    assert finding.fix == "take 3 out of aks_zones, or choose another size"


def test_a_deployed_workspace_holds_its_own_name(
    machine: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    name = {"name": "gbj-dmd-dev-mlw"}
    assert machine(**{"az_workspaces?": {"value": [name]}, "az_workspaces/": name}) == 0
    assert "gbj-dmd-dev-mlw is deployed" in capsys.readouterr().out


def edited(tmp_path: Path, old: str, new: str) -> Path:
    folder = healthy_values(tmp_path)
    for path in (folder / "environments").glob("*.tfvars"):
        path.write_text(VALUES.replace(old, new))
    return folder


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('platform_group_id        = "0"', "", "platform_group_id .* whoever applies is the only one in the cluster"),
        ('data_scientists_group_id = "0"', "", "data_scientists_group_id .* nobody but whoever applies may submit"),
        ("location", 'budget_start = "2020-01-01T00:00:00Z"\nlocation', "budget_start .* 2020-01-01  -> a new environ"),
        ("location", 'budget_start = "2999-01-01T00:00:00Z"\nlocation', "budget_start .* 2999-01-01  -> a new environ"),
    ],
)
def test_what_does_not_stop_a_deployment_is_only_advice(
    old: str, new: str, line: str, machine: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert machine(infra=edited(tmp_path, old, new)) == 0
    lines = [text for text in capsys.readouterr().out.splitlines() if text.startswith("advice")]
    assert len(lines) == 1
    assert re.search(line, lines[0])


def test_the_current_month_and_a_year_from_it_are_a_budgets_start() -> None:
    today = dt.date(2026, 12, 15)
    for start, count in (("2026-12-01", 0), ("2027-12-01", 0), ("2026-11-01", 1), ("2028-01-01", 1)):
        assert len(starts(start, today)) == count, start


def starts(start: str, today: dt.date) -> list[subscription.Finding]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "environments"
        path.mkdir()
        (path / "dev.tfvars").write_text(f'budget_start = "{start}T00:00:00Z"\n')
        return doctor.check_budget("dev", Path(folder), today)


def test_a_closed_network_needs_snowflakes_stage(
    machine: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    closed = 'managed_network_isolation = "AllowOnlyApprovedOutbound"\nlocation'
    assert machine(infra=edited(tmp_path, "location", closed)) == 1
    assert "select system$allowlist()" in capsys.readouterr().out


def test_a_missing_lock_of_the_providers_is_advice(
    machine: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = healthy_values(tmp_path)
    (folder / doctor.LOCK).unlink()
    assert machine(infra=folder) == 0
    assert "make lock-infra" in capsys.readouterr().out


def test_the_providers_are_those_of_the_configuration() -> None:
    names = subscription.registered_in(ROOT / "infra")
    assert {"Microsoft.MachineLearningServices", "Microsoft.ContainerService", "Microsoft.Storage"} <= set(names)
    assert len(names) >= 13


def test_without_az_nothing_is_asked_of_azure(machine: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    gone = {key.replace(" ", "_"): None for key in HEALTHY if key.startswith("az")}
    assert machine(**gone) == 1
    out = capsys.readouterr().out
    assert "install the Azure CLI" in out
    assert "login" not in out


def test_the_local_environment_needs_python_alone(
    machine: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert machine(env="local", terraform_version=None, az_account=None) == 0
    assert "ENV=local needs Python alone" in capsys.readouterr().out


def test_example_values_are_pointed_at_by_line(machine: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert machine(infra=ROOT / "infra") == 1
    lines = (ROOT / "infra" / "environments" / "dev.tfvars").read_text().splitlines()
    number = next(i for i, line in enumerate(lines, 1) if doctor.DOCUMENTATION_RANGE in line)
    out = capsys.readouterr().out
    assert f"dev.tfvars:{number}; this one reaches nobody" in out
    assert "alert_emails" in out


def test_snowflakes_storage_hosts_come_with_the_query_that_finds_them(tmp_path: Path) -> None:
    (tmp_path / "environments").mkdir()
    values = 'snowflake_stage_fqdns = ["stage.blob.core.example"]\nother = "a.example"\n'
    (tmp_path / "environments" / "prod.tfvars").write_text(values)
    stage, other = doctor.check_values("prod", tmp_path)
    assert "prod.tfvars:1" in stage.fix
    assert stage.fix.endswith("where value:type = 'STAGE'")
    assert "system$allowlist()" not in other.fix


@pytest.mark.skipif(not AZ.exists(), reason=f"NOT RUN: check of the doctor's az commands, {AZ} is not there")
def test_every_az_command_that_the_doctor_calls_or_proposes_exists(
    machine: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad: Replies = {
        "az_version": {"azure-cli": "2.60.0", "extensions": {"ml": "2.40.0"}},
        "az_provider": [],
        "az_/permissions": {"value": [CONTRIBUTOR]},
        "az_feature": {"properties": {"state": "NotRegistered"}},
    }
    machine(**bad)
    fixes = [line.split("-> ")[1] for line in capsys.readouterr().out.splitlines() if "-> az " in line]
    script = tmp_path / "fixes.sh"
    script.write_text("\n".join(fixes) + "\naz login && az account set --subscription x\n")
    command = [sys.executable, str(AZ / "check-az"), str(script)]
    env = {**os.environ, "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, env=env, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout
    assert len(fixes) >= 3


@pytest.mark.parametrize("env", ["dev", "prod"])
def test_the_needed_quota_is_that_of_both_pools_at_their_maximum(env: str) -> None:
    text = (ROOT / "infra" / "environments" / f"{env}.tfvars").read_text()
    pools = re.findall(r'^aks_\w+ += \{ vm_size = "Standard_D(\d)s_v5", min = \d, max = (\d) \}', text, re.M)
    assert len(pools) == 2
    assert doctor.cores_of(env, ROOT / "infra") == sum(int(cores) * int(nodes) for cores, nodes in pools)


def test_the_sizes_of_the_computes_are_the_configurations_defaults() -> None:
    text = (ROOT / "infra" / "variables.tf").read_text()
    for name, size in doctor.TRAINING_SIZES.items():
        block = text.split(f'variable "{name}"')[1].split("variable ")[0]
        assert f'default     = "{size}"' in block

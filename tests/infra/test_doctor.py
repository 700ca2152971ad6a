"""The doctor: one line a finding, each with its fix, on machines that lack this or that."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from terraform_runs import AZ, ROOT

from infra import doctor

SUB = "11111111-2222-3333-4444-555555555555"
Replies = dict[str, Any]
HEALTHY: Replies = {
    "terraform version": {"terraform_version": "1.11.4"},
    "az version": {"azure-cli": "2.90.0", "extensions": {"ml": doctor.ML_EXTENSION}},
    "az account": {"id": SUB, "name": "Demand", "state": "Enabled", "user": {"name": "a@b.example"}},
    "az provider": {"registrationState": "Registered"},
    "az feature": {"properties": {"state": "Registered"}},
    "az rest": {"value": [{"name": {"value": doctor.FAMILY}, "limit": 100, "currentValue": 60}]},
}
VALUES = """location = "westus3"
alert_emails = ["team@globojava.com"]
aks_system = { vm_size = "Standard_D2s_v5", min = 1, max = 2 }
aks_user   = { vm_size = "Standard_D4s_v5", min = 1, max = 2 }
"""
PROGRAM = """#!{}
import json, sys
found = json.loads({}).get("{} " + sys.argv[1])
if found is None:
    sys.exit(1)
print(json.dumps(found))
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, Path]]:
    """Build PATH out of the given answers alone and run the doctor; no answer means: the program is not there."""

    def run(env: str = "dev", infra: Path | None = None, **changes: Any) -> int:
        replies = {**HEALTHY, **{key.replace("_", " "): value for key, value in changes.items()}}
        for program in ("az", "terraform"):
            known = {key: value for key, value in replies.items() if key.startswith(program) and value is not None}
            if not known:
                continue
            script = tmp_path / program
            script.write_text(PROGRAM.format(sys.executable, json.dumps(json.dumps(known)), program))
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
    return folder.parent


def test_a_complete_machine_is_told_so(machine: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert machine() == 0
    out = capsys.readouterr().out
    assert "nothing is missing" in out
    assert "MISSING" not in out
    assert "40 cores free in westus3, 12 needed" in out


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"terraform_version": None}, "terraform .* missing  -> install terraform >= 1.9.0"),
        ({"terraform_version": {"terraform_version": "1.5.7"}}, "terraform .* 1.5.7  -> install terraform"),
        (
            {"az_version": {"azure-cli": "2.60.0", "extensions": {"ml": doctor.ML_EXTENSION}}},
            "az .* 2.60.0  -> az upgrade",
        ),
        ({"az_version": {"azure-cli": "2.90.0"}}, "az ml extension .* missing  -> az extension add --name ml"),
        ({"az_version": {"azure-cli": "2.90.0", "extensions": {"ml": "2.45.0"}}}, "2.45.0  -> az extension remove"),
        ({"az_account": None}, "login .* nobody is signed in  -> az login"),
        ({"az_account": {**HEALTHY["az account"], "state": "Disabled"}}, "Disabled  -> az account set"),
        ({"az_provider": {"registrationState": "NotRegistered"}}, "NotRegistered  -> az provider register"),
        ({"az_feature": {"properties": {"state": "NotRegistered"}}}, "NotRegistered  -> az feature register"),
        ({"az_rest": None}, "quota .* not visible in westus3  -> ask for Reader"),
        (
            {"az_rest": {"value": []}},
            "quota standardDSv5Family .* 0 cores free .* 12 needed  -> ask for 12 cores",
        ),
    ],
)
def test_each_lack_is_one_line_with_its_fix(
    changes: dict[str, Any], line: str, machine: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert machine(**changes) == 1
    found = [text for text in capsys.readouterr().out.splitlines() if text.startswith("MISSING")]
    assert any(re.search(line, text) for text in found), found


def test_without_az_nothing_is_asked_of_azure(machine: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    gone = {key.replace(" ", "_"): None for key in HEALTHY if key.startswith("az")}
    assert machine(**gone) == 1
    out = capsys.readouterr().out
    assert "install the Azure CLI" in out
    assert "login" not in out


def test_local_needs_python_alone(machine: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
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
        "az_version": {"azure-cli": "2.60.0", "extensions": {"ml": "2.45.0"}},
        "az_provider": {"registrationState": "NotRegistered"},
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
    assert len(fixes) >= 5


def test_the_quota_is_that_of_both_pools_at_their_most() -> None:
    assert doctor.cores_of("dev", ROOT / "infra") == 2 * 2 + 2 * 4
    assert doctor.cores_of("prod", ROOT / "infra") == 5 * 2 + 6 * 4

"""Drift of the infrastructure: real plans of real Terraform, and what the provider would report as changed outside."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from amlspec.errors import UserError
from drift import terraform

needs_terraform = pytest.mark.skipif(not shutil.which("terraform"), reason="NOT RUN: terraform is not on PATH")
CONFIG = 'variable "size" {}\nresource "terraform_data" "a" { input = var.size }\noutput "size" { value = var.size }\n'


@pytest.fixture
def deployed(tmp_path: Path) -> Path:
    """A root whose infra/ is deployed, with a state beside it."""
    infra = tmp_path / "infra"
    (infra / "environments").mkdir(parents=True)
    (infra / "outputs").mkdir()
    (infra / "main.tf").write_text(CONFIG)
    (infra / "environments" / "dev.tfvars").write_text("size = 1\n")
    for words in ("init", "apply -auto-approve -var-file=environments/dev.tfvars"):
        subprocess.run(["terraform", *words.split()], cwd=infra, check=True, capture_output=True)
    return tmp_path


@needs_terraform
def test_a_state_that_is_what_git_says_has_no_drift(deployed: Path) -> None:
    assert terraform.differences(deployed, "dev") == []
    assert list((deployed / "infra" / "outputs").iterdir()) == []


@needs_terraform
def test_a_value_that_was_not_deployed_is_named_with_its_attribute_and_no_plan_stays(deployed: Path) -> None:
    (deployed / "infra" / "environments" / "dev.tfvars").write_text("size = 2\n")
    (difference,) = terraform.differences(deployed, "dev")
    assert str(difference).startswith("terraform_data.a: update (input), git is ahead  -> make plan-infra ENV=dev")
    assert list((deployed / "infra" / "outputs").iterdir()) == []


@needs_terraform
def test_a_drift_in_the_outputs_alone_is_named(deployed: Path) -> None:
    with (deployed / "infra" / "main.tf").open("a") as config:
        config.write('output "new" { value = "x" }\n')
    (difference,) = terraform.differences(deployed, "dev")
    assert str(difference).startswith("outputs of Terraform: differ from the state")


@needs_terraform
def test_a_plan_that_fails_is_an_error_of_one_line_and_not_a_drift(deployed: Path) -> None:
    (deployed / "infra" / "environments" / "dev.tfvars").write_text("size = \n")
    with pytest.raises(UserError, match=r"terraform plan: Error: Invalid expression") as error:
        terraform.differences(deployed, "dev")
    assert error.value.exit_code == 1


def test_a_change_made_in_the_portal_reads_otherwise_than_one_that_git_is_ahead_with() -> None:
    def item(address: str, verb: str, **values: Any) -> dict[str, Any]:
        return {"address": address, "type": "x", "mode": "managed", "change": {"actions": [verb], **values}}

    tags = {"before": {"tags": {"by": "hand"}, "name": "a"}, "after": {"tags": {}, "name": "a"}}
    items = [item("x.portal", "update", **tags), item("x.new", "create"), item("x.same", "no-op")]
    plan = {"resource_changes": items, "resource_drift": [{"address": "x.portal"}]}
    assert [f"{each.what}: {each.how}" for each in terraform.read(json.dumps(plan), "dev")] == [
        "x.portal: update (tags), changed outside Terraform",
        "x.new: create, git is ahead",
    ]

"""The plan guard: what it reads out of a plan, what it refuses, what it says."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from amlspec.errors import UserError
from infra import plan_guard
from infra.plan_guard import Change, read_plan


def change(
    address: str, *actions: str, forced: list[list[str | int]] | None = None, mode: str = "managed"
) -> dict[str, Any]:
    body: dict[str, Any] = {"actions": list(actions)}
    if forced:
        body["replace_paths"] = forced
    return {"address": address, "type": address.split(".")[-2], "mode": mode, "change": body}


def plan(*changes: dict[str, Any]) -> str:
    return json.dumps({"format_version": "1.2", "planned_values": {}, "resource_changes": list(changes)})


def run(text: str, tmp_path: Path, *words: str) -> int:
    path = tmp_path / "plan.json"
    path.write_text(text)
    return plan_guard.main(["--env", "dev", "--plan", str(path), *words])


STORAGE = "azurerm_storage_account.main"
POOL = "azurerm_kubernetes_cluster_node_pool.user"


@pytest.mark.parametrize("actions", [("delete",), ("delete", "create"), ("create", "delete")])
def test_a_protected_resource_that_goes_is_refused(
    actions: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(plan(change(STORAGE, *actions)), tmp_path) == plan_guard.REFUSED
    word = "deleted" if len(actions) == 1 else "replaced"
    assert f"refused: {STORAGE} would be {word}: sales, models and job outputs are in it" in capsys.readouterr().out


def test_the_report_names_what_would_be_replaced_and_which_attribute_forces_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forced: list[list[str | int]] = [["location"], ["identity", 0, "type"]]
    run(plan(change(POOL, "delete", "create", forced=forced), change("azurerm_subnet.main", "update")), tmp_path)
    out = capsys.readouterr().out
    assert "plan: 0 to create, 1 to update, 1 to replace, 0 to delete" in out
    assert f"replace  {POOL}  (forced by location, identity[0].type)" in out
    assert "azurerm_subnet.main" not in out


def test_naming_the_address_allows_exactly_that_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = plan(change(STORAGE, "delete"), change(POOL, "delete"))
    assert run(text, tmp_path, "--allow", f"{STORAGE} {POOL}") == 0
    assert run(text, tmp_path, "--allow", POOL) == plan_guard.REFUSED
    assert f"make deploy-infra ALLOW='{STORAGE}'" in capsys.readouterr().out


def test_an_instance_is_allowed_by_its_key_not_by_its_resource(tmp_path: Path) -> None:
    address = 'azurerm_subnet.main["aks"]'
    item = change("azurerm_subnet.main", "delete") | {"address": address}
    assert run(plan(item), tmp_path) == plan_guard.REFUSED
    assert run(plan(item), tmp_path, "--allow", address) == 0
    with pytest.raises(UserError, match="neither deletes nor replaces"):
        run(plan(item), tmp_path, "--allow", "azurerm_subnet.main")


def test_a_permission_left_over_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="take it out"):
        run(plan(change(STORAGE, "update")), tmp_path, "--allow", STORAGE)


def test_creations_updates_reads_and_unprotected_losses_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    items = [
        change(STORAGE, "create"),
        change("azurerm_key_vault.main", "update"),
        change("azurerm_key_vault.other", "no-op"),
        change("data.azurerm_storage_account.seen", "read", mode="data"),
        change("azurerm_monitor_metric_alert.main", "delete"),
    ]
    assert run(plan(*items), tmp_path) == 0
    out = capsys.readouterr().out
    assert "plan: 1 to create, 1 to update, 0 to replace, 1 to delete" in out
    assert "delete   azurerm_monitor_metric_alert.main" in out


def test_a_resource_that_terraform_would_forget_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(plan(change(STORAGE, "forget")), tmp_path) == plan_guard.REFUSED
    assert "would be forgotten" in capsys.readouterr().out


def tainted(address: str) -> dict[str, Any]:
    return change(address, "delete", "create") | {"action_reason": "replace_because_tainted"}


COMPUTE, EXTENSION = "azurerm_machine_learning_compute_cluster.main", "azurerm_kubernetes_cluster_extension.azureml"
CLUSTER, WORKSPACE = "azurerm_kubernetes_cluster.main", "azurerm_machine_learning_workspace.main"


@pytest.mark.parametrize(
    ("lost", "others"),
    [
        (WORKSPACE, [change(COMPUTE, "create"), change(STORAGE, "no-op")]),
        (STORAGE, [change(COMPUTE, "create")]),
        (CLUSTER, [change(COMPUTE, "no-op"), change(EXTENSION, "create")]),
        (EXTENSION, [change(COMPUTE, "no-op"), change(CLUSTER, "no-op")]),
        (WORKSPACE, [tainted(COMPUTE)]),
    ],
)
def test_what_a_failed_first_creation_left_behind_may_be_made_anew(
    lost: str, others: list[dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(plan(tainted(lost), *others), tmp_path) == 0
    assert f"allowed: {lost} is made anew" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("lost", "others"),
    [
        (STORAGE, [change(COMPUTE, "no-op")]),
        (WORKSPACE, [change(COMPUTE, "update")]),
        (CLUSTER, [change(EXTENSION, "no-op")]),
        ("azurerm_kubernetes_cluster_node_pool.user", [change(EXTENSION, "update")]),
    ],
)
def test_a_tainted_resource_that_may_hold_something_is_refused(
    lost: str, others: list[dict[str, Any]], tmp_path: Path
) -> None:
    assert run(plan(tainted(lost), *others), tmp_path) == plan_guard.REFUSED


def test_a_replacement_that_somebody_asked_for_is_not_a_failed_creation(tmp_path: Path) -> None:
    asked = change(WORKSPACE, "delete", "create") | {"action_reason": "replace_by_request"}
    assert run(plan(asked, change(COMPUTE, "create")), tmp_path) == plan_guard.REFUSED


@pytest.mark.skipif(not shutil.which("terraform"), reason="NOT RUN: terraform is not on PATH")
def test_real_terraform_marks_a_failed_creation_as_tainted(tmp_path: Path) -> None:
    body = 'resource "terraform_data" "half" {\n provisioner "local-exec" { command = "false" }\n}\n'
    (tmp_path / "main.tf").write_text(body)
    for words, code in (("init", 0), ("apply -auto-approve", 1), ("plan -out=p", 0)):
        done = subprocess.run(["terraform", *words.split()], cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == code, done.stderr
    show = subprocess.run(["terraform", "show", "-json", "p"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert read_plan(show.stdout) == [Change("terraform_data.half", "terraform_data", "replace", (), True)]


@pytest.mark.parametrize("kind", sorted(plan_guard.PROTECTED))
def test_each_protected_type_is_refused(kind: str, tmp_path: Path) -> None:
    assert run(plan(change(f"{kind}.main", "delete")), tmp_path) == plan_guard.REFUSED


def test_every_type_that_holds_data_or_access_in_terraform_is_protected() -> None:
    must = {"storage_account", "key_vault", "machine_learning_workspace", "container_registry", "kubernetes_cluster"}
    assert {f"azurerm_{kind}" for kind in must} <= plan_guard.PROTECTED.keys()


@pytest.mark.parametrize(
    ("text", "says"), [("Error: no plan", "not JSON"), ("{}", "not a plan of Terraform"), ("[]", "not a plan")]
)
def test_a_text_that_is_not_a_plan_is_refused(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=says):
        run(text, tmp_path)


def test_a_teardown_lists_every_resource_and_needs_the_typed_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = plan(change(STORAGE, "delete"), change("azurerm_monitor_metric_alert.main", "delete"))
    for typed in ("prod", "yes", "DEV"):
        with pytest.raises(UserError, match="nothing was destroyed") as error:
            run(text, tmp_path, "--destroy", "--confirm", typed)
        assert error.value.exit_code == plan_guard.REFUSED
    assert run(text, tmp_path, "--destroy", "--confirm", "dev") == 0
    out = capsys.readouterr().out
    assert "destroy dev: 2 resources go" in out
    assert f"delete   {STORAGE}  -- sales, models and job outputs are in it" in out
    assert "azurerm_monitor_metric_alert.main" in out


def test_without_a_terminal_a_teardown_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="CONFIRM=dev"):
        run(plan(change(STORAGE, "delete")), tmp_path, "--destroy")


def test_a_plan_that_makes_something_is_not_a_teardown(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a teardown"):
        run(plan(change(STORAGE, "create")), tmp_path, "--destroy", "--confirm", "dev")


@pytest.mark.skipif(not shutil.which("terraform"), reason="NOT RUN: terraform is not on PATH")
def test_a_plan_of_real_terraform_is_read(tmp_path: Path) -> None:
    def terraform(*words: str) -> str:
        return subprocess.run(["terraform", *words], cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    body = 'resource "terraform_data" "kept" { input = 1 }\nresource "terraform_data" "x" { triggers_replace = "%s" }\n'
    config = tmp_path / "main.tf"
    config.write_text(body % "one" + 'resource "terraform_data" "gone" {}\n')
    terraform("init")
    terraform("apply", "-auto-approve")
    config.write_text(body.replace("= 1", "= 2") % "two" + 'resource "terraform_data" "new" {}\n')
    terraform("plan", "-out=saved.tfplan")
    changes = read_plan(terraform("show", "-json", "saved.tfplan"))
    assert sorted(change for change in changes if change.verb != "no-op") == [
        Change("terraform_data.gone", "terraform_data", "delete"),
        Change("terraform_data.kept", "terraform_data", "update"),
        Change("terraform_data.new", "terraform_data", "create"),
        Change("terraform_data.x", "terraform_data", "replace", ("triggers_replace",)),
    ]
    terraform("plan", "-destroy", "-out=saved.tfplan")
    assert {item.verb for item in read_plan(terraform("show", "-json", "saved.tfplan"))} == {"delete"}

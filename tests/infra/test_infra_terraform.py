"""Terraform's own tests, and what those cannot see: files that must agree with each other."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from terraform_runs import ROOT, TOOL, copy_infra, run_tests, run_with_registry

from infra.names import ask_terraform
from infra.outputs import committed

INFRA = ROOT / "infra"
needs_terraform = pytest.mark.skipif(not shutil.which("terraform"), reason="NOT RUN: terraform is not on PATH")


@pytest.mark.slow
@needs_terraform
def test_terraform_is_formatted_valid_and_passes_its_tests(tmp_path: Path) -> None:
    copy = copy_infra(tmp_path)
    done = run_tests(copy) if TOOL.exists() else run_with_registry(copy)
    if done is None:
        pytest.skip(f"NOT RUN: fmt, validate and test of infra/, because neither {TOOL} nor a registry is there")
    assert done.returncode == 0, done.stdout[-6000:]
    assert re.search(r"Success! \d+ passed, 0 failed", done.stdout)


@needs_terraform
@pytest.mark.parametrize("env", ["dev", "prod"])
def test_committed_makefile_names_are_those_of_terraform(env: str) -> None:
    text = (INFRA / "outputs" / f"{env}.mk").read_text()
    assert text == committed(ask_terraform(env).make, env), f"make outputs-infra ENV={env} writes {env}.mk anew"


@pytest.mark.parametrize("env", ["dev", "prod"])
def test_terraforms_tests_run_with_the_values_of_the_environment(env: str) -> None:
    def settings(text: str) -> list[str]:
        return [re.sub(r"\s+", " ", line).strip() for line in text.splitlines() if line.strip() and "#" not in line]

    values = settings((INFRA / "environments" / f"{env}.tfvars").read_text())
    block = (INFRA / "tests" / f"{env}.tftest.hcl").read_text().split("variables {\n", 1)[1]
    assert settings(block)[: len(values)] == values


def resources(kind: str) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for path in INFRA.glob("*.tf"):
        for name in re.findall(rf'^resource "{kind}" "(\w+)"', path.read_text(), re.M):
            names.setdefault(path.name, []).append(name)
    return names


def test_every_grant_stands_in_the_tables_that_the_tests_read() -> None:
    assert resources("azurerm_role_assignment") == {"main.access.tf": ["workspace", "cluster", "main", "people"]}
    assert resources("azurerm_role_definition") == {}
    assert not resources("azurerm_key_vault_access_policy")


def test_no_resource_escapes_the_tables_of_network_and_logs() -> None:
    assert resources("azurerm_subnet") == {"main.network.tf": ["main"]}
    assert resources("azurerm_network_security_rule") == {}
    assert resources("azurerm_public_ip") == {"main.network.tf": ["nat"]}
    assert resources("azurerm_monitor_diagnostic_setting") == {"main.monitor.tf": ["main"]}


def test_no_secret_value_is_terraforms_business() -> None:
    assert resources("azurerm_key_vault_secret") == {}
    assert resources("azurerm_key_vault_key") == {}


def test_only_three_providers_are_used_and_each_is_pinned_exactly() -> None:
    text = (INFRA / "versions.tf").read_text()
    sources = ["hashicorp/azurerm", "azure/azapi", "hashicorp/time"]
    assert re.findall(r'source\s*=\s*"([^"]+)"', text) == sources
    if not (INFRA / ".terraform.lock.hcl").exists():
        versions = re.findall(r'^      version\s*=\s*"([^"]+)"', text, re.M)
        assert [re.fullmatch(r"\d+\.\d+\.\d+", version) is not None for version in versions] == [True] * 3, versions
    kinds = {
        kind
        for path in INFRA.rglob("*.tf")
        for kind in re.findall(r'^(?:resource|data) "(\w+)"', path.read_text(), re.M)
    }
    assert {kind.split("_")[0] for kind in kinds} == {"azurerm", "azapi", "time"}


def test_azapi_makes_only_what_azurerm_has_no_argument_for() -> None:
    files = {path.name for path in INFRA.glob("*.tf") if 'resource "azapi_' in path.read_text()}
    assert files == {"main.agents.tf", "main.monitor.tf", "main.outbound.tf"}


def test_what_is_used_is_registered() -> None:
    registered = set(re.findall(r'"(Microsoft\.\w+)"', (INFRA / "versions.tf").read_text()))
    used = {
        kind
        for path in INFRA.glob("main.*.tf")
        for kind in re.findall(r'"(Microsoft\.\w+)/\w+(?:/\w+)?@', path.read_text())
    }
    assert used <= registered
    assert {"Microsoft.Compute", "Microsoft.PolicyInsights", "Microsoft.OperationsManagement"} <= registered


def test_terraform_is_new_enough_for_a_backend_without_secrets() -> None:
    for path in (INFRA / "versions.tf", INFRA / "names" / "versions.tf"):
        assert 'required_version = ">= 1.11.2"' in path.read_text()


def test_no_private_key_enters_terraform() -> None:
    text = "".join(path.read_text() for path in INFRA.glob("*.tf"))
    assert not re.findall(r'variable "\w*(?:key_pem|cert_pem|password|token)\w*"', text)
    assert "configuration_protected_settings" not in text


def test_the_budgets_start_does_not_age() -> None:
    for env in ("dev", "prod"):
        assert "budget_start" not in (INFRA / "environments" / f"{env}.tfvars").read_text()
    assert "plantimestamp()" in (INFRA / "main.guards.tf").read_text()


def test_nodes_and_extension_stand_between_the_way_out_and_its_end() -> None:
    text = (INFRA / "main.aks.tf").read_text()
    for name in ('"azurerm_kubernetes_cluster" "main"', '"azurerm_kubernetes_cluster_extension" "azureml"'):
        after = text.split(f"resource {name}")[1].split("\nresource ")[0].rsplit("depends_on = [", 1)[1].split("]")[0]
        assert "azurerm_nat_gateway_public_ip_association.main" in after
        assert "azurerm_subnet_network_security_group_association.main" in after


@pytest.mark.parametrize("name", ["main.outbound.tf", "main.workspace.tf", "main.aks.tf"])
def test_what_takes_longer_than_the_providers_half_hour_says_so(name: str) -> None:
    assert re.search(r'timeouts \{\n    create = "\dh"', (INFRA / name).read_text())


def test_every_ignored_change_gives_its_reason() -> None:
    for path in INFRA.glob("*.tf"):
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines):
            if "ignore_changes" in line:
                assert "#" in line or "#" in lines[number - 1], f"{path.name}:{number + 1}"


def test_every_variable_and_output_is_described_and_typed() -> None:
    for path in [*INFRA.glob("*.tf"), *(INFRA / "names").glob("*.tf")]:
        for kind, name, body in re.findall(r'^(variable|output) "(\w+)" \{\n(.*?)^\}', path.read_text(), re.M | re.S):
            assert re.search(r'^  description\s*=\s*".{15,}"', body, re.M), f"{path.name}: {kind} {name}"
            assert kind == "output" or re.search(r"^  type\s*=", body, re.M), f"{path.name}: {kind} {name}"


def test_environments_hold_values_only_and_set_variables_that_exist() -> None:
    declared = set(re.findall(r'^variable "(\w+)"', (INFRA / "variables.tf").read_text(), re.M))
    for env in ("dev", "prod"):
        text = (INFRA / "environments" / f"{env}.tfvars").read_text()
        assert set(re.findall(r"^(\w+)\s*=", text, re.M)) <= declared
        assert not re.search(r"\$\{|\b(var|local|module)\.", text)
        assert "PRIVATE KEY" not in text


def test_prefixes_are_the_companys_and_equal_in_both_environments() -> None:
    for env in ("dev", "prod"):
        text = (INFRA / "environments" / f"{env}.tfvars").read_text()
        assert re.findall(r'^(?:company|project)\s*=\s*"(\w+)"', text, re.M) == ["gbj", "dmd"]


def test_every_checkov_skip_gives_its_reason_beside_the_resource() -> None:
    skips = [line for path in INFRA.rglob("*.tf") for line in re.findall(r"checkov:skip.*", path.read_text())]
    assert skips
    for line in skips:
        assert re.fullmatch(r"checkov:skip=CKV2?_AZURE_\d+:.{15,}", line), line
    assert "skip-check" not in (INFRA / ".checkov.yml").read_text()

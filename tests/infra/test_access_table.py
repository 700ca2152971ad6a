"""Every principal has the roles that its calls need, and no other: access.yml against the tables of main.access.tf."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from terraform_runs import ROOT

NEEDED: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("access.yml").read_text())
SOURCE = re.compile(r"(docs|built-in|https://learn\.microsoft\.com)/[a-z0-9/-]+")
ROW = re.compile(r'(?:who = "(\w+)", )?scope = ([^,]+), role = (.+?)(?:, type = .*)?(?: \}|$)')
# Tables whose rows all belong to one principal.
OWNER = {
    "workspace_grants": "workspace",
    "cluster_grants": "cluster",
    "scientists": "scientists",
    "scientists_in_dev": "scientists",
    "platform": "platform",
    "platform_in_dev": "platform",
    "deployer": "deployer",
    "agent_grants": "agents",
}
SCOPES = {
    "local.storage": "storage",
    "local.vault": "vault",
    "local.registry": "registry",
    "local.secret": "snowflake's key",
    "local.signing_key": "signing key",
    "local.certificate": "scoring certificate",
    "azurerm_application_insights.main.id": "insights",
    "azurerm_kubernetes_cluster.main.id": "cluster",
    "azurerm_machine_learning_workspace.main.id": "workspace",
    "azurerm_private_endpoint.main[part].id": "endpoint",
    "azurerm_resource_group.main.id": "group",
    'azurerm_subnet.main["aks"].id': "subnet aks",
    "azurerm_virtual_network.main.id": "network",
    'azurerm_user_assigned_identity.main["kubelet"].id': "identity kubelet",
    'azurerm_user_assigned_identity.main["serving"].id': "identity serving",
}


class Grant(NamedTuple):
    """One role of one principal on one scope."""

    who: str
    scope: str
    role: str


def granted() -> set[Grant]:
    grants: set[Grant] = set()
    for name in ("main.access.tf", "main.agents.tf"):
        table = ""
        for line in (ROOT / "infra" / name).read_text().splitlines():
            if begins := re.match(r"  (\w+) += (?:merge\(|\{)", line):
                table = begins[1]
            elif row := ROW.search(line):
                who = row[1] or OWNER[table]
                grants |= {Grant(who, SCOPES[row[2]], role) for role in re.findall(r'"([^"]+)"', row[3])}
    return grants


def needed() -> set[Grant]:
    return {Grant(row["who"], row["scope"], row["role"]) for row in NEEDED}


def test_every_call_finds_its_role() -> None:
    assert needed() - granted() == set()


def test_no_role_is_granted_that_no_call_needs() -> None:
    assert granted() - needed() == set()


def test_the_reading_of_the_tables_misses_no_row() -> None:
    texts = [(ROOT / "infra" / name).read_text() for name in ("main.access.tf", "main.agents.tf")]
    assert len(granted()) >= sum(len(re.findall(r"\brole = ", text)) for text in texts)


@pytest.mark.parametrize("row", NEEDED, ids=lambda row: f"{row['who']} {row['role']} on {row['scope']}")
def test_a_row_names_the_call_and_its_source(row: dict[str, Any]) -> None:
    path, words = row["in"]
    assert words in (ROOT / path).read_text(), f"{path} no longer makes this call: {row['call']}"
    assert SOURCE.fullmatch(row["source"]), row["source"]


def test_every_compute_of_the_specs_runs_as_a_principal_of_the_table() -> None:
    names = (ROOT / "infra" / "names" / "locals.names.tf").read_text()
    runs_as = {"training_compute": "training", "image_build_compute": "build", "kubernetes_compute": "serving"}
    computes = {re.search(rf'{key} += "([^"]+)"', names)[1]: who for key, who in runs_as.items()}  # type: ignore[index]
    used = {
        name
        for path in (ROOT / "ml").rglob("*.yml")
        for name in re.findall(r"compute: azureml:([\w-]+)", path.read_text())
    }
    assert used <= computes.keys()
    assert {computes[name] for name in used} <= {grant.who for grant in needed()}

"""Docs of the infrastructure say what the files say."""

from __future__ import annotations

import re

import pytest
from terraform_runs import ROOT

from infra import plan_guard

README = (ROOT / "infra" / "README.md").read_text()
COSTS = (ROOT / "docs" / "costs.md").read_text()


def cost_rows() -> list[tuple[str, int, int]]:
    rows = [
        [cell.strip(" *") for cell in line.strip("|").split("|")]
        for line in COSTS.splitlines()
        if line.startswith("| ")
    ]
    return [(row[0], int(row[3]), int(row[5])) for row in rows if row[3].isdigit()]


@pytest.mark.parametrize(("column", "env"), [(1, "dev"), (2, "prod")])
def test_the_cost_table_adds_up_and_stays_below_the_budget(column: int, env: str) -> None:
    *rows, total = cost_rows()
    assert len(rows) >= 15
    assert total[0] == "sum"
    assert sum(row[column] for row in rows) == total[column]
    tfvars = (ROOT / "infra" / "environments" / f"{env}.tfvars").read_text()
    budget = re.search(r"^budget_amount\s*=\s*(\d+)", tfvars, re.M)
    assert budget
    assert total[column] < int(budget[1])


def test_the_costs_name_their_assumptions_and_that_nothing_was_deployed() -> None:
    head = COSTS.split("|", 1)[0]
    for words in ("assumptions", "Nothing of this was deployed", "East US 2", "November 2026"):
        assert words in head


def test_every_input_and_output_is_in_the_readme() -> None:
    for name in re.findall(r'^variable "(\w+)"', (ROOT / "infra" / "variables.tf").read_text(), re.M):
        assert f"`{name}`" in README.split("## Inputs")[1], name
    for name in re.findall(r'^output "(\w+)"', (ROOT / "infra" / "outputs.tf").read_text(), re.M):
        assert f"`{name}`" in README.split("## Outputs")[1], name


def test_every_verb_of_the_makefile_group_is_explained() -> None:
    group = (ROOT / "Makefile").read_text().replace("\\\n", "").split("INFRASTRUCTURE :=")[1].split("\n")[0].split()
    assert len(group) > 10
    for verb in group:
        assert f"make {verb}" in README, verb


def test_the_guards_example_is_what_it_prints(capsys: pytest.CaptureFixture[str]) -> None:
    pool = "azurerm_kubernetes_cluster_node_pool.user"
    kind = pool.split(".", maxsplit=1)[0]
    changes = [
        plan_guard.Change("azurerm_subnet.main", "azurerm_subnet", "update"),
        plan_guard.Change(pool, kind, "replace", ("os_disk_type",)),
    ]
    assert plan_guard.guard(changes, []) == plan_guard.REFUSED
    example = README.split("```text\n")[1].split("```")[0]
    assert capsys.readouterr().out == example


def test_docs_of_the_infrastructure_link_to_files_that_exist() -> None:
    for folder, text in (("infra", README), ("docs", COSTS)):
        for link in re.findall(r"\]\(([^)#h][^)#]*)", text):
            assert (ROOT / folder / link).exists(), link

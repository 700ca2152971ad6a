"""A lock holds all that hangs below its resource, so none stands above anything that scripts delete."""

from __future__ import annotations

import re

from terraform_runs import ROOT

# What a command deletes, by the resource that it is a child of.
PARENTS = {
    "online-deployment delete": "workspace",
    "online-endpoint delete": "workspace",
    "compute detach": "workspace",
    "compute delete": "workspace",
    "schedule delete": "workspace",
    "outbound-rule remove": "workspace",
    "workspace delete": "group",
    "role assignment delete": "any",
    "lock delete": "lock",
    "group delete": "subscription",
    "extension remove": "this machine",
}
COMMAND = re.compile(r"(?:az |ml |\()\"?([a-z][a-z-]*)\"?,? \"?((?:assignment )?(?:delete|detach|remove))\b")


def deletions() -> set[str]:
    places = [
        ROOT / "Makefile",
        *(ROOT / "infra").glob("*.sh"),
        *(ROOT / "infra").glob("*.md"),
    ]
    places += [path for path in (ROOT / "scripts").rglob("*.py") if "localml" not in path.parts]
    places += (ROOT / "docs").glob("*.md")
    return {" ".join(words) for path in places for words in COMMAND.findall(path.read_text())}


def locked() -> set[str]:
    text = (ROOT / "infra" / "main.guards.tf").read_text()
    table = text.split('resource "azurerm_management_lock"')[1].split("} : {}")[0]
    return set(re.findall(r"^    (\w+) += azurerm", table, re.M))


def test_the_search_for_deletions_sees_the_one_of_the_rollout() -> None:
    assert "online-deployment delete" in deletions()


def test_every_deletion_has_a_known_parent() -> None:
    assert deletions() - PARENTS.keys() == set(), "add it to PARENTS"


def test_no_lock_is_inherited_by_what_scripts_delete() -> None:
    assert locked() == {"storage", "vault"}
    assert {PARENTS[command] for command in deletions() if command in PARENTS} & locked() == set()

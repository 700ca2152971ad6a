"""Checks that a stage waits for: a person's approval, a branch, a lock. Ids and bodies: vsts-rest-api-specs 7.1."""

from collections.abc import Mapping
from typing import Any

from agent import screen
from agent.devops import PREVIEW, VERSION, Devops

APPROVAL = {"id": "8c6f20a7-a545-4486-9777-f762fafe0d4d", "name": "Approval"}
LOCK = {"id": "2ef31ad6-baa0-403a-8b45-2cbc9b4e5563", "name": "ExclusiveLock"}
BRANCH = {"id": "fe1de3ee-a436-41b4-bb20-f6eb4cb879a7", "name": "Task Check"}
_BRANCHES = {"id": "86b05a0c-73e6-4f7d-b3cf-e38f3b39a75b", "name": "evaluatebranchProtection", "version": "0.0.1"}
# A plan that nobody approves within a week is out of date.
WEEK_MINUTES = 10_080


def approval(approvers: str | None) -> dict[str, Any]:
    return {
        "approvers": [{"id": approvers}] if approvers else [],
        "minRequiredApprovers": 1,
        "requesterCannotBeApprover": True,
        "executionOrder": "anyOrder",
        "instructions": "The stage before has the plan or the report.",
        "blockedApprovers": [],
    }


def branch(name: str) -> dict[str, Any]:
    inputs = {
        "allowedBranches": f"refs/heads/{name}",
        "ensureProtectionOfBranch": "true",
        "allowUnknownStatusBranch": "false",
    }
    return {"displayName": f"{name} only", "definitionRef": _BRANCHES, "inputs": inputs, "retryInterval": 5}


def add(devops: Devops, kind: str, number: str, name: str, check: Mapping[str, str], settings: Any) -> None:
    """One check of an environment or a connection, where it has none of that type."""
    known = devops.get("pipelines/checks/configurations", PREVIEW, resourceType=kind, resourceId=number)
    if any(each["type"]["id"] == check["id"] for each in (known or {}).get("value", [])):
        return
    body = {
        "type": check,
        "settings": settings,
        "resource": {"type": kind, "id": number, "name": name},
        "timeout": WEEK_MINUTES,
    }
    devops.send(f"check {check['name']} of {kind} {name}", "post", "pipelines/checks/configurations", body, PREVIEW)


def identity(devops: Devops, group: str) -> str | None:
    """Id of a group of the project; None where it is not there yet."""
    organisation = devops.organisation.rsplit("/", 1)[-1]
    shown = devops.get(
        "identities", VERSION, f"https://vssps.dev.azure.com/{organisation}",
        searchFilter="General", filterValue=group,
    )  # fmt: skip
    known = (shown or {}).get("value") or []
    if not known:
        screen.say(f"waits: group {group} is not there: make it, or name another in .azuredevops/project.yml")
    return str(known[0]["id"]) if known else None

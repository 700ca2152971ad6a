"""What the doctor asks of a subscription: rights, cores, zones, registered providers, names that are still taken."""

from __future__ import annotations

import fnmatch
import json
import re
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

SECONDS = 60
# Sizes Standard_D<cores>s_v5 of the cluster's nodes, Standard_D<cores>s_v3 of Azure ML's computes.
NODE_FAMILY, ALL_CORES = "standardDSv5Family", "cores"
TRAINING_FAMILY = "standarddsv3family"
# Of what a first deployment does, the actions that a role most often lacks.
ACTIONS = (
    "Microsoft.Resources/subscriptions/resourceGroups/write",
    "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.Authorization/locks/write",
)


class Finding(NamedTuple):
    """One line of the report. `fix` is empty where nothing is missing; `advice`: it stops no deployment."""

    what: str
    state: str
    fix: str = ""
    advice: bool = False


class Call(NamedTuple):
    """What a program answered; `code` is None where it is not installed."""

    code: int | None
    out: str


def call(*command: str) -> Call:
    """Run a program with a time limit."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except FileNotFoundError:
        return Call(None, "")
    except subprocess.TimeoutExpired:
        return Call(124, "")
    return Call(done.returncode, done.stdout)


def parsed(answer: Call) -> Any:
    """Read an answer as JSON; None where the call failed or did not print JSON."""
    try:
        return json.loads(answer.out) if answer.code == 0 else None
    except json.JSONDecodeError:
        return None


def get(path: str) -> Any:
    """Read a path of Resource Manager; None where it is not there, or not visible."""
    return parsed(call("az", "rest", "--method", "get", "--url", path, "--output", "json"))


class Subscription(NamedTuple):
    """A subscription and the region that is meant."""

    id: str
    location: str

    def path(self, provider: str, rest: str, version: str) -> str:
        """Path of a provider's resources in this subscription."""
        return f"/subscriptions/{self.id}/providers/{provider}/{rest}?api-version={version}"


def check_rights(subscription: Subscription) -> Finding:
    """What the caller may do, as Resource Manager itself counts it over all roles and groups."""
    permissions = get(subscription.path("Microsoft.Authorization", "permissions", "2022-04-01"))
    if not permissions:
        return Finding("rights", "not visible", "ask for Reader on the subscription")
    missing = [action for action in ACTIONS if not _may(action, permissions.get("value", []))]
    if not missing:
        return Finding("rights", "groups, role assignments and locks")
    todo = "ask for Owner, or for Contributor and User Access Administrator: no other built-in role may set locks"
    return Finding("rights", f"without {', '.join(missing)}", todo)


def _may(action: str, permissions: Iterable[dict[str, Any]]) -> bool:
    def matches(patterns: Sequence[str]) -> bool:
        return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)

    return any(matches(each.get("actions", [])) and not matches(each.get("notActions", [])) for each in permissions)


def registered_in(infra: Path) -> list[str]:
    """Resource providers that Terraform registers, read out of versions.tf."""
    text = (infra / "versions.tf").read_text(encoding="utf-8")
    block = re.search(r"resource_providers_to_register\s*=\s*\[(.*?)\]", text, re.S)
    return re.findall(r'"(Microsoft\.\w+)"', block[1]) if block else []


def check_providers(names: Sequence[str]) -> list[Finding]:
    """Providers that a first deployment needs; the bootstrap registers them, which takes rights and time."""
    listed = parsed(call("az", "provider", "list", "--output", "json")) or []
    states = {str(each["namespace"]).lower(): str(each["registrationState"]) for each in listed}
    missing = [name for name in names if states.get(name.lower()) != "Registered"]
    findings = [
        Finding(f"provider {name}", states.get(name.lower(), "not visible"), f"az provider register --namespace {name}")
        for name in missing
    ]
    return findings or [Finding("providers", f"all {len(names)} are registered")]


def check_host_encryption() -> Finding:
    """The subscription's feature that the nodes' disks need."""
    name = ("--namespace", "Microsoft.Compute", "--name", "EncryptionAtHost")
    feature = parsed(call("az", "feature", "show", *name, "--output", "json"))
    state = ((feature or {}).get("properties") or {}).get("state", "not visible")
    fix = "" if state == "Registered" else "make bootstrap-infra registers it, waits and propagates it"
    return Finding("encryption at host", state, fix)


def check_cores(subscription: Subscription, cores: int) -> list[Finding]:
    """Free cores of the region: of the nodes' machine family, and of all families together."""
    location = subscription.location
    usages = get(subscription.path("Microsoft.Compute", f"locations/{location}/usages", "2024-07-01"))
    if not usages:
        return [Finding("quota", f"not visible in {location}", "ask for Reader on the subscription")]
    free = {use["name"]["value"]: use["limit"] - use["currentValue"] for use in usages.get("value", [])}
    return [_cores(name, free.get(name, 0), cores, location) for name in (NODE_FAMILY, ALL_CORES)]


def _cores(name: str, have: int, cores: int, location: str) -> Finding:
    shown = "all families" if name == ALL_CORES else name
    fix = "" if have >= cores else f"ask for {cores} cores of {shown} in {location}: https://aka.ms/azquotas"
    return Finding(f"quota {shown}", f"{have} cores free in {location}, {cores} needed", fix)


def check_training_cores(subscription: Subscription, cores: int) -> Finding:
    """Azure ML's own quota, another pool than that of virtual machines."""
    location = subscription.location
    usages = get(subscription.path("Microsoft.MachineLearningServices", f"locations/{location}/usages", "2024-10-01"))
    # The service writes a family as `standardDSv3Family` or as `Standard DSv3 Family Cluster Dedicated vCPUs`.
    uses = [use for use in (usages or {}).get("value", []) if _is_training(use)]
    if not uses:
        look = "look it up in the studio: Quota, Standard DSv3 Family Cluster Dedicated vCPUs"
        return Finding("quota of Azure ML", f"not visible in {location}", look, advice=True)
    have = max(int(use["limit"]) - int(use["currentValue"]) for use in uses)
    fix = "" if have >= cores else f"ask for {cores} cores of Standard DSv3 Family in the studio: Quota"
    return Finding("quota of Azure ML", f"{have} cores free in {location}, {cores} needed", fix)


def _is_training(use: dict[str, Any]) -> bool:
    names = use.get("name", {})
    text = "".join(f"{names.get('value')} {names.get('localizedValue')} {use.get('type')}".lower().split())
    return TRAINING_FAMILY in text and "lowpriority" not in text


def check_sizes(subscription: Subscription, sizes: Sequence[str], zones: Sequence[str]) -> list[Finding]:
    """Whether the region offers the nodes' sizes to this subscription, in the zones that the environment asks for."""
    place = f"%24filter=location%20eq%20%27{subscription.location}%27"
    skus = get(subscription.path("Microsoft.Compute", "skus", "2021-07-01") + f"&{place}")
    if not skus:
        return [Finding("sizes", f"not visible in {subscription.location}", "ask for Reader on the subscription")]
    offered = {each["name"]: each for each in skus["value"] if each.get("resourceType") == "virtualMachines"}
    return [_size(size, offered.get(size), zones, subscription.location) for size in sorted(set(sizes))]


def _size(size: str, sku: dict[str, Any] | None, zones: Sequence[str], location: str) -> Finding:
    restrictions = (sku or {}).get("restrictions") or []
    if sku is None or any(each.get("type") == "Location" for each in restrictions):
        return Finding(f"size {size}", f"not offered in {location}", "choose another size or region, or ask support")
    closed = {zone for each in restrictions for zone in (each.get("restrictionInfo") or {}).get("zones") or []}
    have = {zone for place in sku.get("locationInfo") or [] for zone in place.get("zones") or []} - closed
    missing = sorted(set(zones) - have)
    fix = f"take {', '.join(missing)} out of aks_zones, or choose another size" if missing else ""
    return Finding(f"size {size}", f"zones {', '.join(sorted(have)) or 'none'} of {location}", fix)


def check_name(subscription: Subscription, group: str, workspace: str) -> Finding:
    """Whether a deleted workspace still holds the name, for 14 days after its deletion.

    No command lists such names (azure-cli#33756), but the subscription's list of workspaces is reported to show them
    (azure-powershell#28286) where the workspace itself is not found.
    """
    provider, version = "Microsoft.MachineLearningServices", "2024-10-01"
    listed = get(subscription.path(provider, "workspaces", version))
    if listed is None:
        return Finding("workspace's name", "not visible", "ask for Reader on the subscription")
    names = {str(each.get("name", "")).lower() for each in listed.get("value", [])}
    if workspace.lower() not in names:
        return Finding("workspace's name", f"{workspace} is not listed: free, or deleted less than 14 days ago")
    path = f"/subscriptions/{subscription.id}/resourceGroups/{group}/providers/{provider}/workspaces/{workspace}"
    if get(f"{path}?api-version={version}") is not None:
        return Finding("workspace's name", f"{workspace} is deployed")
    todo = "recover or purge it in the portal (Azure Machine Learning, Recently deleted), or wait"
    return Finding("workspace's name", f"{workspace} is soft-deleted", todo)

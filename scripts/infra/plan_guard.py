"""Read a saved plan (`terraform show -json`), say what it does, refuse what cannot be undone.

A plan that deletes or replaces a protected type ends with exit code 3, unless its address is allowed by name.
With --destroy the plan is a teardown: everything it deletes is listed, and the environment's name must be typed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from amlspec.errors import UserError, run
from infra.common import ENVIRONMENTS, say

REFUSED = 3
# What cannot be made again (data, secrets, history) or whose loss stops everybody (network, cluster, state of access).
PROTECTED = {
    "azurerm_resource_group": "everything in it goes with it",
    "azurerm_storage_account": "sales, models and job outputs are in it",
    "azurerm_storage_container": "its blobs go with it",
    "azurerm_key_vault": "its secrets go with it, and its name is blocked for 90 days",
    "azurerm_machine_learning_workspace": "models, jobs, data assets and their history are in it",
    "azurerm_container_registry": "the images of running deployments are in it",
    "azurerm_kubernetes_cluster": "the scoring endpoint runs on it",
    "azurerm_kubernetes_cluster_node_pool": "the scoring pods run on it",
    "azurerm_kubernetes_cluster_extension": "endpoints on the cluster stop answering",
    "azurerm_log_analytics_workspace": "logs and audit trail are in it",
    "azurerm_application_insights": "the requests' history is in it",
    "azurerm_virtual_network": "every endpoint and node stands in it",
    "azurerm_subnet": "endpoints or nodes stand in it",
    "azurerm_public_ip": "Snowflake's network policy lists this address",
    "azurerm_user_assigned_identity": "its grants and federations go with it",
    "azurerm_management_lock": "it holds what must not be deleted",
}


# A resource whose creation failed half-way is tainted: Terraform makes it anew. Until one of these stands, nothing has
# been put into a protected resource of the left: jobs run on computes, requests come in through the extension.
WITNESS = {
    "azurerm_kubernetes_cluster": "azurerm_kubernetes_cluster_extension",
    "azurerm_kubernetes_cluster_node_pool": "azurerm_kubernetes_cluster_extension",
    "azurerm_kubernetes_cluster_extension": "azurerm_kubernetes_cluster_extension",
}
OTHER_WITNESS = "azurerm_machine_learning_compute_cluster"


class Change(NamedTuple):
    """One resource of a plan. `verb`: no-op, create, update, replace, delete, forget. `because`: what forces it."""

    address: str
    kind: str
    verb: str
    because: tuple[str, ...] = ()
    tainted: bool = False

    @property
    def loses(self) -> bool:
        """Whether the resource that is there now goes."""
        return self.verb in {"replace", "delete", "forget"}

    @property
    def stands(self) -> bool:
        """Whether the resource exists and was made to its end."""
        return self.verb != "create" and not self.tainted


def path_text(path: Iterable[str | int]) -> str:
    """Join one of the plan's attribute paths: ["identity", 0, "type"] becomes identity[0].type."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def verb_of(actions: Sequence[str]) -> str:
    """Name the plan's list of actions; both orders of delete and create are a replacement."""
    return "replace" if set(actions) == {"create", "delete"} else actions[0]


def read_plan(text: str) -> list[Change]:
    """Read the managed resources of a plan, in its order.

    Raises:
        UserError: the text is not a plan.
    """
    try:
        plan: dict[str, Any] = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"the plan is not JSON (line {error.lineno}): make it with terraform show -json FILE") from None
    if not isinstance(plan, dict) or not {"resource_changes", "planned_values"} & plan.keys():
        raise UserError("this JSON is not a plan of Terraform: make it with terraform show -json FILE")
    changes = []
    for item in plan.get("resource_changes", []):
        verb = verb_of(item["change"]["actions"])
        if item.get("mode") == "managed" and verb != "read":
            because = tuple(path_text(path) for path in item["change"].get("replace_paths", []))
            tainted = item.get("action_reason") == "replace_because_tainted"
            changes.append(Change(item["address"], item["type"], verb, because, tainted))
    return changes


def refused(changes: Sequence[Change], allowed: Iterable[str]) -> list[Change]:
    """Return losses of protected resources that may hold something and that nobody allowed by their full address."""
    named = set(allowed)
    losses = [change for change in changes if change.loses and change.kind in PROTECTED and change.address not in named]
    return [change for change in losses if not is_unused(change, changes)]


def is_unused(change: Change, changes: Iterable[Change]) -> bool:
    """Whether a tainted resource is replaced before anything could be put into it."""
    witness = WITNESS.get(change.kind, OTHER_WITNESS)
    return change.tainted and not any(each.kind == witness and each.stands for each in changes)


def check_allowed(changes: Iterable[Change], allowed: Iterable[str]) -> None:
    """Refuse an allowed address that the plan does not lose: a typing mistake, or a permission left over.

    Raises:
        UserError: such an address was given.
    """
    losses = {change.address for change in changes if change.loses}
    for address in allowed:
        if address not in losses:
            raise UserError(f"ALLOW names {address}, which this plan neither deletes nor replaces: take it out")


def line_of(change: Change) -> str:
    """One line of the report: verb, address, and for a replacement the attributes that force it."""
    forced = f"  (forced by {', '.join(change.because)})" if change.because else ""
    forced = "  (its creation did not end)" if change.tainted else forced
    return f"  {change.verb:8} {change.address}{forced}"


PAST = {"replace": "replaced", "delete": "deleted", "forget": "forgotten"}


def report(changes: Sequence[Change]) -> None:
    """Print a count for each verb, then every loss; creations and updates are Terraform's own listing."""
    verbs = [change.verb for change in changes]
    say("plan: " + ", ".join(f"{verbs.count(verb)} to {verb}" for verb in ("create", "update", "replace", "delete")))
    for change in changes:
        if change.loses:
            say(line_of(change))


def guard(changes: Sequence[Change], allowed: Sequence[str]) -> int:
    """Report a plan and judge it; 0 or REFUSED."""
    check_allowed(changes, allowed)
    report(changes)
    stopped = refused(changes, allowed)
    for change in changes:
        if change.kind in PROTECTED and is_unused(change, changes):
            say(f"allowed: {change.address} is made anew: its creation did not end, and nothing was put into it yet")
    for change in stopped:
        say(f"refused: {change.address} would be {PAST[change.verb]}: {PROTECTED[change.kind]}")
    if stopped:
        say(f"to allow exactly this: make deploy-infra ALLOW='{' '.join(change.address for change in stopped)}'")
        return REFUSED
    say("plan guard: nothing protected is deleted or replaced" + (" but what ALLOW names" if allowed else ""))
    return 0


def confirm_destroy(changes: Sequence[Change], env: str, typed: str | None) -> int:
    """List what a teardown deletes, protected resources with their loss; then ask for the environment's name.

    Raises:
        UserError: the name was not typed, or the plan makes something, so is not a teardown.
    """
    changes = [change for change in changes if change.verb != "no-op"]
    if any(not change.loses for change in changes):
        raise UserError("this plan is not a teardown: make it with make destroy-infra")
    say(f"destroy {env}: {len(changes)} resources go")
    for change in changes:
        say(line_of(change) + (f"  -- {PROTECTED[change.kind]}" if change.kind in PROTECTED else ""))
    if not changes:
        return 0
    if typed is None and sys.stdin.isatty():
        sys.stdout.write(f"Type {env} to destroy all of this: ")
        sys.stdout.flush()
        typed = sys.stdin.readline().strip()
    if typed != env:
        todo = f"type the environment's name, or make destroy-infra ENV={env} CONFIRM={env}"
        raise UserError(f"nothing was destroyed: {todo}", REFUSED)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Judge the plan on stdin or in a file."""
    parser = argparse.ArgumentParser(prog="infra.plan_guard", description=__doc__)
    parser.add_argument("--env", required=True, choices=ENVIRONMENTS)
    parser.add_argument("--plan", type=Path, help="JSON of terraform show -json; default: stdin")
    parser.add_argument("--allow", default="", help="addresses that may be lost, parted by spaces")
    parser.add_argument("--destroy", action="store_true")
    parser.add_argument("--confirm", help="the environment's name, for --destroy")
    args = parser.parse_args(argv)
    changes = read_plan(args.plan.read_text(encoding="utf-8") if args.plan else sys.stdin.read())
    if args.destroy:
        return confirm_destroy(changes, args.env, args.confirm)
    return guard(changes, args.allow.split())


if __name__ == "__main__":
    run(main)

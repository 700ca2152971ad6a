"""The steps after `terraform apply` that no resource covers; they may run again at any time.

A look at the workspace's outbound rules, the namespace of the scoring pods, the certificate of the scoring endpoint
(prod), and the cluster as a compute of the workspace. Values come from the environment, where `make attach-infra` puts
what Terraform's outputs say.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from amlspec.errors import UserError, run
from infra import certificate
from infra.cluster import Cluster, kubectl
from infra.common import capture, say

REQUIRED = (
    *("GROUP", "WORKSPACE", "CLUSTER", "CLUSTER_ID", "SERVING_IDENTITY_ID"),
    *("KUBERNETES_COMPUTE", "KUBERNETES_NAMESPACE"),
)


class Workspace(NamedTuple):
    """A workspace by name and resource group."""

    name: str
    group: str

    def ask(self, *words: str) -> list[dict[str, Any]]:
        """Run a verb of `az ml` that lists."""
        text = capture(["az", "ml", *words, *self._flags(), "--output", "json"])
        listed: list[dict[str, Any]] = json.loads(text) if text.strip() else []
        return listed

    def do(self, *words: str) -> None:
        """Run a verb of `az ml` that changes something; while it waits it prints dots, so its answer is not read."""
        capture(["az", "ml", *words, *self._flags(), "--output", "none"])

    def _flags(self) -> list[str]:
        return ["--workspace-name", self.name, "--resource-group", self.group]


def outbound_rules(workspace: Workspace, wanted: Sequence[str]) -> None:
    """Compare the managed network's rules by name with the names that the environment lists.

    Rules that are made at the same time are reported to delete each other, and a rule counts only once it is active.

    Raises:
        UserError: a name has no rule, or one that is not active.
    """
    if not wanted:
        return
    rules = {str(rule.get("destination")): str(rule.get("status", "")) for rule in _fqdn_rules(workspace)}
    missing = [name for name in wanted if name not in rules]
    waiting = [name for name in wanted if name in rules and rules[name].lower() not in ("active", "")]
    if missing:
        names = ", ".join(missing)
        raise UserError(f"jobs cannot reach {names}: workspace {workspace.name} has no rule for it: deploy again", 1)
    if waiting:
        todo = f"az ml workspace provision-network --name {workspace.name} --resource-group {workspace.group}"
        raise UserError(f"rules for {', '.join(waiting)} are not active in workspace {workspace.name}: {todo}", 1)
    for name in sorted(set(rules) - set(wanted)):
        say(f"warning: workspace {workspace.name} also lets jobs reach {name}, which this environment does not list")
    say(f"workspace {workspace.name} lets jobs reach the {len(wanted)} names that the environment lists")


def _fqdn_rules(workspace: Workspace) -> list[dict[str, Any]]:
    listed = workspace.ask("workspace", "outbound-rule", "list")
    return [rule for rule in listed if str(rule.get("type", "")).lower() == "fqdn"]


def namespace(cluster: Cluster, name: str) -> None:
    """Make the pods' namespace: attaching neither makes nor checks it, and jobs and endpoints would fail later."""
    # apply, not create: a second run changes nothing.
    kubectl(cluster, f"kubectl create namespace {name} --dry-run=client --output yaml | kubectl apply --filename -")
    say(f"namespace {name} is on {cluster.name}")


def compute(workspace: Workspace, name: str, namespace_name: str, cluster_id: str, identity: str) -> None:
    """Attach the cluster under `name`, unless it is.

    Raises:
        UserError: another cluster has the name, or Azure refuses.
    """
    listed = {each.get("name"): each.get("resource_id") for each in workspace.ask("compute", "list")}
    attached = str(listed[name]) if name in listed else None
    if attached is None:
        flags = ["--resource-id", cluster_id, "--namespace", namespace_name]
        who = ["--identity-type", "UserAssigned", "--user-assigned-identities", identity]
        workspace.do("compute", "attach", "--type", "Kubernetes", "--name", name, *flags, *who)
        say(f"compute {name} attached to {workspace.name}")
    elif attached.lower() == cluster_id.lower():
        say(f"compute {name} is attached")
    else:
        todo = f"az ml compute detach --name {name} --workspace-name {workspace.name}"
        raise UserError(f"compute {name} of {workspace.name} belongs to {attached}: detach it first, {todo}", 1)


def settings(environment: dict[str, str]) -> dict[str, str]:
    """Return the values that every step needs.

    Raises:
        UserError: one of them is not set.
    """
    missing = [name for name in REQUIRED if not environment.get(name)]
    if missing:
        raise UserError(f"{', '.join(missing)} not set: make attach-infra ENV=dev (or prod) sets it")
    return environment


def place_certificate(cluster: Cluster, values: dict[str, str]) -> bool:
    """Bring the scoring certificate into the cluster, where the environment serves over TLS.

    With TLS the first deployment has no Azure ML extension yet, because its router waits for the certificate. False:
    this is that deployment, and what comes next was said.

    Raises:
        UserError: the vault, the certificate or the cluster refuses.
    """
    name, waits = values.get("SCORING_CERTIFICATE"), values.get("EXTENSION_INSTALLED") == "no"
    if not name:
        return True
    try:
        certificate.place(cluster, values["VAULT"], name, values["SCORING_SECRET"], values["SCORING_HOST"])
    except certificate.NotInVaultError as error:
        if not waits:
            raise
        say(f"next: {error.todo}, then make attach-infra again")
        return False
    if waits:
        say("next: inference_tls_ready = true in the environment's tfvars, make plan-infra, make deploy-infra")
    return not waits


def main(argv: Sequence[str] | None = None) -> int:
    """Run every step in order; `--only certificate` renews the certificate alone."""
    parser = argparse.ArgumentParser(prog="infra.attach", description=__doc__)
    parser.add_argument("--only", choices=("certificate",))
    args = parser.parse_args(argv)
    values = settings(dict(os.environ))
    workspace, cluster = Workspace(values["WORKSPACE"], values["GROUP"]), Cluster(values["CLUSTER"], values["GROUP"])
    if args.only:
        place_certificate(cluster, values)
        return 0
    outbound_rules(workspace, [name for name in values.get("OUTBOUND_FQDNS", "").split(",") if name])
    namespace(cluster, values["KUBERNETES_NAMESPACE"])
    if not place_certificate(cluster, values):
        return 0
    identity = values["SERVING_IDENTITY_ID"]
    compute(workspace, values["KUBERNETES_COMPUTE"], values["KUBERNETES_NAMESPACE"], values["CLUSTER_ID"], identity)
    return 0


if __name__ == "__main__":
    run(main)

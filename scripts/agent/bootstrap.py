"""Makes what .azuredevops/project.yml names in an Azure DevOps project. What exists stays; it may run again."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from agent import checks, connections, project, registered, screen
from agent.connections import Names
from agent.devops import Devops
from agent.made import Made
from agent.project import Project
from amlspec.errors import UserError


def run(root: Path, organisation: str, name: str, repository: str, names: Names, is_dry: bool) -> int:
    """Make everything in its order; 0, or 2 for a wrong call.

    Args:
        root: the checkout.
        organisation: https://dev.azure.com/<name>.
        name: of the project.
        repository: in Azure Repos.
        names: names of each environment, as infra/outputs has them.
        is_dry: only say it.
    """
    devops, wanted, made = Devops(organisation, name, is_dry), project.read(root), Made()
    account = devops.read("account", "show", in_project=False)
    shown = devops.read("devops", "project", "show", "--org", devops.organisation, "--project", name, in_project=False)
    connections.make(devops, wanted, names, account, str(shown["id"]), made)
    connections.write_federation(root, made, is_dry)
    approvers = checks.identity(devops, str(wanted.document.get("policies", "approvers")))
    _environments(devops, wanted, approvers, made)
    _groups(devops, wanted, account, made)
    registered.make(devops, root, wanted, repository, made)
    registered.protect(devops, wanted, repository, made)
    for line in _left(name, made):
        screen.say(line)
    screen.say(f"{devops.made} to make" if is_dry else f"{devops.made} made; what was there is unchanged")
    return 0


def _environments(devops: Devops, wanted: Project, approvers: str | None, made: Made) -> None:
    known = {each["name"]: each for each in devops.get("distributedtask/environments")["value"]}
    for name, each in wanted.environments.items():
        body = {"name": name, "description": each["description"]}
        shown = known.get(name) or devops.send(f"environment {name}", "post", "distributedtask/environments", body)
        if shown is None:
            continue
        made.environments[name] = str(shown["id"])
        if each.get("approval"):
            checks.add(
                devops, "environment", made.environments[name], name, checks.APPROVAL, checks.approval(approvers)
            )
        if each.get("lock"):
            checks.add(devops, "environment", made.environments[name], name, checks.LOCK, {})
        if each.get("branch"):
            checks.add(
                devops, "environment", made.environments[name], name, checks.BRANCH, checks.branch(str(each["branch"]))
            )


def _groups(devops: Devops, wanted: Project, account: Mapping[str, str], made: Made) -> None:
    for name in wanted.groups:
        known = devops.read("pipelines", "variable-group", "list", "--group-name", name) or []
        plan, apply = f"{name}-plan", f"{name}-apply"
        values = {
            "TENANT_ID": account["tenantId"],
            "SUBSCRIPTION_ID": account["id"],
            "PLAN_CLIENT_ID": made.clients.get(plan, ""),
            "PLAN_CONNECTION_ID": made.connections.get(plan, ""),
            "APPLY_CLIENT_ID": made.clients.get(apply, ""),
            "APPLY_CONNECTION_ID": made.connections.get(apply, ""),
        }
        if missing := set(wanted.groups[name]) ^ set(values):
            raise UserError(f"{wanted.document.shown}: group {name}: {', '.join(sorted(missing))} is not what is made")
        pairs = [f"{key}={value or '-'}" for key, value in values.items()]
        shown = known[0] if known else devops.make(
            f"variable group {name}",
            *("pipelines", "variable-group", "create", "--name", name, "--authorize", "false", "--variables", *pairs),
        )  # fmt: skip
        if shown is not None:
            made.groups[name] = str(shown["id"])
            _change_variables(devops, name, shown, values)


def _change_variables(devops: Devops, name: str, group: Mapping[str, Any], values: Mapping[str, str]) -> None:
    """What a first run did not know yet, such as the id of a connection."""
    known = group.get("variables") or {}
    for key, value in values.items():
        if value and key in known and known[key].get("value") != value:
            devops.make(
                f"{key} of {name}",
                *("pipelines", "variable-group", "variable", "update", "--group-id", str(group["id"])),
                *("--name", key, "--value", value),
            )


def _left(name: str, made: Made) -> Iterable[str]:
    yield "What a person still does:"
    yield f"  Project settings > Repositories > Security: {name} Build Service: Contribute to pull requests"
    yield "  Project settings > Agent pools: one in the network (infra/README.md), named in variables.yml"
    if made.federation:
        yield "  Commit pipelines_federation in infra/environments; make plan-infra and make deploy-infra by hand, once"

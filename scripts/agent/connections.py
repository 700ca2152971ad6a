"""Service connections by workload identity federation, and the credentials that let their identities sign in."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent import checks, screen
from agent.devops import Devops
from agent.made import Made
from agent.project import Project
from amlspec.errors import UserError

AUDIENCE = "api://AzureADTokenExchange"
# The issuer of new connections. The old one, vstoken.dev.azure.com, is deprecated and ends on 2027-07-01.
ISSUER = re.compile(r"^https://login\.microsoftonline\.com/[0-9a-f-]{36}/v2\.0$", re.IGNORECASE)
Names = Mapping[str, Mapping[str, str]]


def make(
    devops: Devops, wanted: Project, names: Names, account: Mapping[str, str], project_id: str, made: Made
) -> None:
    """Connection first, then its issuer and subject are read back: a subject cannot be computed beforehand."""
    known = {each["name"]: each for each in devops.read("devops", "service-endpoint", "list") or []}
    for name, each in wanted.connections.items():
        of_env = names[each["azure"]]
        is_terraforms = str(each["identity"]).startswith("terraform-")
        group = of_env["STATE_GROUP"] if is_terraforms else of_env["GROUP"]
        identity = f"{of_env['IDENTITY']}-{each['identity']}"
        client = _client_id(devops, identity, group)
        if client is None:
            screen.say(
                f"waits: identity {identity} is not there yet: make bootstrap-infra, make deploy-infra, then again"
            )
            continue
        made.clients[name] = client
        body = _connection(name, account, client, project_id, devops.project)
        shown = known.get(name) or devops.make_with_file(
            f"service connection {name}", body, "--service-endpoint-configuration",
            "devops", "service-endpoint", "create",
        )  # fmt: skip
        if shown is None:
            continue
        made.connections[name] = str(shown["id"])
        link = _link(name, shown)
        if is_terraforms:
            _credential(devops, identity, group, name, link)
        else:
            made.federation.setdefault(each["azure"], {})[name] = link
        if each.get("branch"):
            checks.add(
                devops, "endpoint", made.connections[name], name, checks.BRANCH, checks.branch(str(each["branch"]))
            )


def _connection(
    name: str, account: Mapping[str, str], client: str, project_id: str, project_name: str
) -> dict[str, Any]:
    return {
        "name": name,
        "type": "AzureRM",
        "url": "https://management.azure.com/",
        "data": {
            "subscriptionId": account["id"],
            "subscriptionName": account["name"],
            "environment": "AzureCloud",
            "scopeLevel": "Subscription",
            "creationMode": "Manual",
        },
        "authorization": {
            "scheme": "WorkloadIdentityFederation",
            "parameters": {"tenantid": account["tenantId"], "serviceprincipalid": client},
        },
        "isShared": False,
        "isReady": True,
        "serviceEndpointProjectReferences": [
            {"name": name, "projectReference": {"id": project_id, "name": project_name}}
        ],
    }


def _link(name: str, connection: Mapping[str, Any]) -> dict[str, str]:
    """Issuer and subject of a connection. Raises UserError for the issuer that ends."""
    given = connection["authorization"]["parameters"]
    issuer, subject = (given.get(f"workloadIdentityFederation{each}") for each in ("Issuer", "Subject"))
    if not issuer or not ISSUER.match(issuer):
        raise UserError(
            f"connection {name} has the issuer {issuer}, and the old one ends on 2027-07-01: delete the connection, "
            "then run this again",
            1,
        )
    return {"issuer": issuer, "subject": str(subject)}


def _client_id(devops: Devops, identity: str, group: str) -> str | None:
    known = devops.read("identity", "list", "--resource-group", group, in_project=False) or []
    return next((str(each["clientId"]) for each in known if each["name"] == identity), None)


def _credential(devops: Devops, identity: str, group: str, name: str, link: Mapping[str, str]) -> None:
    there = ["--identity-name", identity, "--resource-group", group]
    known = devops.read("identity", "federated-credential", "list", *there, in_project=False) or []
    if any(each["name"] == name and each["subject"] == link["subject"] for each in known):
        return
    devops.make(
        f"credential {name} of {identity}",
        *("identity", "federated-credential", "create", "--name", name, *there),
        *("--issuer", link["issuer"], "--subject", link["subject"], "--audiences", AUDIENCE),
        in_project=False,
    )


def write_federation(root: Path, made: Made, is_dry: bool) -> None:
    """Put the connections of the identity that Terraform makes into tfvars, where a review sees them."""
    for environment, links in made.federation.items():
        path = root / "infra/environments" / f"{environment}.tfvars"
        text = path.read_text(encoding="utf-8")
        lines = [f"  {name} = {{ issuer = {json.dumps(link['issuer'])}, subject = {json.dumps(link['subject'])} }}"
                 for name, link in sorted(links.items())]  # fmt: skip
        block = "\n".join(["pipelines_federation = {", *lines, "}", ""])
        rest = re.sub(r"\n?^pipelines_federation = \{\n(?:.*\n)*?\}\n", "", text, flags=re.MULTILINE)
        new = f"{rest.rstrip()}\n\n{block}"
        if new != text:
            screen.say(f"{'would write' if is_dry else 'writes'} pipelines_federation into {path.relative_to(root)}")
            if not is_dry:
                path.write_text(new, encoding="utf-8")

import json
import os
import pathlib
import sys
from urllib.parse import parse_qs, urlsplit

FOLDER = pathlib.Path(os.environ["FAKE_AZ"])
STATE = FOLDER / "state.json"
state = json.loads(STATE.read_text())
words = sys.argv[1:]
with (FOLDER / "az.jsonl").open("a") as log:
    log.write(json.dumps(words) + "\n")


def flag(name):
    return words[words.index(name) + 1] if name in words else None


def add(kind, item):
    listed = state.setdefault(kind, [])
    item = {**item, "id": item.get("id") or f"{kind}-{len(listed) + 1}"}
    listed.append(item)
    STATE.write_text(json.dumps(state))
    return item


def endpoint():
    body = json.loads(pathlib.Path(flag("--service-endpoint-configuration")).read_text())
    number = f"endpoint-{len(state.get('endpoints', [])) + 1}"
    given = body["authorization"]["parameters"]
    given["workloadIdentityFederationIssuer"] = state["issuer"]
    given["workloadIdentityFederationSubject"] = f"/eid1/c/pub/t/x/a/y/sc/organisation/{number}"
    return add("endpoints", {**body, "id": number})


def policy(name):
    return add("policies", {"type": {"displayName": name}, "words": words})


def rest():
    url = urlsplit(flag("--url"))
    path, query, method = url.path.partition("/_apis/")[2], parse_qs(url.query), flag("--method")
    body = json.loads(pathlib.Path(flag("--body")[1:]).read_text()) if flag("--body") else None
    if path == "identities":
        return {"value": [{"id": f"group-{query['filterValue'][0]}"}]}
    if path == "distributedtask/environments":
        return add("environments", body) if method == "post" else {"value": state.get("environments", [])}
    if path == "pipelines/checks/configurations":
        if method == "post":
            return add("checks", body)
        wanted = query["resourceType"][0], query["resourceId"][0]
        known = [
            each for each in state.get("checks", []) if (each["resource"]["type"], each["resource"]["id"]) == wanted
        ]
        return {"value": known}
    if path.startswith("pipelines/pipelinepermissions/"):
        kind, number = path.split("/")[2:]
        if method == "patch":
            return add("permissions", {"kind": kind, "id": number, "pipeline": body["pipelines"][0]["id"]})
        known = [each for each in state.get("permissions", []) if (each["kind"], each["id"]) == (kind, number)]
        return {"pipelines": [{"id": each["pipeline"], "authorized": True} for each in known]}
    sys.exit(f"ERROR: {path} is not imitated")


def identities():
    group = flag("--resource-group")
    env = "prod" if "-prod-" in group else "dev"
    names = ("terraform-plan", "terraform-apply") if "tfstate" in group else ("pipelines", "training")
    return [{"name": f"gbj-dmd-{env}-id-{each}", "clientId": f"client-{env}-{each}"} for each in names]


def group():
    pairs = words[words.index("--variables") + 1 : words.index("--org")]
    known = {key: {"value": value} for key, _, value in (each.partition("=") for each in pairs)}
    return add("groups", {"name": flag("--name"), "variables": known})


VERBS = {
    "account show": lambda: {"id": "sub-1", "name": "Coffee", "tenantId": state["tenant"]},
    "devops project show": lambda: {"id": "project-1"},
    "devops service-endpoint list": lambda: state.get("endpoints", []),
    "devops service-endpoint create": endpoint,
    "identity list": identities,
    "identity federated-credential list": lambda: [
        each for each in state.get("credentials", []) if each["identity"] == flag("--identity-name")
    ],
    "identity federated-credential create": lambda: add(
        "credentials",
        {
            "name": flag("--name"),
            "identity": flag("--identity-name"),
            "issuer": flag("--issuer"),
            "subject": flag("--subject"),
        },
    ),
    "pipelines list": lambda: state.get("pipelines", []),
    "pipelines create": lambda: add("pipelines", {"name": flag("--name"), "id": 100 + len(state.get("pipelines", []))}),
    "pipelines variable-group list": lambda: [
        each for each in state.get("groups", []) if each["name"] == flag("--group-name")
    ],
    "pipelines variable-group create": group,
    "repos show": lambda: {"id": "repository-1"},
    "repos policy list": lambda: state.get("policies", []),
    "repos policy build create": lambda: policy("Build"),
    "repos policy approver-count create": lambda: policy("Minimum number of reviewers"),
    "repos policy work-item-linking create": lambda: policy("Work item linking"),
    "repos policy comment-required create": lambda: policy("Comment requirements"),
    "repos policy required-reviewer create": lambda: policy("Required reviewers"),
    "rest": rest,
}
name = next((each for each in sorted(VERBS, key=len, reverse=True) if " ".join(words).startswith(each)), None)
if name is None:
    sys.exit(f"ERROR: {' '.join(words[:4])} is not imitated")
sys.stdout.write(json.dumps(VERBS[name]()))

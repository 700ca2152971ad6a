"""Kubernetes computes, online endpoints and instance types."""

import re
from collections.abc import Iterator
from typing import Any

from amlspec.finding import Finding
from amlspec.kinds import Kind
from amlspec.quantities import resource_problems
from amlspec.wording import closest
from speccheck.repo import Repo, Spec

_RESOURCE_ID = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.(?:ContainerService/managedClusters|"
    r"Kubernetes/connectedClusters)/[^/]+",
    re.IGNORECASE,
)
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]{1,30}[a-zA-Z0-9]")
_AUTH = ("key", "aml_token", "aad_token")


def check_computes(_repo: Repo, spec: Spec) -> Iterator[Finding]:
    """One Kubernetes compute."""
    if spec.kind != Kind.KUBERNETES_COMPUTE:
        return
    resource = spec.data.get("resource_id")
    if isinstance(resource, str) and not _RESOURCE_ID.fullmatch(resource):
        message = "resource_id names no cluster: write /subscriptions/<id>/resourceGroups/<group>/providers/"
        yield spec.doc.find(message + "Microsoft.ContainerService/managedClusters/<name>", "resource_id")
    if spec.data.get("type") not in (None, "kubernetes"):
        yield spec.doc.find(f"type is '{spec.data['type']}': write type: kubernetes", "type")


def check_endpoints(repo: Repo, spec: Spec) -> Iterator[Finding]:
    """One online endpoint."""
    if spec.kind != Kind.ENDPOINT:
        return
    doc, data = spec.doc, spec.data
    if "compute" not in data:
        message = "endpoint has no compute and would become a managed one: add compute: azureml:<kubernetes compute>"
        yield doc.find(message, "name", rule="style/managed")
    if str(data.get("auth_mode", "key")).lower() not in _AUTH:
        yield doc.find(
            f"unknown auth_mode '{data['auth_mode']}': {closest(str(data['auth_mode']), _AUTH)}", "auth_mode"
        )
    if isinstance(data.get("name"), str) and not _NAME.fullmatch(data["name"]):
        message = f"endpoint name '{data['name']}' is not allowed: 3-32 letters, digits and dashes, a letter first"
        yield doc.find(message, "name")
    for field in ("mirror_traffic", "public_network_access"):
        if field in data:
            yield doc.find(f"{field} works on managed endpoints only: remove it", field, rule="style/managed")
    yield from _check_traffic(repo, spec)


def _check_traffic(repo: Repo, spec: Spec) -> Iterator[Finding]:
    traffic = spec.doc.table("traffic")
    known = {
        str(other.data.get("name"))
        for other in repo.of(Kind.DEPLOYMENT)
        if other.data.get("endpoint_name") == spec.data.get("name")
    }
    for name, share in traffic.items():
        if name not in known:
            message = f"traffic for '{name}', no such deployment: {closest(name, known)}"
            yield spec.doc.find(message, "traffic", name, rule="repo/deployment")
        if not isinstance(share, int) or isinstance(share, bool) or not 0 <= share <= 100:
            yield spec.doc.find(f"traffic {share} of '{name}': give whole percent, 0 to 100", "traffic", name)
    shares = [share for share in traffic.values() if isinstance(share, int)]
    if len(shares) == len(traffic) and sum(shares) not in (0, 100):
        yield spec.doc.find(f"traffic adds up to {sum(shares)} percent: make it 100", "traffic")


def check_instance_types(_repo: Repo, spec: Spec) -> Iterator[Finding]:
    """One InstanceType, or a list of them."""
    if spec.kind != Kind.INSTANCE_TYPE:
        return
    if spec.data.get("kind") == "InstanceTypeList":
        items = spec.data.get("items")
        for index, item in enumerate(items if isinstance(items, list) else []):
            if isinstance(item, dict):
                yield from _check_instance_type(spec, item, ("items", index))
    else:
        yield from _check_instance_type(spec, spec.data, ())


def _check_instance_type(spec: Spec, item: dict[str, Any], where: tuple[str | int, ...]) -> Iterator[Finding]:
    body = item.get("spec")
    resources = body.get("resources") if isinstance(body, dict) else None
    if not isinstance(resources, dict):
        yield spec.doc.find(
            "instance type has no resources: add spec.resources with requests and limits", *where, "spec"
        )
        return
    at = (*where, "spec", "resources")
    for side in ("requests", "limits"):
        block = resources.get(side)
        for name in ("cpu", "memory"):
            if not isinstance(block, dict) or name not in block:
                message = f"instance type gives no {name} under {side}: all four of cpu and memory are required"
                yield spec.doc.find(message, *at, side)
    for path, problem in resource_problems(resources):
        yield spec.doc.find(problem, *at, *path)

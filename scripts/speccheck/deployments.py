"""Kubernetes online deployments."""

from collections.abc import Iterator
from typing import Any

from amlspec import serving
from amlspec.finding import Finding
from amlspec.kinds import Kind
from amlspec.quantities import parse_quantity, resource_problems
from amlspec.schema import bounds
from amlspec.wording import closest
from speccheck.repo import Repo, Spec, local

_BOUNDS = {(block, field): limits for block, model in serving.BLOCKS.items() for field, limits in bounds(model).items()}
# What Azure ML takes where a deployment says nothing.
_REQUEST_TIMEOUT_MS = serving.Requests().request_timeout_ms


def check_deployments(repo: Repo, spec: Spec) -> Iterator[Finding]:
    """One online deployment."""
    if spec.kind != Kind.DEPLOYMENT:
        return
    yield from _check_parts(repo, spec)
    yield from _check_code(spec)
    yield from _check_numbers(spec)
    yield from _check_scale(spec)
    yield from _check_resources(repo, spec)
    yield from _check_strings(spec)
    yield from _check_timeout(spec)


def _check_parts(repo: Repo, spec: Spec) -> Iterator[Finding]:
    doc, data = spec.doc, spec.data
    endpoint, known = data.get("endpoint_name"), repo.names(Kind.ENDPOINT)
    if isinstance(endpoint, str) and endpoint not in known:
        message = f"no endpoint '{endpoint}' in this repo: {closest(endpoint, known)}"
        yield doc.find(message, "endpoint_name", rule="repo/endpoint")
    if data.get("type") not in (None, "kubernetes"):
        yield doc.find(f"type '{data['type']}' is not for a Kubernetes endpoint: write type: kubernetes", "type")
    for field in ("model", "environment"):
        if field not in data:
            yield doc.find(
                f"deployment has no {field}: add {field}: azureml:<name>:<version>", "name", rule="style/missing"
            )
    if "egress_public_network_access" in data:
        message = "egress_public_network_access is for managed deployments: remove it"
        yield doc.find(message, "egress_public_network_access", rule="style/managed")


def _check_code(spec: Spec) -> Iterator[Finding]:
    doc, given = spec.doc, spec.doc.table("code_configuration")
    code, script = given.get("code"), given.get("scoring_script")
    if not given:
        message = "deployment has no code_configuration (no-code is unreliable here): add code and scoring_script"
        yield doc.find(message, "name", rule="style/missing")
    elif not isinstance(code, str) or not (spec.folder / local(code)).is_dir():
        message = f"code folder '{code}' does not exist: give a path relative to this file"
        yield doc.find(message, "code_configuration", "code")
    elif not isinstance(script, str) or not (spec.folder / local(code) / script).is_file():
        message = f"scoring script '{script}' is not in {code}: create it or correct the name"
        yield doc.find(message, "code_configuration", "scoring_script")


def _check_numbers(spec: Spec) -> Iterator[Finding]:
    for (block, field), (low, high) in _BOUNDS.items():
        value = spec.doc.get(block, field)
        if not isinstance(value, int) or isinstance(value, bool):
            continue
        if (low is not None and value < low) or (high is not None and value > high):
            message = f"{block}.{field} {value} is outside {low}-{high}: correct it"
            yield spec.doc.find(message, block, field)
    if (spec.doc.get("liveness_probe", "success_threshold") or 1) != 1:
        message = "liveness_probe.success_threshold must be 1 on Kubernetes: remove it"
        yield spec.doc.find(message, "liveness_probe", "success_threshold")
    count = spec.data.get("instance_count")
    if isinstance(count, int) and count < 1:
        yield spec.doc.find(f"instance_count {count} serves nothing: give 1 or more", "instance_count")


def _check_scale(spec: Spec) -> Iterator[Finding]:
    scale = spec.doc.table("scale_settings")
    low, high = scale.get("min_instances"), scale.get("max_instances")
    if isinstance(low, int) and isinstance(high, int) and low > high:
        yield spec.doc.find(
            f"min_instances {low} is above max_instances {high}: swap them", "scale_settings", "min_instances"
        )
    if scale.get("type") == "target_utilization" and "instance_count" in spec.data:
        message = "instance_count and target_utilization contradict each other: remove instance_count"
        yield spec.doc.find(message, "instance_count")


def _check_resources(repo: Repo, spec: Spec) -> Iterator[Finding]:
    doc, resources = spec.doc, spec.doc.table("resources")
    for path, problem in resource_problems(resources):
        yield doc.find(problem, "resources", *path)
    name = spec.data.get("instance_type")
    if not isinstance(name, str) or name == "defaultinstancetype":
        return
    if name not in repo.instance_types:
        message = f"no instance type '{name}' in ml/deploy: {closest(name, repo.instance_types)}"
        yield doc.find(message, "instance_type", rule="repo/instance-type")
        return
    yield from _check_against_type(spec, name, repo.instance_types[name])


def _check_against_type(spec: Spec, name: str, body: dict[str, Any]) -> Iterator[Finding]:
    """A deployment's limits stay within its instance type's, or its pods are never scheduled."""
    allowed = (body.get("resources") or {}).get("limits") or {}
    for side in ("limits", "requests"):
        for resource, value in spec.doc.table("resources", side).items():
            own, top = parse_quantity(value), parse_quantity(allowed.get(resource))
            if (
                own is not None
                and top is not None
                and own > top
                and not (side == "requests" and "limits" in spec.doc.table("resources"))
            ):
                message = (
                    f"{side[:-1]} {resource} {value} is above {allowed[resource]} of instance type '{name}': lower it"
                )
                yield spec.doc.find(message, "resources", side, resource, rule="repo/instance-type")


def _check_timeout(spec: Spec) -> Iterator[Finding]:
    """The scoring script must give up before its caller is cut off, or the caller never reads why."""
    own = spec.doc.get("environment_variables", "SCORING_TIMEOUT_MS")
    given = spec.doc.get("request_settings", "request_timeout_ms")
    top = _REQUEST_TIMEOUT_MS if given is None else given
    if not isinstance(own, str) or not isinstance(top, int):
        return
    place = ("environment_variables", "SCORING_TIMEOUT_MS")
    if not own.isdecimal():
        yield spec.doc.find(
            f"SCORING_TIMEOUT_MS '{own}' is not a number of milliseconds: write \"10000\"", *place, rule="style/timeout"
        )
    elif int(own) > top:
        shown = f"{top}, which is Azure ML's default," if given is None else f"{top},"
        message = f"SCORING_TIMEOUT_MS {own} is above request_settings.request_timeout_ms {shown}"
        yield spec.doc.find(f"{message} so the caller is cut off first: lower it", *place, rule="style/timeout")


def _check_strings(spec: Spec) -> Iterator[Finding]:
    """Values that Azure ML wants as strings, though they look like booleans or numbers."""
    for name, value in spec.doc.table("environment_variables").items():
        if not isinstance(value, str):
            shown = str(value).lower() if isinstance(value, bool) else value
            message = f'environment variable {name} is not a string: write "{shown}"'
            yield spec.doc.find(message, "environment_variables", name)
    for name, block in spec.doc.table("data_collector", "collections").items():
        if isinstance(block, dict) and isinstance(block.get("enabled"), bool):
            message = f'enabled is a string in data_collector: write "{str(block["enabled"]).lower()}"'
            yield spec.doc.find(message, "data_collector", "collections", name, "enabled")

"""Computes, online endpoints and online deployments."""

from typing import Any

from workspace.engine import Spec
from workspace.messages import bad_request
from workspace.site import Site
from workspace.translate import components, durations, ids

_PROBE = {"initialDelay": "initial_delay", "period": "period", "timeout": "timeout"}
_COUNTS = {"failureThreshold": "failure_threshold", "successThreshold": "success_threshold"}
# azure-ai-ml reads a deployment only with these, which the service fills in where a client leaves them out.
_FILLED_IN: dict[str, Any] = {
    "containerResourceRequirements": {"containerResourceRequests": {}, "containerResourceLimits": {}},
    "scaleSettings": {"scaleType": "Default"},
}
_STATES = {"Updating": "Updating", "Succeeded": "Succeeded", "Failed": "Failed"}


def compute_spec(name: str, properties: dict[str, Any]) -> Spec:
    """The engine's spec of an attached cluster."""
    kind = properties.get("computeType")
    if kind != "Kubernetes":
        raise bad_request(f"Computes of type {kind} are not imitated by the local workspace: Kubernetes is.")
    data = {"name": name, "type": "kubernetes", "resource_id": properties.get("resourceId")}
    data |= {"namespace": (properties.get("properties") or {}).get("namespace")}
    return Spec(ids.without_none({**data, "description": properties.get("description")}))


def compute_shown(site: Site, record: dict[str, Any]) -> dict[str, Any]:
    """A compute."""
    properties = {
        "computeType": "Kubernetes",
        "resourceId": record["resource_id"],
        "description": record["description"],
        "properties": {"namespace": record["namespace"]},
        "provisioningState": "Succeeded",
        "isAttachedCompute": True,
    }
    return {**ids.resource(site, f"computes/{record['name']}", record["name"], properties), "location": "local"}


def endpoint_spec(name: str, body: dict[str, Any]) -> Spec:
    """The engine's spec of an endpoint, without its traffic."""
    properties = body["properties"]
    data = {
        "name": name,
        "compute": ids.short(properties.get("compute") or ""),
        "auth_mode": str(properties.get("authMode", "Key")).lower(),
        "description": properties.get("description"),
        "tags": body.get("tags"),
        "properties": properties.get("properties"),
    }
    if not data["compute"]:
        raise bad_request("properties.compute is missing: managed endpoints are not imitated by the local workspace.")
    return Spec(ids.without_none(data))


def endpoint_shown(site: Site, record: dict[str, Any], body: dict[str, Any] | None) -> dict[str, Any]:
    """An endpoint."""
    properties = {
        "authMode": "Key",
        "description": record["description"],
        "compute": f"{site.id}/computes/{record['compute'].removeprefix('azureml:')}",
        "traffic": record["traffic"],
        "mirrorTraffic": {},
        "scoringUri": record["scoring_uri"],
        "swaggerUri": record["openapi_uri"],
        "provisioningState": record["provisioning_state"],
        "publicNetworkAccess": "Enabled",
        "properties": record["properties"],
    }
    name, created = record["name"], record["creation_context"]["created_at"]
    resource = ids.resource(site, f"onlineEndpoints/{name}", name, ids.without_none(properties), created)
    identity = (body or {}).get("identity") or {"type": "SystemAssigned"}
    return {**resource, "location": "local", "kind": "K8S", "tags": record["tags"], "identity": identity}


def deployment_spec(site: Site, endpoint: str, name: str, body: dict[str, Any]) -> Spec:
    """The engine's spec of a deployment."""
    properties = body["properties"]
    if properties.get("endpointComputeType") != "Kubernetes":
        raise bad_request(
            "properties.endpointComputeType: Kubernetes is imitated by the local workspace, others are not."
        )
    code = properties.get("codeConfiguration") or {}
    data = {
        "name": name,
        "endpoint_name": endpoint,
        "description": properties.get("description"),
        "tags": body.get("tags"),
        "model": ids.short(properties.get("model") or ""),
        "environment": _versioned(properties.get("environmentId") or ""),
        "environment_variables": properties.get("environmentVariables"),
        "app_insights_enabled": properties.get("appInsightsEnabled"),
        "instance_type": properties.get("instanceType"),
        "code_configuration": {"code": "code", "scoring_script": code.get("scoringScript")},
        "resources": _resources(properties.get("containerResourceRequirements")),
        "request_settings": _requests(properties.get("requestSettings")),
        "liveness_probe": _probe(properties.get("livenessProbe")),
        "readiness_probe": _probe(properties.get("readinessProbe")),
        "scale_settings": _scale(properties.get("scaleSettings")),
        "data_collector": properties.get("dataCollector"),
        "instance_count": (body.get("sku") or {}).get("capacity"),
    }
    if not code.get("codeId"):
        raise bad_request("properties.codeConfiguration.codeId is missing.")
    return Spec(ids.without_none(data), {"code": components.code_folder(site, code["codeId"])})


def _versioned(reference: str) -> str:
    """`azureml:<name>:<version>`; the SDK leaves the prefix away in some places."""
    result = ids.short(reference)
    return result if result.startswith("azureml:") else f"azureml:{result}"


def _resources(given: dict[str, Any] | None) -> dict[str, Any] | None:
    if not given:
        return None
    names = {"containerResourceRequests": "requests", "containerResourceLimits": "limits"}
    return {ours: given[key] for key, ours in names.items() if given.get(key)}


def _requests(given: dict[str, Any] | None) -> dict[str, Any] | None:
    if not given:
        return None
    result = {"max_concurrent_requests_per_instance": given.get("maxConcurrentRequestsPerInstance")}
    for key, ours in (("requestTimeout", "request_timeout_ms"), ("maxQueueWait", "max_queue_wait_ms")):
        result[ours] = round(durations.seconds(given[key]) * 1000) if given.get(key) else None
    return ids.without_none(result)


def _probe(given: dict[str, Any] | None) -> dict[str, Any] | None:
    if not given:
        return None
    result = {ours: int(durations.seconds(given[key])) for key, ours in _PROBE.items() if given.get(key)}
    return result | {ours: given[key] for key, ours in _COUNTS.items() if given.get(key) is not None}


def _scale(given: dict[str, Any] | None) -> dict[str, Any] | None:
    if not given:
        return None
    if given.get("scaleType") != "TargetUtilization":
        return {"type": "default"}
    names = {
        "minInstances": "min_instances",
        "maxInstances": "max_instances",
        "targetUtilizationPercentage": "target_utilization_percentage",
    }
    result: dict[str, Any] = {ours: given[key] for key, ours in names.items() if given.get(key) is not None}
    if given.get("pollingInterval"):
        result["polling_interval"] = int(durations.seconds(given["pollingInterval"]))
    return {"type": "target_utilization", **result}


def deployment_shown(site: Site, record: dict[str, Any], body: dict[str, Any] | None) -> dict[str, Any]:
    """A deployment: as it was put, with its state; of one of the command line what its record says."""
    endpoint, name = record["endpoint_name"], record["name"]
    given = (body or {}).get("properties") or _of_record(site, record)
    state = _STATES[record["provisioning_state"]]
    properties = {**given, "provisioningState": state}
    for key, default in _FILLED_IN.items():
        properties[key] = given.get(key) or default
    created = record["creation_context"]["created_at"]
    resource = ids.resource(site, f"onlineEndpoints/{endpoint}/deployments/{name}", name, properties, created)
    return {
        **resource,
        "location": "local",
        "kind": "K8S",
        "tags": record["tags"],
        "sku": {"name": "Default", "capacity": record["instance_count"]},
    }


def _of_record(site: Site, record: dict[str, Any]) -> dict[str, Any]:
    return {
        "endpointComputeType": "Kubernetes",
        "description": record["description"],
        "model": _id(site, "models", record["model"]),
        "environmentId": _id(site, "environments", record["environment"]),
        "instanceType": record["instance_type"],
        "codeConfiguration": {"scoringScript": record["code_configuration"]["scoring_script"]},
        "properties": {},
    }


def _id(site: Site, kind: str, reference: str) -> str:
    """Resource id of `azureml:<name>:<version>`."""
    name, _, version = reference.removeprefix("azureml:").rpartition(":")
    return ids.versioned(site, kind, name, version) if name else reference

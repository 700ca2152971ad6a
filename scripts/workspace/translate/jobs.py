"""Jobs: the body of a submission to the engine's spec, and a record to the job that a client sees."""

from typing import Any

from workspace.messages import bad_request
from workspace.site import Site
from workspace.translate import components, data, durations, ids

_MODES = {
    "ReadOnlyMount": "ro_mount",
    "ReadWriteMount": "rw_mount",
    "Download": "download",
    "Upload": "upload",
    "Direct": "direct",
    "EvalMount": "eval_mount",
    "EvalDownload": "eval_download",
}
_SHARED = {
    "displayName": "display_name",
    "experimentName": "experiment_name",
    "description": "description",
    "tags": "tags",
}
_RESOURCES = {
    "instanceCount": "instance_count",
    "instanceType": "instance_type",
    "shmSize": "shm_size",
    "dockerArgs": "docker_args",
    "locations": "locations",
    "maxInstanceCount": "max_instance_count",
    "properties": "properties",
}
_REFUSED = ("notificationSetting", "queueSettings", "sourceJobId", "services")
# What of a node is the client's own, or what the engine does not need.
# The component has the task of a parallel node.
_NODE_DROPPED = ("_source", "name", "componentId", "computeId", "type", "services", "task")


def spec(site: Site, properties: dict[str, Any]) -> dict[str, Any]:
    """The engine's spec of a job. Raises ServiceError for a kind that is not imitated."""
    kind = properties.get("jobType")
    shared = {ours: properties[key] for key, ours in _SHARED.items() if properties.get(key)}
    if kind == "Pipeline":
        return {**shared, **_pipeline(site, properties)}
    if kind == "Command":
        return {**shared, **_command(site, properties)}
    raise bad_request(f"Jobs of type {kind} are not imitated by the local workspace: Command and Pipeline are.")


def _pipeline(site: Site, properties: dict[str, Any]) -> dict[str, Any]:
    settings = {key: value for key, value in (properties.get("settings") or {}).items() if not key.startswith("_")}
    result = {
        "type": "pipeline",
        "settings": {key: ids.short(value) if isinstance(value, str) else value for key, value in settings.items()},
        "inputs": inputs(properties.get("inputs")),
        "outputs": outputs(properties.get("outputs")),
        "jobs": {name: _node(site, name, node) for name, node in (properties.get("jobs") or {}).items()},
    }
    if properties.get("computeId"):
        result["compute"] = ids.short(properties["computeId"])
    if properties.get("componentId"):
        result["component"] = ids.short(properties["componentId"])
    return {**result, **_rest(properties)}


def _rest(properties: dict[str, Any]) -> dict[str, Any]:
    """What the engine has its own word on, be it that it does not imitate it. Raises ServiceError for the rest."""
    for key in _REFUSED:
        if properties.get(key):
            raise bad_request(f"properties.{key} is not imitated by the local workspace.")
    result: dict[str, Any] = {"identity": _kind_lower(properties.get("identity"), "identityType")}
    if distribution := properties.get("distribution"):
        result["distribution"] = _kind_lower(distribution, "distributionType")
    if resources := properties.get("resources"):
        given = {_RESOURCES[key]: value for key, value in resources.items() if value not in (None, {}, [])}
        result["resources"] = given or None
    return ids.without_none(result)


def _kind_lower(given: dict[str, Any] | None, key: str) -> dict[str, Any] | None:
    """`{"type": "managed"}` of `{"identityType": "Managed"}`."""
    if not given:
        return None
    kind = str(given.get(key, "")).lower()
    return {"type": {"amltoken": "aml_token", "useridentity": "user_identity"}.get(kind, kind)}


def _node(site: Site, name: str, node: dict[str, Any]) -> dict[str, Any]:
    """A node of a pipeline, which the SDK writes in the words of YAML."""
    result = {key: value for key, value in node.items() if key not in _NODE_DROPPED and value is not None}
    result |= {"type": node.get("type", "command"), "component": ids.short(node.get("componentId", ""))}
    if not result["component"]:
        raise bad_request(f"properties.jobs.{name}.componentId is missing.")
    result["inputs"], result["outputs"] = inputs(node.get("inputs")), outputs(node.get("outputs"))
    if node.get("limits"):
        result["limits"] = _limits(node["limits"])
    if node.get("computeId"):
        result["compute"] = ids.short(node["computeId"])
    return result


def _command(site: Site, properties: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "type": "command",
        "command": properties.get("command"),
        "environment": ids.short(properties.get("environmentId", "")),
        "environment_variables": properties.get("environmentVariables") or None,
        "inputs": inputs(properties.get("inputs")),
        "outputs": outputs({k: v for k, v in (properties.get("outputs") or {}).items() if k != "default"}),
    }
    if properties.get("codeId"):
        result["code"] = str(components.code_folder(site, properties["codeId"]))
    if properties.get("computeId"):
        result["compute"] = ids.short(properties["computeId"])
    if properties.get("limits"):
        result["limits"] = _limits(properties["limits"])
    return {**ids.without_none(result), **_rest(properties)}


def _limits(given: dict[str, Any]) -> dict[str, int]:
    timeout = given.get("timeout")
    return {"timeout": int(durations.seconds(timeout))} if timeout else {}


def inputs(given: dict[str, Any] | None) -> dict[str, Any]:
    """Inputs of a job or a node, of whom either writes its keys in its own way."""
    return {name: _input(each) for name, each in (given or {}).items() if each is not None}


def _input(given: dict[str, Any]) -> Any:
    kind = given.get("jobInputType") or given.get("job_input_type")
    if kind == "literal":
        return given.get("value")
    result = {"type": kind, "path": data.source(ids.short(str(given.get("uri")))), "mode": _mode(given)}
    return ids.without_none(result)


def outputs(given: dict[str, Any] | None) -> dict[str, Any]:
    """Outputs; one that is bound to an output of the pipeline is a text."""
    return {name: _output(each) for name, each in (given or {}).items() if each is not None}


def _output(given: dict[str, Any]) -> Any:
    kind = given.get("jobOutputType") or given.get("job_output_type") or given.get("type")
    if kind == "literal":
        return given.get("value")
    result = {"type": kind, "mode": _mode(given), "path": given.get("uri") and data.short(given["uri"])}
    asset = given.get("assetName") or given.get("asset_name")
    result |= {"name": asset, "version": given.get("assetVersion") or given.get("asset_version")}
    return ids.without_none(result)


def _mode(given: dict[str, Any]) -> str | None:
    mode = given.get("mode")
    return _MODES.get(mode, mode) if mode else None


def shown(site: Site, record: dict[str, Any], body: dict[str, Any] | None) -> dict[str, Any]:
    """A job as the service shows it: what was submitted, its state, and where its outputs lie."""
    given = (body or {}).get("properties") or _of_record(record)
    properties = {
        **given,
        "displayName": given.get("displayName") or record["display_name"],
        "experimentName": record["experiment_name"],
        "status": record["status"],
        "isArchived": False,
        "services": {"Tracking": _service(site, "Tracking"), "Studio": _service(site, "Studio", record["name"])},
        "outputs": {name: _located(site, record, name, each) for name, each in (given.get("outputs") or {}).items()},
    }
    created = record["creation_context"]["created_at"]
    return ids.resource(site, f"jobs/{record['name']}", record["name"], properties, created)


def _service(site: Site, kind: str, job: str | None = None) -> dict[str, Any]:
    # azure-ai-ml adds `&tid=<tenant>` to what already has a query (`_append_tid_to_studio_url`).
    endpoint = (
        f"{site.url}/studio/runs/{job}?wsid={site.id}"
        if job
        else f"azureml://127.0.0.1:{site.port}/mlflow/v1.0{site.id}"
    )
    return {"jobServiceType": kind, "endpoint": endpoint, "status": None, "errorMessage": None, "port": None}


def _located(site: Site, record: dict[str, Any], name: str, output: Any) -> Any:
    """An output with its address, which the service fills in where a client left it to it."""
    if not isinstance(output, dict) or output.get("uri") or record["status"] != "Completed":
        return output
    place = f"azureml://datastores/workspaceblobstore/paths/azureml/{record['name']}/{name}/"
    return {**output, "uri": place}


def _of_record(record: dict[str, Any]) -> dict[str, Any]:
    """A job that the command line submitted: what its record says of it."""
    literals = {
        name: {"jobInputType": "literal", "value": str(value)}
        for name, value in (record.get("inputs") or {}).items()
        if not isinstance(value, dict)
    }
    return {
        "jobType": "Pipeline",
        "displayName": record["display_name"],
        "description": record.get("description"),
        "tags": {key: str(value) for key, value in (record.get("tags") or {}).items()},
        "properties": {},
        "inputs": literals,
        "outputs": {name: {"jobOutputType": each["type"]} for name, each in (record.get("outputs") or {}).items()},
        "jobs": {},
        "settings": {},
    }

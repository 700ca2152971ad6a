"""Data assets and models: a path in the workspace's blob store, and a type."""

import re
from typing import Any

from workspace import runs
from workspace.engine import Record, Spec
from workspace.messages import bad_request
from workspace.site import Site
from workspace.translate import ids

# azureml://subscriptions/<s>/resourcegroups/<g>/workspaces/<w>/datastores/<store>/paths/<path>, or the short form
_PATH = re.compile(r"azureml:/{1,2}(?:subscriptions/.*?/)?(?:datastores)/([\w-]+)/paths/(.+?)/?", re.IGNORECASE)


def spec(site: Site, name: str, version: str, properties: dict[str, Any]) -> Spec:
    """The engine's spec of a data asset."""
    return _spec(name, version, properties, "dataUri", str(properties.get("dataType", "")))


def model_spec(site: Site, name: str, version: str, properties: dict[str, Any]) -> Spec:
    """The engine's spec of a model."""
    return _spec(name, version, properties, "modelUri", str(properties.get("modelType") or "custom_model"))


def _spec(name: str, version: str, properties: dict[str, Any], key: str, kind: str) -> Spec:
    address = properties.get(key)
    if not isinstance(address, str):
        raise bad_request(f"properties.{key} is missing.")
    data: dict[str, Any] = {"name": name, "version": version, "type": kind, "path": source(address)}
    data |= {"description": properties.get("description"), "tags": properties.get("tags") or None}
    return Spec(ids.without_none(data))


def short(address: str) -> str:
    """`azureml://datastores/<store>/paths/<path>` of any form of it; other text as it is."""
    match = _PATH.fullmatch(address)
    return f"azureml://datastores/{match[1]}/paths/{match[2]}" if match else address


def source(address: str) -> str:
    """Where the engine finds what lies at an address: `short`, but for what a job or the command line made, whose
    address here is only a name for its place."""
    match = _PATH.fullmatch(address)
    place = runs.place(match[1], match[2]) if match else None
    return str(place) if place else short(address)


def long(site: Site, address: str) -> str:
    """The form with subscription, group and workspace, which the service answers with."""
    match = _PATH.fullmatch(address)
    names = site.names
    base = f"azureml://subscriptions/{names.subscription}/resourcegroups/{names.group}/workspaces/{names.workspace}"
    return f"{base}/datastores/{match[1]}/paths/{match[2]}" if match else address


def shown(site: Site, record: Record, put: dict[str, Any] | None) -> dict[str, Any]:
    """Properties of a data asset."""
    place = long(site, put["dataUri"]) if put else _address(site, record, "data")
    return {**_common(record), **_changed(put), "dataType": record["type"], "dataUri": place}


def model_shown(site: Site, record: Record, put: dict[str, Any] | None) -> dict[str, Any]:
    """Properties of a model. Its tags in MLflow's registry, which jobs set, stand beside those that a client put."""
    kind = (put or {}).get("modelType") or str(record["type"])
    place = long(site, put["modelUri"]) if put else _address(site, record, "models")
    result = {**_common(record), **_changed(put), "modelType": kind, "modelUri": place, "flavors": {}}
    if put:
        result["tags"] = {**_texts(record.get("tags")), **_texts(put.get("tags"))}
    result["provisioningState"] = "Succeeded"
    run = (record.get("properties") or {}).get("run_id")
    return {**result, "jobName": run} if run else result


def _common(record: Record) -> dict[str, Any]:
    return {
        "description": record.get("description"),
        "tags": _texts(record.get("tags")),
        "properties": _texts(record.get("properties")),
        "isAnonymous": False,
        "isArchived": False,
    }


def _changed(put: dict[str, Any] | None) -> dict[str, Any]:
    """What a client has put of that which may change."""
    keys = ("description", "tags", "properties", "isArchived")
    return {key: put[key] for key in keys if put.get(key) is not None} if put else {}


def _texts(given: dict[str, Any] | None) -> dict[str, str]:
    return {key: str(value) for key, value in (given or {}).items() if value is not None}


def _address(site: Site, record: Record, kind: str) -> str:
    """Where the bytes are: as they were registered, or below a name of their own for what the command line made."""
    path = str(record.get("path") or "")
    if path.startswith("azureml:"):
        return long(site, path)
    file = f"/{path.rsplit('/', 1)[-1]}" if record["type"] == "uri_file" else ""
    place = f"azureml/assets/{kind}/{record['name']}/{record['version']}{file}"
    return long(site, f"azureml://datastores/workspaceblobstore/paths/{place}")

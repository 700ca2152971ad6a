"""Data assets and models: a path in the workspace's blob store, and a type."""

import re
from typing import Any

from workspace.engine import Spec
from workspace.messages import bad_request
from workspace.site import Site
from workspace.translate import ids

_MODELS = {"mlflow_model": "mlflow_model", "custom_model": "custom_model", "triton_model": "triton_model"}
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
    data: dict[str, Any] = {"name": name, "version": version, "type": kind, "path": short(address)}
    data |= {"description": properties.get("description"), "tags": properties.get("tags") or None}
    return Spec(ids.without_none(data))


def short(address: str) -> str:
    """`azureml://datastores/<store>/paths/<path>` of any form of it; other text as it is."""
    match = _PATH.fullmatch(address)
    return f"azureml://datastores/{match[1]}/paths/{match[2]}" if match else address


def long(site: Site, address: str) -> str:
    """The form with subscription, group and workspace, which the service answers with."""
    match = _PATH.fullmatch(address)
    names = site.names
    base = f"azureml://subscriptions/{names.subscription}/resourcegroups/{names.group}/workspaces/{names.workspace}"
    return f"{base}/datastores/{match[1]}/paths/{match[2]}" if match else address


def shown(site: Site, record: dict[str, Any]) -> dict[str, Any]:
    """Properties of a data asset."""
    return {**_common(record), "dataType": record["type"], "dataUri": _address(site, record, "data")}


def model_shown(site: Site, record: dict[str, Any]) -> dict[str, Any]:
    """Properties of a model."""
    kind = _MODELS.get(str(record["type"]), str(record["type"]))
    run = (record.get("properties") or {}).get("run_id")
    found = {**_common(record), "modelType": kind, "modelUri": _address(site, record, "models"), "flavors": {}}
    return {**found, "jobName": run} if run else found


def _common(record: dict[str, Any]) -> dict[str, Any]:
    properties = {key: str(value) for key, value in (record.get("properties") or {}).items() if value is not None}
    return {
        "description": record.get("description"),
        "tags": {key: str(value) for key, value in (record.get("tags") or {}).items()},
        "properties": properties,
        "isAnonymous": False,
        "isArchived": False,
        "provisioningState": "Succeeded",
    }


def _address(site: Site, record: dict[str, Any], kind: str) -> str:
    """Where the bytes are: as they were registered, or below a name of their own for what the command line made."""
    path = str(record.get("path") or "")
    if path.startswith("azureml:"):
        return long(site, path)
    place = f"azureml/assets/{kind}/{record['name']}/{record['version']}"
    return long(site, f"azureml://datastores/workspaceblobstore/paths/{place}")

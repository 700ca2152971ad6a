"""Components: `componentSpec` is nearly the YAML itself, with ids for names and texts for numbers."""

from pathlib import Path
from typing import Any

from workspace import engine
from workspace.engine import Record, Spec
from workspace.messages import bad_request
from workspace.site import Site
from workspace.translate import codes, ids, literals

# What the SDK adds: where a spec came from, and what it has merged into the code already.
_DROPPED = ("_source", "additional_includes")


def spec(site: Site, name: str, version: str, properties: dict[str, Any]) -> Spec:
    """The engine's spec of a component."""
    given = properties.get("componentSpec")
    if not isinstance(given, dict):
        raise bad_request("properties.componentSpec is missing.")
    data = {key: value for key, value in given.items() if key not in _DROPPED}
    data |= {"name": name, "version": version, "inputs": _inputs(given.get("inputs") or {})}
    # A parallel component has code and environment in its task.
    holder = data
    if isinstance(data.get("task"), dict):
        holder = data["task"] = dict(data["task"])
    if isinstance(holder.get("environment"), str):
        holder["environment"] = ids.short(holder["environment"])
    beside = {"code": code_folder(site, holder["code"])} if holder.get("code") else {}
    holder |= {name: name for name in beside}
    for key in ("description", "tags"):
        if properties.get(key) and key not in data:
            data[key] = properties[key]
    return Spec(data, beside)


def code_folder(site: Site, reference: str) -> Path:
    """The folder of a code's resource id. Raises ServiceError for a code that nobody made."""
    result = ids.parts(reference)
    if result is None or result[2] is None:
        raise bad_request(f"code: {reference} is not the id of a version of a code.")
    return codes.folder(site, codes.address(site, result[1], result[2]))


def _inputs(given: dict[str, Any]) -> dict[str, Any]:
    return {name: _input(each) for name, each in given.items()}


def _input(given: dict[str, Any]) -> dict[str, Any]:
    kind = str(given.get("type", "string"))
    read: dict[str, Any] = {key: literals.read(given[key], kind) for key in ("default", "min", "max") if key in given}
    if "enum" in given:
        read["enum"] = [literals.read(each, kind) for each in given["enum"]]
    return {**given, **read}


def shown(site: Site, record: Record, put: dict[str, Any] | None) -> dict[str, Any]:
    """Properties of a component: those it was put with, or those of a component of the command line."""
    if put is not None:
        return {"isArchived": False, **put, "provisioningState": "Succeeded"}
    spec_data = engine.component_spec(record["name"], str(record["version"]))
    return {
        "componentSpec": {**spec_data, "version": record["version"], "_source": "YAML.COMPONENT"},
        "description": record["description"],
        "tags": record["tags"],
        "properties": {},
        "isAnonymous": False,
        "isArchived": False,
        "provisioningState": "Succeeded",
    }

"""Environments."""

from pathlib import Path
from typing import Any

import yaml

from workspace.engine import Record, Spec
from workspace.messages import bad_request
from workspace.site import Site
from workspace.translate import codes, ids

_OWN = ("image", "osType", "inferenceConfig", "description", "tags")


def spec(site: Site, name: str, version: str, properties: dict[str, Any]) -> Spec:
    """The engine's spec; the build context becomes its folder's path."""
    data: dict[str, Any] = {"name": name, "version": version, "description": properties.get("description")}
    data |= {"tags": properties.get("tags") or {}, "image": properties.get("image")}
    beside: dict[str, Path] = {}
    if build := properties.get("build"):
        context = codes.folder(site, build["contextUri"])
        beside[context.name] = context
        data["build"] = {"path": context.name}
        data["build"] |= {"dockerfile_path": build["dockerfilePath"]} if build.get("dockerfilePath") else {}
    if conda := properties.get("condaFile"):
        data["conda_file"] = _conda(conda)
    if routes := properties.get("inferenceConfig"):
        data["inference_config"] = {_SNAKE[key]: value for key, value in routes.items() if key in _SNAKE}
    return Spec(ids.without_none(data), beside)


_SNAKE = {"livenessRoute": "liveness_route", "readinessRoute": "readiness_route", "scoringRoute": "scoring_route"}


def _conda(text: str) -> dict[str, Any]:
    try:
        result = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise bad_request(f"properties.condaFile is not YAML: {error}") from None
    if not isinstance(result, dict):
        raise bad_request("properties.condaFile is not a mapping.")
    return result


def shown(site: Site, record: Record, put: dict[str, Any] | None) -> dict[str, Any]:
    """Properties of an environment."""
    made = put or _of_record(record)
    return {"environmentType": "UserCreated", "isArchived": False, **made, "provisioningState": "Succeeded"}


def _of_record(record: dict[str, Any]) -> dict[str, Any]:
    """Those of an environment that the command line registered."""
    build, conda = record.get("build"), record.get("conda_file")
    routes = record.get("inference_config") or {}
    camel = {value: key for key, value in _SNAKE.items()}
    result = {
        "image": record.get("image"),
        "build": build and {"contextUri": build["path"], "dockerfilePath": build.get("dockerfile_path", "Dockerfile")},
        "condaFile": conda and yaml.safe_dump(conda, sort_keys=False),
        "inferenceConfig": {camel[key]: value for key, value in routes.items()} or None,
        "description": record["description"],
        "tags": record["tags"],
        "properties": {},
        "isAnonymous": False,
        "osType": "Linux",
    }
    return ids.without_none(result)

"""Environments, components, data and models: versions made, shown and listed alike."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from amlspec.errors import UserError
from amlspec.versions import order
from host.state import read_json, write_json
from workspace import engine
from workspace.messages import Answer, Request, bad_request, not_found
from workspace.site import Site
from workspace.translate import components, data, environments, ids

Handler = Callable[[Site, Request], Answer]


@dataclass(frozen=True)
class Kind:
    """A kind of asset: the engine's word, the spec made of Azure's properties, the properties shown of a record."""

    word: str
    spec: Callable[[Site, str, str, dict[str, Any]], engine.Spec]
    shown: Callable[[Site, dict[str, Any]], dict[str, Any]]


def _environment(site: Site, record: dict[str, Any]) -> dict[str, Any]:
    return environments.shown(record, _noted(site, "environments", record))


def _component(site: Site, record: dict[str, Any]) -> dict[str, Any]:
    spec = engine.component_spec(record["name"], record["version"])
    return components.shown(record, _noted(site, "components", record), spec)


KINDS = {
    "environments": Kind("environment", environments.spec, _environment),
    "components": Kind("component", components.spec, _component),
    "data": Kind("data", data.spec, data.shown),
    "models": Kind("model", data.model_spec, data.model_shown),
}


def put(kind: str) -> Handler:
    """Make a version. The same content again is no change; other content is the engine's refusal, 409."""

    def handler(site: Site, request: Request) -> Answer:
        name, version, properties = request["name"], request["version"], _properties(request)
        known = _record_or_none(kind, name, version)
        spec = KINDS[kind].spec(site, name, version, properties)
        record = engine.create_data(spec) if kind == "data" else engine.create(KINDS[kind].word, spec)
        if known is None:
            write_json(_note(site, kind, name, version), properties)
        return Answer(200 if known else 201, _shown(site, kind, record))

    return handler


def show(kind: str) -> Handler:
    """One version."""

    def handler(site: Site, request: Request) -> Answer:
        return Answer(body=_shown(site, kind, engine.asset(KINDS[kind].word, request["name"], request["version"])))

    return handler


def versions(kind: str) -> Handler:
    """Versions of a name, the newest first; 404 for a name that has none, as the service answers."""

    def handler(site: Site, request: Request) -> Answer:
        found = _versions(kind, request["name"])
        if request.query.get("$orderBy", "").lower() in ("createdtime asc", "createdat asc"):
            found.reverse()
        top = request.query.get("$top")
        return Answer(body={"value": [_shown(site, kind, each) for each in found[: int(top) if top else None]]})

    return handler


def container(kind: str) -> Handler:
    """A name, with its newest version and the next one."""

    def handler(site: Site, request: Request) -> Answer:
        return Answer(body=_container(site, kind, _versions(kind, request["name"])))

    return handler


def names(kind: str) -> Handler:
    """Every name."""

    def handler(site: Site, request: Request) -> Answer:
        found = [_versions(kind, record["name"]) for record in engine.names(KINDS[kind].word)]
        return Answer(body={"value": [_container(site, kind, each) for each in found]})

    return handler


def _container(site: Site, kind: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    newest = max(found, key=lambda record: str(record["creation_context"]["created_at"]))
    highest = max((str(record["version"]) for record in found), key=order)
    properties = {
        "latestVersion": newest["version"],
        "nextVersion": str(int(highest) + 1) if highest.isdigit() else "1",
        "description": None,
        "tags": {},
        "properties": {},
        "isArchived": False,
    }
    if kind == "data":
        properties["dataType"] = newest["type"]
    return ids.resource(site, f"{kind}/{newest['name']}", newest["name"], properties)


def _versions(kind: str, name: str) -> list[dict[str, Any]]:
    found = engine.versions(KINDS[kind].word, name)
    if not found:
        raise not_found(f"{kind.rstrip('s').capitalize()} container with name {name}")
    return sorted(found, key=lambda record: str(record["creation_context"]["created_at"]), reverse=True)


def _shown(site: Site, kind: str, record: dict[str, Any]) -> dict[str, Any]:
    name, version = record["name"], str(record["version"])
    created = record["creation_context"]["created_at"]
    properties = ids.without_none(KINDS[kind].shown(site, record))
    return ids.resource(site, f"{kind}/{name}/versions/{version}", version, properties, created)


def _properties(request: Request) -> dict[str, Any]:
    found = request.body.get("properties") if isinstance(request.body, dict) else None
    if not isinstance(found, dict):
        raise bad_request("The request has no properties.")
    return found


def _record_or_none(kind: str, name: str, version: str) -> dict[str, Any] | None:
    try:
        return engine.asset(KINDS[kind].word, name, version)
    except UserError:
        return None


def _noted(site: Site, kind: str, record: dict[str, Any]) -> dict[str, Any] | None:
    """The properties that a version was made with; None where the command line made it."""
    found: dict[str, Any] | None = read_json(_note(site, kind, record["name"], str(record["version"])))
    return found


def _note(site: Site, kind: str, name: str, version: str) -> Any:
    return site.folder / "assets" / kind / name / f"{version}.json"

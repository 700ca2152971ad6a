"""Environments, components, data and models: versions made, shown, listed, archived, all alike."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from amlspec.errors import UserError
from amlspec.versions import order
from workspace import engine, notes
from workspace.messages import Answer, Request, ServiceError, bad_request, not_found
from workspace.site import Site
from workspace.translate import components, data, environments, ids

Handler = Callable[[Site, Request], Answer]
Properties = dict[str, Any]
# What may change though a version may not.
_MUTABLE = ("description", "tags", "properties", "isArchived")


@dataclass(frozen=True)
class Kind:
    """A kind of asset: the engine's word, the spec made of Azure's properties, the properties shown of a record and of
    what a client has put before."""

    word: str
    spec: Callable[[Site, str, str, Properties], engine.Spec]
    shown: Callable[[Site, engine.Record, Properties | None], Properties]


KINDS = {
    "environments": Kind("environment", environments.spec, environments.shown),
    "components": Kind("component", components.spec, components.shown),
    "data": Kind("data", data.spec, data.shown),
    "models": Kind("model", data.model_spec, data.model_shown),
}


def put(kind: str) -> Handler:
    """Make a version, or change its description, tags, properties and whether it is archived.

    The same content again changes nothing; other content is refused with 409.
    """

    def handler(site: Site, request: Request) -> Answer:
        name, version, given = request["name"], request["version"], _properties(request)
        known = _record_or_none(kind, name, version)
        if known is None:
            record = _create(site, kind, name, version, given)
            notes.write(site, kind, name, version, given)
            return Answer(201, _resource(site, kind, record))
        before = _shown(site, kind, known)
        if not _is_same_place(site, before, given):
            _check_content(site, kind, known, given)
        changes = {key: given[key] for key in _MUTABLE if key in given}
        notes.write(site, kind, name, version, {**before, **changes})
        return Answer(200, _resource(site, kind, known))

    return handler


def _create(site: Site, kind: str, name: str, version: str, given: Properties) -> engine.Record:
    spec = KINDS[kind].spec(site, name, version, given)
    return engine.create_data(spec) if kind == "data" else engine.create(KINDS[kind].word, spec)


def _is_same_place(site: Site, before: Properties, given: Properties) -> bool:
    """Whether data or a model is where it was, so that nothing has to be compared."""
    keys = [key for key in ("dataUri", "modelUri") if key in before]
    return bool(keys) and all(data.long(site, str(given.get(key))) == before[key] for key in keys)


def _check_content(site: Site, kind: str, known: engine.Record, given: Properties) -> None:
    """Raises UserError or ServiceError where a version would get another content."""
    spec = KINDS[kind].spec(site, known["name"], str(known["version"]), given)
    if kind != "models":
        engine.create(KINDS[kind].word, spec)
    elif not engine.is_same_model(known, str(spec.data["path"])):
        label = f"{known['name']}:{known['version']}"
        raise ServiceError(409, "UserError", f"Model {label} has other content, and versions do not change.")


def show(kind: str) -> Handler:
    """One version."""

    def handler(site: Site, request: Request) -> Answer:
        return Answer(body=_resource(site, kind, engine.asset(KINDS[kind].word, request["name"], request["version"])))

    return handler


def versions(kind: str) -> Handler:
    """Versions of a name, the newest first, without those that are archived; 404 for a name that has none."""

    def handler(site: Site, request: Request) -> Answer:
        result = [_resource(site, kind, each) for each in _versions(kind, request["name"])]
        result = [each for each in result if _is_wanted(request, each["properties"])]
        if request.query.get("$orderBy", "").lower().endswith(" asc"):
            result.reverse()
        top = request.query.get("$top")
        return Answer(body={"value": result[: int(top) if top else None]})

    return handler


def container(kind: str) -> Handler:
    """A name, with its newest version and the next one."""

    def handler(site: Site, request: Request) -> Answer:
        return Answer(body=_container(site, kind, _versions(kind, request["name"])))

    return handler


def container_put(kind: str) -> Handler:
    """Change what is noted of a name: whether it is archived, its description, its tags."""

    def handler(site: Site, request: Request) -> Answer:
        result, given = _versions(kind, request["name"]), _properties(request)
        notes.write(site, kind, request["name"], None, {key: given[key] for key in _MUTABLE if key in given})
        return Answer(200, _container(site, kind, result))

    return handler


def names(kind: str) -> Handler:
    """Every name that is not archived."""

    def handler(site: Site, request: Request) -> Answer:
        result = [_versions(kind, record["name"]) for record in engine.names(KINDS[kind].word)]
        shown = [_container(site, kind, each) for each in result]
        return Answer(body={"value": [each for each in shown if _is_wanted(request, each["properties"])]})

    return handler


def _is_wanted(request: Request, properties: Properties) -> bool:
    """Whether a list shows it (ListViewType: ActiveOnly where nothing is asked)."""
    view = request.query.get("listViewType", "ActiveOnly").lower()
    return view == "all" or bool(properties.get("isArchived")) == (view == "archivedonly")


def _container(site: Site, kind: str, result: list[engine.Record]) -> dict[str, Any]:
    newest, highest = result[0], max((str(record["version"]) for record in result), key=order)
    properties = {
        "latestVersion": newest["version"],
        "nextVersion": str(int(highest) + 1) if highest.isdigit() else "1",
        "description": None,
        "tags": {},
        "properties": {},
        "isArchived": False,
        **(notes.read(site, kind, newest["name"], None) or {}),
    }
    if kind == "data":
        properties["dataType"] = newest["type"]
    return ids.resource(site, f"{kind}/{newest['name']}", newest["name"], properties)


def _versions(kind: str, name: str) -> list[engine.Record]:
    result = engine.versions(KINDS[kind].word, name)
    if not result:
        raise not_found(f"{kind.rstrip('s').capitalize()} container with name {name}")
    return sorted(result, key=lambda record: str(record["creation_context"]["created_at"]), reverse=True)


def _resource(site: Site, kind: str, record: engine.Record) -> dict[str, Any]:
    name, version = record["name"], str(record["version"])
    created = record["creation_context"]["created_at"]
    return ids.resource(site, f"{kind}/{name}/versions/{version}", version, _shown(site, kind, record), created)


def _shown(site: Site, kind: str, record: engine.Record) -> Properties:
    return ids.without_none(
        KINDS[kind].shown(site, record, notes.read(site, kind, record["name"], str(record["version"])))
    )


def _properties(request: Request) -> Properties:
    result = request.body.get("properties") if isinstance(request.body, dict) else None
    if not isinstance(result, dict):
        raise bad_request("The request has no properties.")
    return result


def _record_or_none(kind: str, name: str, version: str) -> engine.Record | None:
    try:
        return engine.asset(KINDS[kind].word, name, version)
    except UserError:
        return None

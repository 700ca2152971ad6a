"""Connections, without secrets: the local engine keeps none, and refuses a connection that brings one."""

from typing import Any

from host.state import read_json, write_json
from workspace import engine
from workspace.messages import Answer, Request, bad_request
from workspace.site import Site
from workspace.translate import ids

# What says who signs in, and not with what.
_NO_SECRETS = ("username", "clientId", "tenantId", "resourceId")


def put(site: Site, request: Request) -> Answer:
    """Keep a connection."""
    name, properties = request["name"], (request.body or {}).get("properties")
    if not isinstance(properties, dict):
        raise bad_request("The request has no properties.")
    given = properties.get("credentials") or {}
    if any(value for key, value in given.items() if key not in _NO_SECRETS):
        raise bad_request("properties.credentials: the local workspace keeps no secret: leave it empty.")
    data = {
        "name": name,
        "type": str(properties.get("category", "")).lower(),
        "target": properties.get("target"),
        "metadata": properties.get("metadata"),
    }
    record = engine.connect(engine.Spec(ids.without_none(data)))
    write_json(site.folder / "connections" / f"{name}.json", properties)
    return Answer(200, _shown(site, record))


def show(site: Site, request: Request) -> Answer:
    """One connection."""
    return Answer(body=_shown(site, engine.call("connection", "show", name=request["name"])))


def list_(site: Site, request: Request) -> Answer:
    """Every connection."""
    return Answer(body={"value": [_shown(site, record) for record in engine.call("connection", "list")]})


def delete(site: Site, request: Request) -> Answer:
    """Forget a connection."""
    engine.disconnect(request["name"])
    (site.folder / "connections" / f"{request['name']}.json").unlink(missing_ok=True)
    return Answer(204)


def _shown(site: Site, record: dict[str, Any]) -> dict[str, Any]:
    put_ = read_json(site.folder / "connections" / f"{record['name']}.json") or {}
    properties = {
        "authType": "None",
        "category": record["type"].capitalize(),
        "target": record["target"],
        "metadata": record["metadata"],
        "isSharedToAll": True,
        **put_,
    }
    return ids.resource(site, f"connections/{record['name']}", record["name"], properties)

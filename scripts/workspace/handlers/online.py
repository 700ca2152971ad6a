"""Computes, online endpoints with their keys and traffic, online deployments with their logs."""

from typing import Any

from amlspec.errors import UserError
from host.state import read_json, write_json
from workspace import engine, operations
from workspace.messages import Answer, Request, bad_request
from workspace.site import Site
from workspace.translate import online

_NO_STORE = {"Cache-Control": "no-store"}


def compute_put(site: Site, request: Request) -> Answer:
    """Attach a cluster by name; nothing is asked of the cluster itself."""
    name, properties = request["name"], _body(request)["properties"]
    record = engine.attach(online.compute_spec(name, properties))
    headers = operations.begin(site, f"computes/{name}", request.body, lambda: None)
    return Answer(201, online.compute_shown(site, record), headers)


def compute_show(site: Site, request: Request) -> Answer:
    """One compute."""
    return Answer(body=online.compute_shown(site, engine.call("compute", "show", name=request["name"])))


def compute_list(site: Site, request: Request) -> Answer:
    """Every compute."""
    return Answer(body={"value": [online.compute_shown(site, record) for record in engine.call("compute", "list")]})


def endpoint_put(site: Site, request: Request) -> Answer:
    """Create an endpoint, or change its description, tags and traffic; done when the answer is there."""
    name, body = request["endpoint"], _body(request)
    traffic = body["properties"].get("traffic") or {}
    known = _endpoint_or_none(name)
    engine.create("online-endpoint", online.endpoint_spec(name, body))
    if traffic or (known and known["traffic"]):
        engine.call("online-endpoint", "update", name=name, traffic=traffic)
    _note(site, name, None, body)
    headers = operations.begin(site, f"onlineEndpoints/{name}", body, lambda: None)
    return Answer(200 if known else 201, _endpoint(site, name), headers)


def endpoint_show(site: Site, request: Request) -> Answer:
    """One endpoint; its servers are started where they do not run."""
    return Answer(body=_endpoint(site, request["endpoint"]))


def endpoint_list(site: Site, request: Request) -> Answer:
    """Every endpoint."""
    records = engine.call("online-endpoint", "list")
    return Answer(body={"value": [online.endpoint_shown(site, each, _noted(site, each["name"])) for each in records]})


def endpoint_delete(site: Site, request: Request) -> Answer:
    """Delete an endpoint with its deployments."""
    name = request["endpoint"]
    if _endpoint_or_none(name) is None:
        return Answer(204)

    def work() -> None:
        engine.call("online-endpoint", "delete", name=name, yes=True)

    return Answer(202, None, operations.begin(site, f"onlineEndpoints/{name}", "delete", work))


def keys(site: Site, request: Request) -> Answer:
    """Both keys of callers."""
    result = engine.call("online-endpoint", "get-credentials", name=request["endpoint"])
    return Answer(200, result, _NO_STORE)


def regenerate(site: Site, request: Request) -> Answer:
    """Make one of the keys anew; the value that a client proposes is not taken."""
    kind = str((request.body or {}).get("keyType", "Primary")).lower()
    engine.call("online-endpoint", "regenerate-keys", name=request["endpoint"], key_type=kind)
    return Answer(202, None, operations.begin(site, f"onlineEndpoints/{request['endpoint']}", "keys", lambda: None))


def deployment_put(site: Site, request: Request) -> Answer:
    """Bring a deployment up, or change one that is there; the same again changes nothing."""
    endpoint, name, body = request["endpoint"], request["name"], _body(request)
    engine.call("online-endpoint", "show", name=endpoint)
    spec = online.deployment_spec(site, endpoint, name, body)
    known = _deployment_or_none(endpoint, name)
    same = known is not None and _noted(site, endpoint, name) == body and known["provisioning_state"] == "Succeeded"
    target = _target(endpoint, name)
    _note(site, endpoint, name, body)

    def work() -> None:
        if not same:
            engine.deploy(spec, anew=known is None)

    headers = operations.begin(site, target, body, work)
    shown = known or _beginning(endpoint, name)
    resource = online.deployment_shown(site, shown, body)
    resource["properties"]["provisioningState"] = "Updating" if known else "Creating"
    return Answer(200 if known else 201, resource, headers)


def deployment_show(site: Site, request: Request) -> Answer:
    """One deployment."""
    endpoint, name = request["endpoint"], request["name"]
    known = _deployment_or_none(endpoint, name)
    if known is None and operations.is_running(_target(endpoint, name)):
        known = _beginning(endpoint, name)
    if known is None:
        known = engine.call("online-deployment", "show", endpoint_name=endpoint, name=name)  # says what is
    return Answer(body=online.deployment_shown(site, known, _noted(site, endpoint, name)))


def deployment_list(site: Site, request: Request) -> Answer:
    """Deployments of an endpoint."""
    endpoint = request["endpoint"]
    result = engine.call("online-deployment", "list", endpoint_name=endpoint)
    shown = [online.deployment_shown(site, each, _noted(site, endpoint, each["name"])) for each in result]
    return Answer(body={"value": shown})


def deployment_delete(site: Site, request: Request) -> Answer:
    """Delete a deployment that has no traffic."""
    endpoint, name = request["endpoint"], request["name"]
    if _deployment_or_none(endpoint, name) is None:
        return Answer(204)
    share = engine.call("online-endpoint", "show", name=endpoint)["traffic"].get(name, 0)
    if share:
        raise bad_request(f"Deployment {name} has {share} percent of the traffic: move it to another one first.")

    def work() -> None:
        engine.call("online-deployment", "delete", endpoint_name=endpoint, name=name, yes=True)

    return Answer(202, None, operations.begin(site, _target(endpoint, name), "delete", work))


def deployment_logs(site: Site, request: Request) -> Answer:
    """The last lines of a deployment's log."""
    lines = int((request.body or {}).get("tail") or 5000)
    where = {"endpoint_name": request["endpoint"], "name": request["name"]}
    return Answer(body={"content": engine.call("online-deployment", "get-logs", **where, lines=lines)})


def operation(site: Site, request: Request) -> Answer:
    """How a long-running operation goes."""
    return operations.show(site, request["operation"])


def _beginning(endpoint: str, name: str) -> dict[str, Any]:
    """A deployment that the engine is not told of yet."""
    return {
        "name": name,
        "endpoint_name": endpoint,
        "tags": {},
        "instance_count": 1,
        "provisioning_state": "Updating",
        "creation_context": {"created_at": None},
    }


def _endpoint(site: Site, name: str) -> dict[str, Any]:
    record = engine.call("online-endpoint", "show", name=name)
    return online.endpoint_shown(site, record, _noted(site, name))


def _endpoint_or_none(name: str) -> dict[str, Any] | None:
    return next((each for each in engine.call("online-endpoint", "list") if each["name"] == name), None)


def _deployment_or_none(endpoint: str, name: str) -> dict[str, Any] | None:
    try:
        record: dict[str, Any] = engine.call("online-deployment", "show", endpoint_name=endpoint, name=name)
    except UserError:
        return None
    return record


def _target(endpoint: str, name: str) -> str:
    return f"onlineEndpoints/{endpoint}/deployments/{name}"


def _body(request: Request) -> dict[str, Any]:
    if not isinstance(request.body, dict) or not isinstance(request.body.get("properties"), dict):
        raise bad_request("The request has no properties.")
    return request.body


def _note(site: Site, endpoint: str, name: str | None, body: dict[str, Any]) -> None:
    write_json(_path(site, endpoint, name), body)


def _noted(site: Site, endpoint: str, name: str | None = None) -> dict[str, Any] | None:
    """The body that a client put; None where the command line did it."""
    result: dict[str, Any] | None = read_json(_path(site, endpoint, name))
    return result


def _path(site: Site, endpoint: str, name: str | None) -> Any:
    return site.folder / "online" / endpoint / (f"deployments/{name}.json" if name else "endpoint.json")

"""Verbs of online endpoints."""

import datetime as dt
import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from amlspec.document import Document
from amlspec.errors import UserError
from amlspec.references import bare
from amlspec.schema import parse
from amlspec.serving import Endpoint
from host.state import read_json
from localml import specs, verbs_computes
from localml.serving import control, store
from localml.serving.minutes import Minute
from localml.serving.minutes import read as read_minutes
from localml.serving.store import HOST
from localml.specs import Spec

Record = dict[str, Any]
_KEYS = {"primary": "primaryKey", "secondary": "secondaryKey"}


def create(
    spec: Spec | None = None, *, name: str | None = None, auth_mode: str | None = None, settings: Sequence[str] = ()
) -> Record:
    """Create an endpoint, or change description and tags of one; its traffic stays as it is."""
    if spec is None:
        raise UserError("online-endpoint create needs --file: the spec names the compute")
    document = specs.load(spec, settings, name=name, auth_mode=auth_mode)
    parsed = parse(Endpoint, document)
    _check_compute(parsed, document)
    with store.lock(parsed.name):
        known = read_json(store.folder(parsed.name) / "endpoint.json") or {}
        if parsed.traffic:
            raise UserError(f"{document.where('traffic')}: an endpoint has no deployments yet: set traffic by update")
        _save(parsed, {**known, "traffic": known.get("traffic", {})})
    control.ensure(parsed.name)
    return _shown(parsed.name)


def update(
    spec: Spec | None = None,
    *,
    name: str | None = None,
    traffic: Mapping[str, int] | None = None,
    settings: Sequence[str] = (),
) -> Record:
    """Change traffic (--traffic "blue=90 green=10"), tags or description."""
    if spec is not None:
        document = specs.load(spec, settings, name=name)
    elif name:
        document = specs.of_data({"name": name}, Path.cwd(), "--set")
    else:
        raise UserError("online-endpoint update needs --name or --file")
    name = str(document.data.get("name"))
    with store.lock(name):
        known = store.load(name)
        document.data.update({**{key: known[key] for key in _FIELDS}, **document.data})
        if spec is None:
            document = specs.load(document, settings)
        if traffic is not None:
            document.data["traffic"] = dict(traffic)
        parsed = parse(Endpoint, document)
        check_traffic(parsed.traffic, store.deployments(name))
        _save(parsed, {**known, "traffic": dict(parsed.traffic)})
    control.sync(name)
    return _shown(name)


_FIELDS = ("name", "description", "tags", "properties", "compute", "auth_mode", "traffic")


def _check_compute(spec: Endpoint, document: Document) -> None:
    name = bare(spec.compute)
    if not verbs_computes.is_attached(name):
        where = document.where("compute")
        raise UserError(f"{where}: compute {name} is not attached: `localml compute attach --file <compute spec>`")


def _save(spec: Endpoint, known: dict[str, Any]) -> None:
    fields = {key: getattr(spec, key) for key in _FIELDS if key != "traffic"}
    created = known.get("creation_context") or {"created_at": dt.datetime.now(dt.UTC).isoformat()}
    store.save({**known, **fields, "creation_context": created})


def parse_traffic(text: str) -> dict[str, int]:
    """{"blue": 90, "green": 10} of "blue=90 green=10"."""
    shares = {}
    for pair in text.replace(",", " ").split():
        name, equals, share = pair.partition("=")
        if not equals or not share.isdigit():
            raise UserError(f'--traffic {pair}: write it as <deployment>=<percent>, say "blue=90 green=10"')
        shares[name] = int(share)
    return shares


def check_traffic(traffic: dict[str, int], deployments: dict[str, Any]) -> None:
    """The service's rules: known deployments, 0 to 100 each, 0 or 100 in all."""
    unknown = [name for name in traffic if name not in deployments]
    if unknown:
        known = ", ".join(deployments) or "none"
        raise UserError(f"traffic for {unknown[0]}, which is not a deployment of this endpoint: it has {known}")
    if any(not 0 <= share <= 100 for share in traffic.values()) or sum(traffic.values()) not in (0, 100):
        raise UserError(f"traffic adds up to {sum(traffic.values())} percent: it has to be 0 or 100 in all")


def show(name: str) -> Record:
    """One endpoint; its servers are started where they do not run."""
    control.ensure(name)
    return _shown(name)


def list_() -> list[Record]:
    """Every endpoint; starts nothing."""
    return [_shown(name) for name in store.names()]


def is_stopped(name: str) -> bool:
    """Whether there is such an endpoint and its router does not run."""
    return name in store.names() and not control.running(store.folder(name))


def _shown(name: str) -> dict[str, Any]:
    record = store.load(name)
    port = record.pop("port", None)
    address = f"http://{HOST}:{port}" if port else None
    return {
        **record,
        "id": f"azureml:{name}",
        "kind": "K8S",
        "provisioning_state": "Succeeded",
        "scoring_uri": address and f"{address}/score",
        "openapi_uri": address and f"{address}/swagger.json",
        "local": {"router": "Running" if control.running(store.folder(name)) else "Stopped"},
    }


def get_credentials(name: str) -> dict[str, str]:
    """Both keys of callers."""
    store.load(name)
    keys = store.keys(store.folder(name))
    return {key: keys[key] for key in _KEYS.values()}


def regenerate_keys(name: str, *, key_type: str = "primary") -> None:
    """Make a new primary or secondary key; the other one goes on."""
    kind = key_type.lower()
    if kind not in _KEYS:
        raise UserError(f"--key-type {key_type}: primary or secondary")
    with store.lock(name):
        store.load(name)
        folder = store.folder(name)
        store.write_secret(folder / "keys.json", {**store.keys(folder), _KEYS[kind]: secrets.token_urlsafe(32)})
    control.sync(name)


def invoke(name: str, *, request_file: str | Path | None = None, deployment_name: str | None = None) -> str:
    """Send a request file; the text of the answer, as the CLI prints it."""
    if not request_file:
        raise UserError("online-endpoint invoke needs --request-file: a JSON file")
    path = Path(request_file)
    try:
        body = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    headers = {"Content-Type": "application/json"}
    if deployment_name:
        headers["azureml-model-deployment"] = deployment_name
    status, text = control.request(name, "POST", "/score", "primaryKey", body, headers)
    if status != 200:
        raise UserError(f"{name} answered {status}: {_one_line(text)}", 1)
    return text


def _one_line(text: str) -> str:
    try:
        return json.dumps(json.loads(text))[:1000]
    except ValueError:
        return " ".join(text.split())[:1000]


def delete(name: str, *, yes: bool = False) -> None:
    """Delete an endpoint with its deployments."""
    store.load(name)
    if not yes:
        raise UserError(f"deleting online endpoint {name} with its deployments cannot be undone: add --yes")
    with store.lock(name):
        control.stop(store.folder(name))
        store.remove(name)


def exists(name: str) -> bool:
    """Whether there is such an endpoint."""
    return name in store.names()


def minutes(name: str) -> list[Minute]:
    """What its requests were like, the oldest minute first."""
    if not is_stopped(name):
        control.status(name)  # the router writes down what it has
    return list(read_minutes(store.folder(name)))


def stop_every() -> list[str]:
    """The endpoints whose router ran and has been ended; the next verb that names one starts it again."""
    return [name for name in store.names() if control.stop(store.folder(name))]

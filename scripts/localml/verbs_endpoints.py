"""Verbs of computes and online endpoints."""

import datetime as dt
import json
import secrets
from argparse import Namespace
from pathlib import Path
from typing import Any

from amlspec.document import Document, read_document
from amlspec.errors import UserError
from amlspec.references import bare
from amlspec.schema import parse
from amlspec.serving import Compute, Endpoint
from host.state import home, read_json, write_json
from localml import overrides
from localml.serving import control, store
from localml.serving.store import HOST

_KEYS = {"primary": "primaryKey", "secondary": "secondaryKey"}


def compute_attach(args: Namespace) -> Any:
    """Attach a cluster by name, so that endpoints may refer to it. Nothing is asked of the cluster itself."""
    document = read_document(Path(args.file)) if args.file else Document(Path.cwd() / "--name", {}, {})
    given = {"name": args.name, "resource_id": args.resource_id, "namespace": args.namespace}
    given["type"] = args.type.lower() if args.type else None
    document.data.update({key: value for key, value in given.items() if value is not None})
    spec = parse(Compute, document)
    shown: dict[str, Any] = {
        "name": spec.name,
        "type": spec.type,
        "resource_id": spec.resource_id,
        "namespace": spec.namespace,
    }
    shown |= {"description": spec.description, "tags": spec.tags, "provisioning_state": "Succeeded"}
    write_json(home() / "computes" / f"{Path(spec.name).name}.json", shown)
    return shown


def compute_show(args: Namespace) -> Any:
    """One compute."""
    found = read_json(home() / "computes" / f"{Path(args.name).name}.json")
    if found is None:
        raise UserError(f"compute {args.name} is not attached here: `localml compute list` shows what is")
    return found


def compute_list(args: Namespace) -> Any:
    """Every attached compute."""
    found = [read_json(path) for path in sorted((home() / "computes").glob("*.json"))]
    return found[: args.max_results] if args.max_results is not None else found


def create(args: Namespace) -> Any:
    """Create an endpoint, or change description and tags of one; its traffic stays as it is."""
    if not args.file:
        raise UserError("online-endpoint create needs --file: the spec names the compute")
    document = _document(args)
    spec = parse(Endpoint, document)
    _check_compute(spec, document)
    with store.lock(spec.name):
        known = read_json(store.folder(spec.name) / "endpoint.json") or {}
        if spec.traffic:
            raise UserError(f"{document.where('traffic')}: an endpoint has no deployments yet: set traffic by update")
        _save(spec, {**known, "traffic": known.get("traffic", {})})
    control.ensure(spec.name)
    return _shown(spec.name)


def update(args: Namespace) -> Any:
    """Change traffic (--traffic "blue=90 green=10"), tags or description."""
    if args.file:
        document = _document(args)
    elif args.name:
        document = Document(Path.cwd() / "--set", {"name": args.name}, {})
    else:
        raise UserError("online-endpoint update needs --name or --file")
    name = str(document.data.get("name"))
    with store.lock(name):
        known = store.load(name)
        document.data.update({**{key: known[key] for key in _FIELDS}, **document.data})
        if not args.file:
            overrides.apply(document, args.set or [])
        if args.traffic:
            document.data["traffic"] = parse_traffic(args.traffic)
        spec = parse(Endpoint, document)
        check_traffic(spec.traffic, store.deployments(name))
        _save(spec, {**known, "traffic": dict(spec.traffic)})
    control.sync(name)
    return _shown(name)


_FIELDS = ("name", "description", "tags", "properties", "compute", "auth_mode", "traffic")


def _document(args: Namespace) -> Document:
    document = read_document(Path(args.file))
    overrides.apply(document, args.set or [])
    for field in ("name", "auth_mode"):
        if getattr(args, field, None) is not None:
            document.data[field] = getattr(args, field)
    return document


def _check_compute(spec: Endpoint, document: Document) -> None:
    name = bare(spec.compute)
    if not (home() / "computes" / f"{Path(name).name}.json").exists():
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
        name, found, share = pair.partition("=")
        if not found or not share.isdigit():
            raise UserError(f'--traffic {pair}: write it as <deployment>=<percent>, say "blue=90 green=10"')
        shares[name] = int(share)
    return shares


def check_traffic(traffic: dict[str, int], deployments: dict[str, Any]) -> None:
    """The service's rules: known deployments, 0 to 100 each, 0 or 100 in all."""
    unknown = [name for name in traffic if name not in deployments]
    if unknown:
        known = ", ".join(deployments) or "none"
        raise UserError(f"traffic for {unknown[0]}, which is no deployment of this endpoint: it has {known}")
    if any(not 0 <= share <= 100 for share in traffic.values()) or sum(traffic.values()) not in (0, 100):
        raise UserError(f"traffic adds up to {sum(traffic.values())} percent: it has to be 0 or 100 in all")


def show(args: Namespace) -> Any:
    """One endpoint; its servers are started where they do not run."""
    control.ensure(args.name)
    return _shown(args.name)


def list_(_: Namespace) -> Any:
    """Every endpoint; starts nothing."""
    return [_shown(name) for name in store.names()]


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


def get_credentials(args: Namespace) -> Any:
    """Both keys of callers."""
    store.load(args.name)
    found = store.keys(store.folder(args.name))
    return {key: found[key] for key in _KEYS.values()}


def regenerate_keys(args: Namespace) -> Any:
    """Make a new primary or secondary key; the other one goes on."""
    kind = (args.key_type or "primary").lower()
    if kind not in _KEYS:
        raise UserError(f"--key-type {args.key_type}: primary or secondary")
    with store.lock(args.name):
        store.load(args.name)
        folder = store.folder(args.name)
        store.write_secret(folder / "keys.json", {**store.keys(folder), _KEYS[kind]: secrets.token_urlsafe(32)})
    control.sync(args.name)


def invoke(args: Namespace) -> Any:
    """Send a request file; the text of the answer, as the CLI prints it."""
    if not args.request_file:
        raise UserError("online-endpoint invoke needs --request-file: a JSON file")
    path = Path(args.request_file)
    try:
        body = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    headers = {"Content-Type": "application/json"}
    if args.deployment_name:
        headers["azureml-model-deployment"] = args.deployment_name
    status, text = control.request(args.name, "POST", "/score", "primaryKey", body, headers)
    if status != 200:
        raise UserError(f"{args.name} answered {status}: {_one_line(text)}", 1)
    return text


def _one_line(text: str) -> str:
    try:
        return json.dumps(json.loads(text))[:1000]
    except ValueError:
        return " ".join(text.split())[:1000]


def delete(args: Namespace) -> Any:
    """Delete an endpoint with its deployments."""
    store.load(args.name)
    _confirm(args, f"online endpoint {args.name} with its deployments")
    with store.lock(args.name):
        control.stop(store.folder(args.name))
        store.remove(args.name)


def _confirm(args: Namespace, what: str) -> None:
    if not args.yes:
        raise UserError(f"deleting {what} cannot be undone: add --yes")


def stop_all(_: Namespace) -> Any:
    """End every router and server of this LOCALML_HOME; the next verb that names an endpoint starts it again."""
    return {"stopped": stop_every()}


def stop_every() -> list[str]:
    """The endpoints whose router ran and has been ended."""
    return [name for name in store.names() if control.stop(store.folder(name))]

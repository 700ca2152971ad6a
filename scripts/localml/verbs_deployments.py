"""Verbs of online deployments."""

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from amlspec.document import Document, display
from amlspec.errors import UserError
from amlspec.schema import parse
from amlspec.serving import Deployment
from host import process
from localml import collected, generation, specs
from localml.serving import control, store
from localml.specs import Spec

LOG = logging.getLogger(__name__)
Record = dict[str, Any]


def create(
    spec: Spec,
    *,
    name: str | None = None,
    endpoint_name: str | None = None,
    settings: Sequence[str] = (),
    all_traffic: bool = False,
    skip_script_validation: bool = False,
) -> Record:
    """Create a deployment and wait until it serves."""
    document = specs.load(spec, settings, name=name, endpoint_name=endpoint_name)
    parsed = parse(Deployment, document)
    if parsed.name in store.deployments(parsed.endpoint_name):
        raise UserError(f"online deployment {parsed.name} of {parsed.endpoint_name} exists: update or delete it")
    shown = _bring_up(parsed, document)
    if all_traffic:
        _all_traffic(parsed)
    return shown


def update(
    spec: Spec | None = None,
    *,
    name: str | None = None,
    endpoint_name: str | None = None,
    settings: Sequence[str] = (),
    skip_script_validation: bool = False,
) -> Record:
    """Change a deployment: new servers start beside the old ones and take over when they are ready."""
    if spec is None:
        if not (name and endpoint_name):
            raise UserError("online-deployment update needs --file, or --name and --endpoint-name")
        spec = _as_created(endpoint_name, name)
    document = specs.load(spec, settings, name=name, endpoint_name=endpoint_name)
    parsed = parse(Deployment, document)
    store.load_deployment(parsed.endpoint_name, parsed.name)
    return _bring_up(parsed, document)


def _as_created(endpoint: str, name: str) -> Document:
    """The spec that a deployment was made of; its paths begin where that lay."""
    kept = store.load_deployment(endpoint, name)["spec"]
    return Document(Path(kept.pop("_path")), kept, {})


def _bring_up(spec: Deployment, document: Document) -> dict[str, Any]:
    if spec.model_mount_path:
        where = document.where("model_mount_path")
        LOG.warning("warning: %s: model_mount_path: here the model lies at $AZUREML_MODEL_DIR only", where)
    control.ensure(spec.endpoint_name)
    collected.tidy()
    entry = generation.make(spec, document)
    with store.lock(spec.endpoint_name):
        store.save_deployment(spec.endpoint_name, entry)
    control.sync(spec.endpoint_name)
    state = control.wait_for(spec.endpoint_name, spec.name, entry["generation"])
    if state["state"] == "Failed":
        log = _log(spec.endpoint_name, spec.name)
        raise UserError(f"deployment {spec.name} failed: {state['error']}; its log: {display(log)}", 1)
    _tidy(spec, entry["generation"])
    return _shown(spec.endpoint_name, spec.name)


def _tidy(spec: Deployment, current: str) -> None:
    """Remove what earlier generations left, once they have drained."""
    control.wait_gone(spec.endpoint_name, spec.name)
    for folder in generation.folder(spec, current).parent.iterdir():
        if folder.name != current:
            shutil.rmtree(folder, ignore_errors=True)


def _all_traffic(spec: Deployment) -> None:
    with store.lock(spec.endpoint_name):
        record = store.load(spec.endpoint_name)
        store.save({**record, "traffic": {spec.name: 100}})
    control.sync(spec.endpoint_name)


def show(name: str, endpoint_name: str) -> Record:
    """One deployment, with its servers under `local`."""
    return _shown(endpoint_name, name)


def list_(endpoint_name: str) -> list[Record]:
    """Deployments of an endpoint."""
    return [_shown(endpoint_name, name) for name in store.deployments(endpoint_name)]


def _shown(endpoint: str, name: str) -> dict[str, Any]:
    entry = store.load_deployment(endpoint, name)
    state = control.status(endpoint)["deployments"].get(name) or {"state": "Updating", "live": None, "error": None}
    live = state["live"] or {"state": "Down", "replicas": []}
    local = {**live, "error": state["error"], "log": str(_log(endpoint, name))}
    return {**entry["record"], "provisioning_state": state["state"], "local": local}


def _log(endpoint: str, name: str) -> Path:
    return store.deployment_folder(endpoint, name) / "server.log"


def get_logs(name: str, endpoint_name: str, *, lines: int = 5000) -> str:
    """The last lines of the servers' log."""
    store.load_deployment(endpoint_name, name)
    return "\n".join(process.tail(_log(endpoint_name, name), lines))


def delete(name: str, endpoint_name: str, *, yes: bool = False) -> None:
    """Delete a deployment that has no traffic; requests that it has end first."""
    store.load_deployment(endpoint_name, name)
    if not yes:
        raise UserError(f"deleting online deployment {name} cannot be undone: add --yes")
    with store.lock(endpoint_name):
        record = store.load(endpoint_name)
        share = record["traffic"].get(name, 0)
        if share:
            raise UserError(f"deployment {name} has {share} percent of the traffic: move it to another one first")
        record["traffic"].pop(name, None)
        store.save(record)
        folder = store.deployment_folder(endpoint_name, name)
        (folder / "deployment.json").unlink()
    control.sync(endpoint_name)
    control.wait_gone(endpoint_name, name)
    shutil.rmtree(folder, ignore_errors=True)

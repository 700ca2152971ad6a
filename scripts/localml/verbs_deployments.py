"""Verbs of online deployments."""

import datetime as dt
import logging
import os
import shutil
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from amlspec import snapshot
from amlspec.document import Document, display
from amlspec.errors import UserError
from amlspec.references import Reference, is_named
from amlspec.schema import parse
from amlspec.serving import Deployment
from host import process
from host.state import home
from localml import assets, registry, specs
from localml.assets import Asset
from localml.serving import container, control, store
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
    entry = _entry(spec, document)
    with store.lock(spec.endpoint_name):
        store.save_deployment(spec.endpoint_name, entry)
    control.sync(spec.endpoint_name)
    state = control.wait_for(spec.endpoint_name, spec.name, entry["generation"])
    if state["state"] == "Failed":
        log = _log(spec.endpoint_name, spec.name)
        raise UserError(f"deployment {spec.name} failed: {state['error']}; its log: {display(log)}", 1)
    _tidy(spec, entry["generation"])
    return _shown(spec.endpoint_name, spec.name)


def _entry(spec: Deployment, document: Document) -> dict[str, Any]:
    """What the router needs, with code and model laid out as in the service's container."""
    model = _model(spec, document)
    environment = assets.find("environment", _reference(spec.environment, document))
    generation = uuid.uuid4().hex[:12]
    folder = store.deployment_folder(spec.endpoint_name, spec.name) / "generations" / generation
    code = _lay_out(spec, document, model, folder)
    record = {
        "name": spec.name,
        "endpoint_name": spec.endpoint_name,
        "type": spec.type,
        "description": spec.description,
        "tags": spec.tags,
        "model": model["id"],
        "environment": spec.environment,
        "code_configuration": spec.code_configuration.model_dump(),
        "instance_type": spec.instance_type,
        "instance_count": spec.replicas,
        "creation_context": {"created_at": dt.datetime.now(dt.UTC).isoformat()},
    }
    serve = _serve(spec, environment, _model_folder(folder, model), code)
    source = {**document.data, "_path": str(document.path.resolve())}
    return {"record": record, "spec": source, "generation": generation, "serve": serve}


def _model(spec: Deployment, document: Document) -> dict[str, Any]:
    where = document.where("model")
    reference = Reference.parse(spec.model)
    if reference is None or not reference.is_resolvable:
        raise UserError(f"{where}: {spec.model}: write azureml:<name>:<version> or azureml:<name>@latest")
    try:
        return registry.get(reference.name, reference.version)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None


def _reference(environment: str, document: Document) -> str:
    if not is_named(environment):
        raise UserError(f"{document.where('environment')}: {environment}: write azureml:<name>:<version>")
    return environment


def _lay_out(spec: Deployment, document: Document, model: dict[str, Any], folder: Path) -> Path:
    """Copy code and model below `folder`; the copy of the code folder."""
    source = (document.path.parent / spec.code_configuration.code).resolve()
    where = document.where("code_configuration", "code")
    if not source.is_dir():
        raise UserError(f"{where}: the code folder {spec.code_configuration.code} does not exist")
    if not (source / spec.code_configuration.scoring_script).is_file():
        where = document.where("code_configuration", "scoring_script")
        raise UserError(f"{where}: {spec.code_configuration.scoring_script} is not in {spec.code_configuration.code}")
    code = folder / source.name
    snapshot.copy(source, code, home())
    kept = Path(model["path"])
    shutil.copytree(kept, _model_folder(folder, model) / kept.name, copy_function=_link)
    (folder / "tmp").mkdir()
    return code


def _model_folder(folder: Path, model: dict[str, Any]) -> Path:
    return folder / "azureml-models" / str(model["name"]) / str(model["version"])


def _link(source: str, target: str) -> None:
    """A registered model never changes, so a second name for its files will do where the disk allows."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _serve(spec: Deployment, environment: Asset, model: Path, code: Path) -> dict[str, Any]:
    python, folder = _interpreter(spec.environment), code.parent
    script = code / spec.code_configuration.scoring_script
    container.write_server(folder / "bin", python)
    # As Azure ML sets them: the folder of the scoring script and its bare name, and nothing on PYTHONPATH.
    ours = {
        "AML_APP_ROOT": str(script.parent),
        "AZUREML_ENTRY_SCRIPT": script.name,
        "AZUREML_MODEL_DIR": str(model),
    }
    variables = process.environment("serving", python, folder / "tmp", {**spec.environment_variables, **ours})
    variables["PATH"] = f"{folder / 'bin'}{os.pathsep}{variables['PATH']}"
    command, port = _start_of(environment)
    limits, probe = spec.request_settings, spec.liveness_probe
    return {
        "command": command,
        "port": port,
        "folder": str(folder / "tmp"),
        "variables": variables,
        "replicas": spec.replicas,
        "timeout_seconds": limits.request_timeout_ms / 1000,
        "queue_seconds": limits.max_queue_wait_ms / 1000,
        "concurrent": limits.max_concurrent_requests_per_instance,
        "start_seconds": spec.start_seconds,
        "probe_period": float(probe.period),
        "probe_timeout": float(probe.timeout),
        "probe_failures": probe.failure_threshold,
    }


def _start_of(environment: Asset) -> tuple[tuple[str, ...], int]:
    """(command, port) of the container's server, from its Dockerfile and its inference_config."""
    build, context = environment.record.get("build"), environment.content
    routes = environment.record.get("inference_config") or {}
    port = int((routes.get("scoring_route") or {}).get("port", container.DEFAULT_PORT))
    if not build:
        return container.DEFAULT, port
    if context is None:
        raise UserError(f"the build context of {environment.record['id']} is not kept here: register it once more")
    return container.command_of(context / build.get("dockerfile_path", "Dockerfile")), port


def _interpreter(environment: str) -> Path:
    """The interpreter of an environment here: .venv-<name> beside this one, or LOCALML_SERVER_PYTHON."""
    reference = Reference.parse(environment)
    name = reference.name if reference else environment
    given = os.environ.get("LOCALML_SERVER_PYTHON")
    python = Path(given) if given else Path(sys.prefix).with_name(f".venv-{name}") / "bin" / "python"
    if not python.exists():
        raise UserError(f"environment {name} has no interpreter here, {python}: make setup-serving")
    return python.absolute()


def _tidy(spec: Deployment, generation: str) -> None:
    """Remove what earlier generations left, once they have drained."""
    control.wait_gone(spec.endpoint_name, spec.name)
    kept = store.deployment_folder(spec.endpoint_name, spec.name) / "generations"
    for old in kept.iterdir():
        if old.name != generation:
            shutil.rmtree(old, ignore_errors=True)


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

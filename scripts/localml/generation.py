"""One generation of a deployment: code, model and server laid out as in the service's container, and how to start it.

An update makes a new one beside the old, which goes when its last request has ended.
"""

import datetime as dt
import os
import shutil
import sys
import uuid
from pathlib import Path
from typing import Any

from amlspec import snapshot
from amlspec.document import Document
from amlspec.errors import UserError
from amlspec.references import Reference, is_named
from amlspec.serving import Deployment
from host import process
from host.state import home
from localml import assets, collected, registry
from localml.assets import Asset
from localml.serving import container, store


def make(spec: Deployment, document: Document) -> dict[str, Any]:
    """What the router needs, with code and model laid out as in the service's container."""
    model = _model(spec, document)
    environment = assets.find("environment", _reference(spec.environment, document))
    name = uuid.uuid4().hex[:12]
    place = folder(spec, name)
    code = _lay_out(spec, document, model, place)
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
    serve = _serve(spec, environment, _model_folder(place, model), code)
    source = {**document.data, "_path": str(document.path.resolve())}
    return {"record": record, "spec": source, "generation": name, "serve": serve}


def folder(spec: Deployment, name: str) -> Path:
    """Where a generation of a deployment lies."""
    return store.deployment_folder(spec.endpoint_name, spec.name) / "generations" / name


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


def _lay_out(spec: Deployment, document: Document, model: dict[str, Any], target: Path) -> Path:
    """Copy code and model below `target`; the copy of the code folder."""
    source = (document.path.parent / spec.code_configuration.code).resolve()
    where = document.where("code_configuration", "code")
    if not source.is_dir():
        raise UserError(f"{where}: the code folder {spec.code_configuration.code} does not exist")
    if not (source / spec.code_configuration.scoring_script).is_file():
        where = document.where("code_configuration", "scoring_script")
        raise UserError(f"{where}: {spec.code_configuration.scoring_script} is not in {spec.code_configuration.code}")
    code = target / source.name
    snapshot.copy(source, code, home())
    kept = Path(model["path"])
    shutil.copytree(kept, _model_folder(target, model) / kept.name, copy_function=_link)
    (target / "tmp").mkdir()
    return code


def _model_folder(target: Path, model: dict[str, Any]) -> Path:
    return target / "azureml-models" / str(model["name"]) / str(model["version"])


def _link(source: str, target: str) -> None:
    """A registered model never changes, so a second name for its files will do where the disk allows."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _serve(spec: Deployment, environment: Asset, model: Path, code: Path) -> dict[str, Any]:
    python, place = _interpreter(spec.environment), code.parent
    script = code / spec.code_configuration.scoring_script
    container.write_server(place / "bin", python)
    # As Azure ML sets them: the folder of the scoring script and its bare name, and nothing on PYTHONPATH.
    ours = {
        "AML_APP_ROOT": str(script.parent),
        "AZUREML_ENTRY_SCRIPT": script.name,
        "AZUREML_MODEL_DIR": str(model),
        **collected.variables(spec),
    }
    variables = process.environment("serving", python, place / "tmp", {**spec.environment_variables, **ours})
    variables["PATH"] = f"{place / 'bin'}{os.pathsep}{variables['PATH']}"
    command, port = _start_of(environment)
    limits, probe = spec.request_settings, spec.liveness_probe
    return {
        "command": command,
        "port": port,
        "folder": str(place / "tmp"),
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

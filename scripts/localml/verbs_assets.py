"""Verbs of the versioned assets: connection, data, environment, component, model."""

import shutil
from argparse import Namespace
from pathlib import Path
from typing import Any

from amlspec.document import Document, read_document
from amlspec.errors import UserError
from amlspec.schema import Component, Connection, Data, Environment, Model, Versioned, parse
from host.state import home, read_json, write_json
from localml import assets, component_code, environments, hashing, overrides, registry, tracking
from localml.refusals import check_command, check_component_kind
from localml.stored import stored_path
from localml.values import check_table, local_path


def _document(args: Namespace) -> Document:
    """The spec of --file with --set, --name and --version applied."""
    document = read_document(Path(args.file))
    overrides.apply(document, args.set or [])
    for field in ("name", "version"):
        if getattr(args, field, None) is not None:
            document.data[field] = getattr(args, field)
    return document


def _record(spec: Versioned, document: Document, **more: Any) -> dict[str, Any]:
    if spec.name is None:
        raise UserError(f"{document.where()}: an asset needs a name: add `name:` or give --name")
    shown = {"name": spec.name, "version": spec.version, "description": spec.description}
    return {**shown, "tags": spec.tags, "properties": getattr(spec, "properties", {}), **more}


def environment_create(args: Namespace) -> Any:
    """Register an environment; its version is immutable."""
    document = _document(args)
    spec = parse(Environment, document)
    sha256 = environments.spec_hash(spec, document)
    context = environments.build_context(spec, document) if spec.build else None
    conda = environments.conda_of(spec, document)
    routes = spec.inference_config
    record = _record(spec, document, image=spec.image, build=spec.build, conda_file=conda, inference_config=routes)
    return assets.register("environment", record, sha256, content=context).record


def component_create(args: Namespace) -> Any:
    """Register a component with the snapshot of its code."""
    document = _document(args)
    check_component_kind(document)
    spec = parse(Component, document)
    check_command(spec, document)
    code = component_code.of(spec, document)
    staged = home() / "tmp" / f"component-{spec.name}"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    code.copy(staged / "code")
    stored = {key: value for key, value in document.data.items() if key != "additional_includes"}
    stored |= {"code": "code"} if code.code or code.includes else {}
    write_json(staged / "component.yml", stored)  # JSON is YAML; the registered form needs no comments
    try:
        record = _record(spec, document, type="command", display_name=spec.display_name)
        sha256 = hashing.of_data([document.data, code.hash()])
        return assets.register("component", record, sha256, content=staged).record
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def data_create(args: Namespace) -> Any:
    """Register a local file or folder, or a datastore path, as a data asset."""
    if args.file:
        document = _document(args)
    else:
        if not (args.name and args.path):
            raise UserError("data create needs --file, or --name and --path")
        data = {"name": args.name, "path": args.path, "type": args.type or "uri_folder", "version": args.version}
        document = Document(Path.cwd() / "--path", data, {})
    spec = parse(Data, document)
    where = document.where("path")
    content = stored_path(spec.path, where) or local_path(spec.path, document.path.parent, where)
    if not content.exists():
        raise UserError(f"{document.where('path')}: {spec.path} does not exist")
    if (spec.type == "uri_file") != content.is_file():
        raise UserError(f"{document.where('type')}: {spec.path} does not fit the type {spec.type}")
    check_table(content, spec.type, where)
    record = _record(spec, document, type=spec.type, path=spec.path)
    return assets.register("data", record, assets.content_hash(content, record), content=content.resolve()).record


def connection_create(args: Namespace) -> Any:
    """Keep a connection. A password in it is refused: none belongs into a file."""
    document = _document(args)
    spec = parse(Connection, document)
    for key in ("password", "client_secret", "key", "sas_token", "pat"):
        if (spec.credentials or {}).get(key):
            where = document.where("credentials", key)
            raise UserError(f"{where}: a secret does not belong into a spec: leave it empty")
    shown = {"name": spec.name, "type": spec.type, "target": spec.target, "tags": spec.tags, "metadata": spec.metadata}
    write_json(home() / "connections" / f"{spec.name}.json", shown)
    return shown


def connection_show(args: Namespace) -> Any:
    """One connection."""
    found = read_json(home() / "connections" / f"{Path(args.name).name}.json")
    if found is None:
        raise UserError(f"connection {args.name} does not exist here: `localml connection list` shows what does")
    return found


def connection_list(_: Namespace) -> Any:
    """Every connection."""
    return [read_json(path) for path in sorted((home() / "connections").glob("*.json"))]


def show(args: Namespace) -> Any:
    """One version of an asset, by --version or --label latest."""
    if args.label not in (None, "latest"):
        raise UserError(f"--label {args.label}: the only label is latest")
    if args.version is None and args.label is None:
        raise UserError(f"{args.group} show needs --version or --label latest")
    version = args.version if args.label is None else None
    if args.group == "model":
        return registry.get(args.name, version)
    return assets.get(args.group, args.name, version).record


def list_(args: Namespace) -> Any:
    """Versions of a name, the newest first, or every name."""
    found = registry.versions(args.name) if args.group == "model" else assets.versions(args.group, args.name)
    return found[: args.max_results] if args.max_results is not None else found


def model_create(args: Namespace) -> Any:
    """Register a model folder in MLflow's registry, where the register step puts its models too."""
    if args.file:
        document = _document(args)
    else:
        if not (args.name and args.path):
            raise UserError("model create needs --file, or --name and --path")
        data = {"name": args.name, "path": args.path, "type": args.type or "custom_model"}
        document = Document(Path.cwd() / "--path", data, {})
    spec = parse(Model, document)
    where = document.where("path")
    path = stored_path(spec.path, where) or local_path(spec.path, document.path.parent, where)
    if not path.is_dir() and (spec.type == "mlflow_model" or not path.is_file()):
        raise UserError(f"{where}: {spec.path} is not a folder")
    name = str(_record(spec, document)["name"])
    _check_version(name, spec.version, document.where("version"))
    tags = {key: str(value) for key, value in spec.tags.items()}
    return registry.get(name, tracking.register(name, path.resolve(), tags, spec.description, spec.version))


def _check_version(name: str, version: str | None, where: str) -> None:
    """Any number after the newest: MLflow's registry, which keeps the models here, knows numbers only."""
    newest = max((int(each["version"]) for each in registry.versions(name)), default=0)
    if version is not None and not (version.isascii() and version.isdigit() and int(version) > newest):
        raise UserError(f"{where}: {version} is not a number above {newest}, the newest version of {name}")


def model_download(args: Namespace) -> Any:
    """Copy a model's files to --download-path/<name>."""
    record = registry.get(args.name, args.version)
    target = Path(args.download_path) / str(record["name"])
    if target.exists():
        raise UserError(f"{target} exists: remove it or choose another --download-path")
    shutil.copytree(record["path"], target)
    return {"name": record["name"], "version": record["version"], "path": str(target)}

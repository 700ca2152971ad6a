"""Verbs of the versioned assets: connection, data, environment, component, model."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from amlspec.document import Document
from amlspec.errors import UserError
from amlspec.schema import Connection, Data, Environment, Model, Versioned, parse
from host.state import home, read_json, write_json
from localml import assets, environments, registered_components, registry, specs, tracking
from localml.specs import Spec
from localml.stored import stored_path
from localml.values import check_table, local_path

Record = dict[str, Any]


def _record(spec: Versioned, document: Document, **more: Any) -> Record:
    if spec.name is None:
        raise UserError(f"{document.where()}: an asset needs a name: add `name:` or give --name")
    shown = {"name": spec.name, "version": spec.version, "description": spec.description}
    return {**shown, "tags": spec.tags, "properties": getattr(spec, "properties", {}), **more}


def environment_create(
    spec: Spec, *, name: str | None = None, version: str | None = None, settings: Sequence[str] = ()
) -> Record:
    """Register an environment; its version is immutable."""
    document = specs.load(spec, settings, name=name, version=version)
    parsed = parse(Environment, document)
    sha256 = environments.spec_hash(parsed, document)
    context = environments.build_context(parsed, document) if parsed.build else None
    conda, routes = environments.conda_of(parsed, document), parsed.inference_config
    record = _record(
        parsed, document, image=parsed.image, build=parsed.build, conda_file=conda, inference_config=routes
    )
    return assets.register("environment", record, sha256, content=context).record


def component_create(
    spec: Spec, *, name: str | None = None, version: str | None = None, settings: Sequence[str] = ()
) -> Record:
    """Register a component with all that it names by a path, the snapshot of its code first."""
    return registered_components.register(specs.load(spec, settings, name=name, version=version)).record


def data_create(
    spec: Spec | None = None,
    *,
    name: str | None = None,
    version: str | None = None,
    path: str | None = None,
    type: str | None = None,
    settings: Sequence[str] = (),
) -> Record:
    """Register a local file or folder, or a datastore path, as a data asset; by a spec, or by name and path."""
    flags = {"name": name, "version": version, "path": path, "type": type}
    document = _of_file_or_flags("data", spec, settings, "uri_folder", **flags)
    parsed, where = parse(Data, document), document.where("path")
    content = stored_path(parsed.path, where) or local_path(parsed.path, document.path.parent, where)
    if not content.exists():
        raise UserError(f"{where}: {parsed.path} does not exist")
    if (parsed.type == "uri_file") != content.is_file():
        raise UserError(f"{document.where('type')}: {parsed.path} does not fit the type {parsed.type}")
    check_table(content, parsed.type, where)
    record = _record(parsed, document, type=parsed.type, path=parsed.path)
    return assets.register("data", record, assets.content_hash(content, record), content=content.resolve()).record


def _of_file_or_flags(kind: str, spec: Spec | None, settings: Sequence[str], default: str, **flags: Any) -> Document:
    """The spec with what the flags change in it; without one the flags alone, whose paths begin in this folder."""
    if spec is None:
        if not (flags["name"] and flags["path"]):
            raise UserError(f"{kind} create needs --file, or --name and --path")
        spec = specs.of_data({"type": default}, Path.cwd(), "--path")
    return specs.load(spec, settings, **flags)


def connection_create(spec: Spec, *, name: str | None = None, settings: Sequence[str] = ()) -> Record:
    """Keep a connection. A password in it is refused: none belongs into a file."""
    document = specs.load(spec, settings, name=name)
    parsed = parse(Connection, document)
    for key in ("password", "client_secret", "key", "sas_token", "pat"):
        if (parsed.credentials or {}).get(key):
            where = document.where("credentials", key)
            raise UserError(f"{where}: a secret does not belong into a spec: leave it empty")
    shown = {field: getattr(parsed, field) for field in ("name", "type", "target", "tags", "metadata")}
    write_json(home() / "connections" / f"{parsed.name}.json", shown)
    return shown


def connection_show(name: str) -> Record:
    """One connection."""
    kept: Record | None = read_json(home() / "connections" / f"{Path(name).name}.json")
    if kept is None:
        raise UserError(f"connection {name} does not exist here: `localml connection list` shows what does")
    return kept


def connection_list() -> list[Record]:
    """Every connection."""
    return [read_json(path) for path in sorted((home() / "connections").glob("*.json"))]


def show(kind: str, *, name: str, version: str | None = None, label: str | None = None) -> Record:
    """One version of an asset, by --version or --label latest."""
    return assets.get(kind, name, _one_version(kind, version, label)).record


def _one_version(kind: str, version: str | None, label: str | None) -> str | None:
    """The version that is asked for; None for the latest."""
    if label not in (None, "latest"):
        raise UserError(f"--label {label}: the only label is latest")
    if version is None and label is None:
        raise UserError(f"{kind} show needs --version or --label latest")
    return version if label is None else None


def list_(kind: str, *, name: str | None = None, max_results: int | None = None) -> list[Record]:
    """Versions of a name, the newest first, or every name."""
    return assets.versions(kind, name)[:max_results]


def model_show(name: str, *, version: str | None = None, label: str | None = None) -> Record:
    """One version of a model, by --version or --label latest."""
    return registry.get(name, _one_version("model", version, label))


def model_list(*, name: str | None = None, max_results: int | None = None) -> list[Record]:
    """Versions of a model, the newest first, or every model."""
    return registry.versions(name)[:max_results]


def model_create(
    spec: Spec | None = None,
    *,
    name: str | None = None,
    version: str | None = None,
    path: str | None = None,
    type: str | None = None,
    settings: Sequence[str] = (),
) -> Record:
    """Register a model folder in MLflow's registry, where the register step puts its models too."""
    flags = {"name": name, "version": version, "path": path, "type": type}
    document = _of_file_or_flags("model", spec, settings, "custom_model", **flags)
    parsed, where = parse(Model, document), document.where("path")
    content = stored_path(parsed.path, where) or local_path(parsed.path, document.path.parent, where)
    if not content.is_dir() and (parsed.type == "mlflow_model" or not content.is_file()):
        raise UserError(f"{where}: {parsed.path} is not a folder")
    known = str(_record(parsed, document)["name"])
    _check_version(known, parsed.version, document.where("version"))
    tags = {key: str(value) for key, value in parsed.tags.items()}
    made = tracking.register(known, content.resolve(), tags, parsed.description, parsed.version)
    return registry.get(known, made)


def _check_version(name: str, version: str | None, where: str) -> None:
    """Any number after the newest: MLflow's registry, which keeps the models here, knows numbers only."""
    newest = max((int(each["version"]) for each in registry.versions(name)), default=0)
    if version is not None and not (version.isascii() and version.isdigit() and int(version) > newest):
        raise UserError(f"{where}: {version} is not a number above {newest}, the newest version of {name}")


def model_update(name: str, version: str, *, settings: Sequence[str] = ()) -> Record:
    """Set tags of a version (--set tags.<name>=<value>); its tag `champion` moves MLflow's alias of that name, too."""
    registry.get(name, version)
    tags = {}
    for each in settings:
        key, equals, value = each.partition("=")
        if not equals or not key.startswith("tags."):
            raise UserError(f"--set {each}: of a version tags can be set here, tags.<name>=<value>")
        tags[key.removeprefix("tags.")] = value
    tracking.tag(name, version, tags)
    return registry.get(name, version)


def model_download(name: str, version: str, *, download_path: str | Path = ".") -> Record:
    """Copy a model's files to --download-path/<name>."""
    record = registry.get(name, version)
    target = Path(download_path) / str(record["name"])
    if target.exists():
        raise UserError(f"{target} exists: remove it or choose another --download-path")
    shutil.copytree(record["path"], target)
    return {"name": record["name"], "version": record["version"], "path": str(target)}

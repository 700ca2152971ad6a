"""Values of inputs: literals checked against a component's declaration, data resolved to a local path."""

import re
from dataclasses import dataclass
from pathlib import Path

from amlspec.bindings import Value
from amlspec.document import display
from amlspec.errors import UserError
from amlspec.references import Reference, is_named
from amlspec.schema import Input, Literals
from amlspec.types import read_literal
from host import hashing
from localml import assets, registry
from localml.stored import stored_path

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):")


@dataclass(frozen=True)
class Data:
    """Content of a step's input: where it lies, its content hash, and what it is called in a job's record."""

    path: Path
    sha256: str
    label: str


def data(value: Input, base: Path, where: str) -> Data:
    """Resolve a data input: an asset, a datastore path, or a local path relative to its spec."""
    if value.path is None:
        raise UserError(f"{where}: an input of type {value.type} needs a path")
    if is_named(value.path):
        return _of_asset(value, where)
    path = stored_path(value.path, where) or local_path(value.path, base, where)
    if not path.exists():
        raise UserError(f"{where}: {value.path} does not exist ({display(path)})")
    if value.type == "uri_file" and path.is_dir():
        raise UserError(f"{where}: {value.path} is a folder, the input takes a file")
    if value.type in ("uri_folder", "mltable", "mlflow_model") and path.is_file():
        raise UserError(f"{where}: {value.path} is a file, an input of type {value.type} takes a folder")
    check_table(path, value.type, where)
    return Data(path.resolve(), hashing.of_path(path), value.path)


def local_path(text: str, base: Path, where: str) -> Path:
    """A path relative to its spec; `file:` may stand before it. Raises UserError for what lies elsewhere."""
    text = text.removeprefix("file://").removeprefix("file:")
    if scheme := _SCHEME.match(text):
        what = "local files, data assets, azureml://datastores/<store>/paths/<path> and azureml://jobs/<job>/outputs/<output>/paths/<path>"
        raise UserError(f"{where}: {text}: {scheme[1]}: is not imitated by the local engine, which reads {what}")
    return base / text


def check_table(path: Path, kind: str, where: str) -> None:
    """Raises UserError where the folder of an mltable has no file MLTable, as Azure's client does."""
    if kind == "mltable" and not (path / "MLTable").is_file():
        raise UserError(f"{where}: {display(path)} holds no file MLTable, which a folder of type mltable needs")


def _of_asset(value: Input, where: str) -> Data:
    kind = "model" if value.type.endswith("_model") else "data"
    if kind == "model":
        return _of_model(str(value.path), where)
    try:
        asset = assets.find(kind, str(value.path))
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    actual = asset.record["type"]
    if actual != value.type and not (value.type == "uri_folder" and actual == "mltable"):
        raise UserError(f"{where}: {value.path} is {actual}, the input is declared {value.type}")
    if asset.content is None or not asset.content.exists():
        raise UserError(f"{where}: the content of {value.path} is gone: register it anew")
    return Data(asset.content, asset.sha256, f"azureml:{asset.record['name']}:{asset.version}")


def _of_model(text: str, where: str) -> Data:
    """A registered model as an input of a step."""
    reference = Reference.parse(text)
    if reference is None or not reference.is_resolvable:
        raise UserError(f"{where}: {text}: write azureml:<name>:<version> or azureml:<name>@latest")
    record = registry.get(reference.name, reference.version)
    path = Path(record["path"])
    return Data(path, hashing.of_path(path), f"azureml:{record['name']}:{record['version']}")


def literal(name: str, value: Literals, declared: Input, where: str) -> Value:
    """`value` in the declared type, within the declared bounds. Raises UserError otherwise."""
    try:
        return read_literal(value, declared.type, declared.min, declared.max, declared.enum)
    except ValueError as error:
        raise UserError(f"{where}: input '{name}': {error}") from None

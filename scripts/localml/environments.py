"""Environments: registered specs, and the hash by which a step knows that its environment changed."""

import sysconfig
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from amlspec import snapshot
from amlspec.document import Document, read_document
from amlspec.errors import UserError
from amlspec.schema import Environment, parse
from host import hashing
from host.state import home
from localml import assets, packages
from localml.packages import Packages
from localml.values import local_path


@dataclass(frozen=True)
class Resolved:
    """The environment of a step: its name, what a step is reused by, and its packages."""

    name: str
    hash: str
    packages: Packages


def spec_hash(environment: Environment, document: Document) -> str:
    """Hash of what builds the image: image, conda file or build context, not the description."""
    base = document.path.parent
    data: dict[str, Any] = {"image": environment.image, "build": environment.build, "conda": environment.conda_file}
    if isinstance(environment.conda_file, str):
        data["conda"] = hashing.of_file(_existing(base / environment.conda_file, document.where("conda_file")))
    if environment.build:
        context = build_context(environment, document)
        data["context"] = hashing.of_files(context, snapshot.files(context, home()))
    if not environment.image and not environment.build:
        raise UserError(f"{document.where()}: an environment needs an image or a build context")
    return hashing.of_data(data)


def build_context(environment: Environment, document: Document) -> Path:
    """The folder that the image is built from."""
    if not environment.build or "path" not in environment.build:
        raise UserError(f"{document.where('build')}: build: path is missing: name the folder with the Dockerfile")
    return _existing(document.path.parent / environment.build["path"], document.where("build", "path"))


def conda_of(environment: Environment, document: Document) -> dict[str, Any] | None:
    """The content of the conda file, which may stand in the spec itself."""
    conda = environment.conda_file
    if isinstance(conda, str):
        return read_document(_existing(document.path.parent / conda, document.where("conda_file"))).data
    return conda


def resolve(reference: str | dict[str, Any], document: Document) -> Resolved:
    """The environment that a component names, inline or registered."""
    where = document.where("environment")
    if isinstance(reference, dict):
        inner = {key[1:]: line for key, line in document.lines.items() if key[:1] == ("environment",)}
        return _of_spec(Document(document.path, reference, inner))
    if reference.startswith("file:"):  # azure-ai-ml's loader takes no bare path
        return _of_spec(read_document(local_path(reference, document.path.parent, where)))
    try:
        asset = assets.find("environment", reference)
    except UserError as error:
        raise UserError(f"{where}: {error}; `localml environment create --file <spec>` registers one") from None
    label = f"{asset.record['name']}:{asset.version}"
    if asset.record.get("build") and asset.content is None:
        raise UserError(f"{where}: the build context of {label} is not kept here: register it once more")
    contents = _packages(asset.record.get("build"), asset.content, asset.record.get("conda_file"))
    return _resolved(label, asset.sha256, contents)


def _of_spec(document: Document) -> Resolved:
    spec = parse(Environment, document)
    context = build_context(spec, document) if spec.build else None
    contents = _packages(spec.build, context, conda_of(spec, document))
    return _resolved(spec.name or "inline", spec_hash(spec, document), contents)


def _resolved(name: str, sha256: str, contents: Packages) -> Resolved:
    if contents.requirements is None:  # the engine's own packages run the step
        return Resolved(name, hashing.of_data([sha256, _installed()]), contents)
    return Resolved(name, hashing.of_data([sha256, sysconfig.get_python_version()]), contents)


def _packages(build: dict[str, str] | None, context: Path | None, conda: dict[str, Any] | None) -> Packages:
    if build and context:
        return packages.of_context(context, build.get("dockerfile_path", "Dockerfile"))
    if conda:
        return packages.of_conda(conda)
    return Packages(None, "what its image holds is not known here")


@cache
def _installed() -> str:
    """Names and versions of the packages of this interpreter."""
    packages = Path(sysconfig.get_path("purelib")).glob("*.dist-info")
    return hashing.of_data([sysconfig.get_python_version(), sorted(path.name for path in packages)])


def _existing(path: Path, where: str) -> Path:
    if not path.exists():
        raise UserError(f"{where}: {path.name} does not exist")
    return path

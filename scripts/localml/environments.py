"""Environments: registered specs, and the hash by which a step knows that its environment changed."""

import sysconfig
from functools import cache
from pathlib import Path
from typing import Any

from localml import assets, hashing, snapshot
from localml.errors import UserError
from localml.specs import Environment, parse
from localml.yamlio import Document


def spec_hash(environment: Environment, document: Document) -> str:
    """Hash of what builds the image: image, conda file or build context, not the description."""
    base = document.path.parent
    data: dict[str, Any] = {"image": environment.image, "build": environment.build, "conda": environment.conda_file}
    if isinstance(environment.conda_file, str):
        data["conda"] = hashing.of_file(_existing(base / environment.conda_file, document.where("conda_file")))
    if environment.build:
        context = _existing(base / environment.build["path"], document.where("build", "path"))
        data["context"] = hashing.of_files(context, snapshot.files(context))
    if not environment.image and not environment.build:
        raise UserError(f"{document.where()}: an environment needs an image or a build context")
    return hashing.of_data(data)


def environment_hash(reference: str | dict[str, Any], document: Document) -> str:
    """Hash of the environment that a component names, with what is installed here, since that is what runs."""
    where = document.where("environment")
    if isinstance(reference, dict):
        inner = {key[1:]: line for key, line in document.lines.items() if key[:1] == ("environment",)}
        inline = Document(document.path, reference, inner)
        return hashing.of_data([spec_hash(parse(Environment, inline), inline), _installed()])
    try:
        return hashing.of_data([assets.find("environment", reference).sha256, _installed()])
    except UserError as error:
        raise UserError(f"{where}: {error}; `localml environment create --file <spec>` registers one") from None


@cache
def _installed() -> str:
    """Names and versions of the packages of this interpreter."""
    packages = Path(sysconfig.get_path("purelib")).glob("*.dist-info")
    return hashing.of_data([sysconfig.get_python_version(), sorted(path.name for path in packages)])


def _existing(path: Path, where: str) -> Path:
    if not path.exists():
        raise UserError(f"{where}: {path.name} does not exist")
    return path

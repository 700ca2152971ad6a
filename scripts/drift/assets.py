"""Environments and components: is the version that git holds registered, and does it say the same?

What `az ml` shows of a version is compared: command, environment and names of inputs and outputs. It shows no hash of a
component's code; `make check BASE=` holds in review that other content has another version.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from amlspec.references import Reference
from amlspec.versions import order
from drift.difference import Difference
from pipeline import azml

KINDS = {"environment": "ml/environments", "component": "ml/components"}


def differences(root: Path) -> Iterator[Difference]:
    """Compare every spec with the workspace, in the order of the files."""
    for kind, folder in KINDS.items():
        for path in sorted((root / folder).glob("*.yml")):
            yield from _of_spec(kind, path)


def _of_spec(kind: str, path: Path) -> Iterator[Difference]:
    spec = yaml.safe_load(path.read_text(encoding="utf-8"))
    name, version = str(spec["name"]), str(spec["version"])
    known = {str(each["version"]): each for each in azml.call(kind, "list", name=name) or []}
    newer = [each for each in known if order(each) > order(version)]
    if newer:
        newest = max(newer, key=order)
        yield Difference(f"{kind} {name}", f"version {newest} is registered, git holds {version}", "bring it into git")
    if version in known:
        yield from _of_version(kind, spec, known[version])
    elif known or _is_used(kind):
        has = f"registered are {', '.join(sorted(known, key=order))}" if known else "none is registered"
        yield Difference(f"{kind} {name}:{version}", has, _register())


def _is_used(kind: str) -> bool:
    """Whether jobs refer to what is registered: on this machine a pipeline reads its components as files."""
    return kind != "component" or not azml.is_local()


def _of_version(kind: str, spec: dict[str, Any], record: dict[str, Any]) -> Iterator[Difference]:
    for field, read in FIELDS.items():
        # What an engine does not show of a version cannot be compared.
        if field in spec and record.get(field) is not None and read(spec[field]) != read(record[field]):
            what, todo = (
                f"{kind} {spec['name']}:{spec['version']}",
                f"give it a new version: make bump, then {_register()}",
            )
            yield Difference(what, f"{field} differs from git", todo)


def _register() -> str:
    return f"make register-assets ENV={os.environ.get('ENV', 'local')}"


def _words(text: Any) -> str:
    return " ".join(str(text).split())


def _reference(text: Any) -> str:
    """`demand:2` of `azureml:demand:2` and of the resource id that ends in /environments/demand/versions/2."""
    reference = Reference.of_resource(text)
    return f"{reference.name}:{reference.pin}" if reference else str(text)


def _names(ports: Any) -> list[str]:
    return sorted(ports or {})


FIELDS = {"command": _words, "environment": _reference, "inputs": _names, "outputs": _names}

"""A registered component with all that it names by a path: code, components below it, packages, data.

On Azure ML a registered component of a pipeline names its parts as components of their own, without a name. Here they
lie beside it, so that the version stays what it is whatever becomes of the files that it was made from.
"""

import itertools
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from amlspec.document import Document, read_document
from amlspec.errors import UserError
from amlspec.references import is_named
from host.state import write_json
from localml import assets, component_code, values

NAME = "component.yml"
# What the names below these mean is the author's: none is a field with a path.
_OPAQUE = frozenset({"tags", "properties", "environment_variables", "search_space"})
_NAMED = frozenset({"inputs", "outputs", "jobs"})
_SCHEME = re.compile(r"(?!file:)[a-z][a-z0-9+.-]+:")


def write(document: Document, target: Path) -> None:
    """Write a component into the folder `target`, with what it names beside it, its paths relative to that."""
    target.mkdir(parents=True)
    _Snapshot(document, target).write(NAME)


def read(reference: str, base: Path, where: str) -> Document:
    """The spec of a component that is named by a path, relative to `base`, or registered. Raises UserError."""
    if is_named(reference):
        try:
            content = assets.find("component", reference).content
        except UserError as error:
            raise UserError(f"{where}: {error}") from None
        if content is None:
            raise UserError(f"{where}: {reference} has lost its spec: register it anew")
        return read_document(content / NAME)
    path = values.local_path(reference, base, where)
    if not path.is_file():
        raise UserError(f"{where}: the component {reference} does not exist")
    return read_document(path)


@dataclass(frozen=True)
class _Snapshot:
    """One spec on its way into a folder; parts get numbers, in the order of the file."""

    document: Document
    target: Path
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def write(self, name: str) -> str:
        """Write the spec; its name in the folder."""
        write_json(self.target / name, self._kept(self.document.data, ()))  # JSON is YAML
        return name

    def _kept(self, spec: Any, place: tuple[str | int, ...]) -> Any:
        """`spec` with names of the folder in the places of paths."""
        if isinstance(spec, list):
            return [self._kept(each, (*place, number)) for number, each in enumerate(spec)]
        if not isinstance(spec, dict):
            return spec
        if place and place[-1] in _NAMED:
            return {key: self._kept(value, (*place, key)) for key, value in spec.items()}
        kept = {key: self._value(key, value, (*place, key)) for key, value in spec.items()}
        if "code" in spec or "additional_includes" in spec:
            kept.pop("additional_includes", None)
            kept["code"] = self._code(spec, place)
        return kept

    def _value(self, key: str, value: Any, place: tuple[str | int, ...]) -> Any:
        if key in _OPAQUE or key in ("code", "additional_includes"):
            return value
        if not isinstance(value, str):
            return self._kept(value, place)
        is_spec = key in ("component", "trial") or (key == "environment" and value.startswith("file:"))
        if "${{" in value or is_named(value) or not (is_spec or key in ("conda_file", "path")):
            return value
        return self._spec(value, place) if is_spec else self._content(value, place)

    def _path(self, text: str, place: tuple[str | int, ...]) -> Path:
        where = self.document.where(*place)
        path = values.local_path(text, self.document.path.parent, where).resolve()
        if not path.exists():
            raise UserError(f"{where}: {text} does not exist")
        return path

    def _spec(self, text: str, place: tuple[str | int, ...]) -> str:
        """Another spec, with what it names in its turn."""
        inner = replace(self, document=read_document(self._path(text, place)))
        name = inner.write(f"part-{next(self.numbers)}.yml")
        return f"file:{name}" if place[-1] == "environment" else name

    def _content(self, text: str, place: tuple[str | int, ...]) -> str:
        """A file or a folder: a build context, a conda file, data."""
        if _SCHEME.match(text):
            return text
        path = self._path(text, place)
        name = f"part-{next(self.numbers)}{path.suffix if path.is_file() else ''}"
        (shutil.copytree if path.is_dir() else shutil.copy2)(path, self.target / name)
        return name

    def _code(self, spec: dict[str, Any], place: tuple[str | int, ...]) -> str:
        """The folder of the code; that of the component itself is called `code`."""
        name = f"part-{next(self.numbers)}" if place or (self.target / "code").exists() else "code"
        lines = {key[len(place) :]: line for key, line in self.document.lines.items() if key[: len(place)] == place}
        code = component_code.of_spec(Document(self.document.path, spec, lines))
        code.copy(self.target / name)
        return name

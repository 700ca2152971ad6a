"""A verb's spec: a file, or what a caller has parsed already, with what the call changes in it."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from amlspec.document import Document, read_document
from localml import overrides

Spec = str | Path | Document


def load(spec: Spec, settings: Sequence[str] = (), **fields: Any) -> Document:
    """The spec with `settings` (KEY=VALUE, as `--set` takes them) and then every field that is not None put in.

    A Document that is handed in stays as it was. Raises UserError with file:line for what is not a spec.
    """
    document = spec if isinstance(spec, Document) else read_document(Path(spec))
    document = replace(document, data=copy.deepcopy(document.data))
    overrides.apply(document, settings)
    document.data.update({key: value for key, value in fields.items() if value is not None})
    return document


def of_data(data: Mapping[str, Any], folder: Path, shown: str) -> Document:
    """A parsed spec whose paths are relative to `folder`; errors about it begin with `shown`."""
    return Document(folder / shown, dict(data), {}, shown)


def save(document: Document, path: Path) -> None:
    """Keep a spec for another process; YAML, which holds every value that a spec can."""
    lines = [[*keys, line] for keys, line in document.lines.items()]
    kept = {"path": str(document.path.absolute()), "data": document.data, "lines": lines}
    path.write_text(yaml.safe_dump(kept, sort_keys=False), encoding="utf-8")


def restore(path: Path) -> Document:
    """What `save` kept."""
    kept = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Document(Path(kept["path"]), kept["data"], {tuple(keys): line for *keys, line in kept["lines"]})

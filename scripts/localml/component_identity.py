"""What makes the content of a component's version, whoever wrote the spec down.

The same YAML comes here as its author wrote it (`localml component create --file`), or as azure-ai-ml sends it to the
service, which spells defaults out, writes numbers as texts and leaves the includes to the uploaded code.
"""

from pathlib import Path
from typing import Any

from amlspec.document import read_document
from host import hashing
from localml.component_snapshot import NAME

# What azure-ai-ml adds where a spec says nothing (entities/_component/component.py and command_component.py), and what
# means the same when it is not there.
_DEFAULTS: dict[str, Any] = {"type": "command", "is_deterministic": True}
_TYPED = ("default", "min", "max")


def of(snapshot: Path) -> str:
    """Hash of a component's snapshot: its spec, its code, and the other files that it names."""
    spec = read_document(snapshot / NAME).data
    files = [path for path in sorted(snapshot.iterdir()) if path.name != NAME]
    return hashing.of_data([_plain(spec), {path.name: hashing.of_path(path) for path in files}])


def _plain(spec: dict[str, Any]) -> dict[str, Any]:
    """A spec without what says nothing."""
    kept = {key: value for key, value in spec.items() if key != "$schema" and _DEFAULTS.get(key) != value}
    kept["inputs"] = {name: _input(given) for name, given in (spec.get("inputs") or {}).items()}
    kept["outputs"] = {name: _said(given) for name, given in (spec.get("outputs") or {}).items()}
    result: dict[str, Any] = _said(kept)
    return result | {"version": str(spec.get("version"))}


def _input(given: Any) -> Any:
    if not isinstance(given, dict):
        return given
    kind = str(given.get("type", "string"))
    typed = {key: _value(given[key], kind) for key in _TYPED if key in given}
    if "enum" in given:
        typed["enum"] = [_value(each, kind) for each in given["enum"]]
    optional = {"optional": True} if str(given.get("optional", False)).lower() == "true" else {}
    return _said({key: value for key, value in given.items() if key != "optional"} | typed | optional)


def _value(value: Any, kind: str) -> Any:
    """A number of type `number` is the same with and without a point; a text may look like a number."""
    if kind == "number" and isinstance(value, int | float):
        return float(value)
    return str(value) if kind == "string" else value


def _said(given: Any) -> Any:
    """What is set of a mapping."""
    if not isinstance(given, dict):
        return given
    return {key: value for key, value in given.items() if value not in (None, {}, [], "")}

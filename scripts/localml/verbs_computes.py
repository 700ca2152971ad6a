"""Verbs of computes: clusters that endpoints refer to by name."""

from pathlib import Path
from typing import Any

from amlspec.errors import UserError
from amlspec.schema import parse
from amlspec.serving import Compute
from host.state import home, read_json, write_json
from localml import specs
from localml.specs import Spec

Record = dict[str, Any]


def attach(
    spec: Spec | None = None,
    *,
    name: str | None = None,
    type: str | None = None,
    resource_id: str | None = None,
    namespace: str | None = None,
) -> Record:
    """Attach a cluster by name, so that endpoints may refer to it. Nothing is asked of the cluster itself."""
    source = specs.of_data({}, Path.cwd(), "--name") if spec is None else spec
    kind = type and type.lower()
    document = specs.load(source, name=name, type=kind, resource_id=resource_id, namespace=namespace)
    parsed = parse(Compute, document)
    fields = ("name", "type", "resource_id", "namespace", "description", "tags")
    shown = {field: getattr(parsed, field) for field in fields} | {"provisioning_state": "Succeeded"}
    write_json(_compute(parsed.name), shown)
    return shown


def show(name: str) -> Record:
    """One compute."""
    kept: Record | None = read_json(_compute(name))
    if kept is None:
        raise UserError(f"compute {name} is not attached here: `localml compute list` shows what is")
    return kept


def list_(*, max_results: int | None = None) -> list[Record]:
    """Every attached compute."""
    return [read_json(path) for path in sorted((home() / "computes").glob("*.json"))][:max_results]


def is_attached(name: str) -> bool:
    """Whether an endpoint may refer to it."""
    return _compute(name).exists()


def _compute(name: str) -> Path:
    return home() / "computes" / f"{Path(name).name}.json"

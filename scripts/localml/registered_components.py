"""Registering a component: checked as far as it can be without its inputs, then kept whole."""

import tempfile
from pathlib import Path

from amlspec.document import Document
from amlspec.errors import UserError
from amlspec.schema import Component, PipelineComponent, parse
from host.state import home
from localml import assets, component_identity, component_snapshot, nested, parallel
from localml.assets import Asset
from localml.refusals import check_command, check_component_kind


def register(document: Document) -> Asset:
    """Register a component of type command, pipeline or parallel. Raises UserError for what could not run."""
    spec = _checked(document)
    if spec.name is None:
        raise UserError(f"{document.where()}: an asset needs a name: add `name:` or give --name")
    (home() / "tmp").mkdir(exist_ok=True)
    # A folder of this call alone: two may register at once.
    with tempfile.TemporaryDirectory(dir=home() / "tmp") as folder:
        staged = Path(folder) / f"component-{spec.name}"
        component_snapshot.write(document, staged)
        shown = {key: getattr(spec, key) for key in ("name", "version", "description", "tags", "properties")}
        record = {**shown, "type": document.data.get("type", "command"), "display_name": spec.display_name}
        return assets.register("component", record, component_identity.of(staged), content=staged, same=_is_same)


def _is_same(known: Path, sha256: str) -> bool:
    """Whether what an engine before this one kept, under a hash that this one does not make, is the same content."""
    return (known / component_snapshot.NAME).is_file() and component_identity.of(known) == sha256


def _checked(document: Document) -> Component | PipelineComponent | parallel.Component:
    check_component_kind(document, "pipeline", "parallel")
    kind = document.data.get("type", "command")
    if kind == "parallel":
        return parse(parallel.Component, document)
    if kind == "pipeline":
        spec = parse(PipelineComponent, document)
        nested.expand(document)  # components that are not there, and steps that do not fit theirs
        return spec
    component = parse(Component, document)
    check_command(component, document)
    return component

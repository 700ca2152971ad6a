"""Registering a component: checked as far as it can be without its inputs, then kept whole."""

import tempfile
from pathlib import Path

from amlspec.document import Document
from amlspec.errors import UserError
from amlspec.schema import Component, PipelineComponent, parse
from host import hashing
from host.state import home
from localml import assets, component_code, component_snapshot, nested, parallel
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
        return assets.register("component", record, _hash(document, staged), content=staged)


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


def _hash(document: Document, staged: Path) -> str:
    """What makes a version's content: the spec, the code, and the other files that it names."""
    code = component_code.of_spec(document).hash()
    return hashing.of_data([document.data, code, *map(hashing.of_path, sorted(staged.glob("part-*")))])

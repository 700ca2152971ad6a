"""Registering a component: checked as far as it can be without its inputs, then kept whole."""

import contextlib
import tempfile
from pathlib import Path

from amlspec.document import Document
from amlspec.errors import UserError
from amlspec.schema import Component, PipelineComponent, parse
from host import hashing
from host.state import home, read_json
from localml import assets, component_snapshot, nested, parallel
from localml.assets import Asset
from localml.refusals import check_command, check_component_kind

Spec = Component | PipelineComponent | parallel.Component


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
        return assets.register("component", record, _noted_hash(spec, staged), content=staged)


def _checked(document: Document) -> Spec:
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


def _noted_hash(spec: Spec, staged: Path) -> str:
    """The content's hash; that under which the version is known where it holds the same, since releases before this
    one reckoned it from the file as it was written."""
    own = _hash(type(spec), staged)
    with contextlib.suppress(UserError):
        known = assets.get("component", str(spec.name), spec.version)
        if spec.version and known.content and _hash(type(spec), known.content) == own:
            return known.sha256
    return own


def _hash(model: type[Spec], folder: Path) -> str:
    """What makes a version's content: the spec's meaning, the code, and the other files that it names.

    azure-ai-ml writes defaults out, turns relative paths into places, and adds `$schema`; that changes no meaning.
    """
    spec = model.model_validate(read_json(folder / component_snapshot.NAME))
    meaning = spec.model_dump(mode="json", exclude_defaults=True, exclude={"schema_"})
    rest = [path for path in sorted(folder.iterdir()) if path.name != component_snapshot.NAME]
    return hashing.of_data([meaning, *([path.name, hashing.of_path(path)] for path in rest)])

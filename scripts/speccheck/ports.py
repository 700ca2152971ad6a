"""Inputs and outputs of a pipeline's nodes, resolved through the component that a node names."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from amlspec.finding import Finding
from amlspec.kinds import Kind
from amlspec.references import LATEST, Reference, bare, is_named
from amlspec.wording import closest
from speccheck.repo import COMPONENTS, Repo, Spec, local

Declarations = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Node:
    """A job of a pipeline. `inputs` and `outputs` are None where the component is not in this repo."""

    name: str
    given: dict[str, Any]
    inputs: Declarations | None
    outputs: Declarations | None

    def bound(self, side: str) -> dict[str, Any]:
        """What the pipeline gives: node inputs or outputs by name."""
        value = self.given.get(side)
        return value if isinstance(value, dict) else {}


def declarations(value: object) -> Declarations:
    """Name -> mapping with at least a type; a bare literal declares its own type, as in a pipeline's inputs."""
    declared: Declarations = {}
    for name, item in value.items() if isinstance(value, dict) else ():
        declared[str(name)] = item if isinstance(item, dict) else {"type": _type_of(item), "default": item}
    return declared


def outputs_of(value: object) -> Declarations:
    """Name -> mapping: an output without one, or bound to the pipeline's, has the type that its other end has."""
    items = value.items() if isinstance(value, dict) else ()
    return {str(name): item if isinstance(item, dict) else {} for name, item in items}


def _type_of(value: object) -> str:
    names: dict[type, str] = {bool: "boolean", int: "integer", float: "number"}
    return names.get(type(value), "string")


def reference_key(given: dict[str, Any]) -> str:
    """The key that names a node's component: `trial` in a sweep."""
    return "trial" if given.get("type") == "sweep" else "component"


def component_of(repo: Repo, spec: Spec, given: dict[str, Any]) -> Spec | None:
    """The component spec that a node names by path or by name and version."""
    reference = given.get(reference_key(given))
    if not isinstance(reference, str):
        return None
    if not is_named(reference):
        component = repo.at(spec.folder, reference)
        return component if component and component.kind in COMPONENTS else None
    named = Reference.parse(reference) or Reference(bare(reference))
    same = [other for other in repo.of(*COMPONENTS) if other.data.get("name") == named.name]
    exact = [other for other in same if str(other.data.get("version")) == named.version]
    return next(iter(exact or (same if named.pin == LATEST else [])), None)


def nodes(repo: Repo, spec: Spec) -> dict[str, Node]:
    """Every job of a pipeline, by name, in the file's order."""
    nodes = {}
    for name, given in spec.doc.table("jobs").items():
        if isinstance(given, dict):
            nodes[name] = _node(repo, spec, name, given)
    return nodes


def _node(repo: Repo, spec: Spec, name: str, given: dict[str, Any]) -> Node:
    inline = given.get(reference_key(given))
    source = inline if isinstance(inline, dict) else None
    if source is None and (component := component_of(repo, spec, given)):
        source = component.data
    if source is not None:
        return Node(name, given, declarations(source.get("inputs")), outputs_of(source.get("outputs")))
    if "command" in given:  # A job written inline declares what it is given.
        own = outputs_of(given.get("outputs"))
        made = {key: {"type": "uri_folder", **value} if value else {} for key, value in own.items()}
        return Node(name, given, None, made)
    return Node(name, given, None, None)


def check_references(repo: Repo, spec: Spec) -> Iterator[Finding]:
    """Nodes that name no component, or one that is not there."""
    for name, given in spec.doc.table("jobs").items():
        if not isinstance(given, dict):
            yield spec.doc.find(f"job '{name}' is empty: give it type, component and inputs", "jobs", name)
            continue
        key = reference_key(given)
        reference = given.get(key)
        if reference is None and "command" not in given and given.get("type", "command") == "command":
            yield spec.doc.find(f"job '{name}' has no component: add component: <path>", "jobs", name)
        elif isinstance(reference, str) and not reference.startswith("azureml://"):
            yield from _check_reference(repo, spec, name, key, reference)


def _check_reference(repo: Repo, spec: Spec, name: str, key: str, reference: str) -> Iterator[Finding]:
    target = component_of(repo, spec, {key: reference, "type": "sweep" if key == "trial" else None})
    where = ("jobs", name, key)
    if target is not None:
        kind = {"command component": "command", "pipeline component": "pipeline"}[target.kind]
        declared = spec.doc.get("jobs", name, "type")
        if key == "component" and declared not in (None, kind):
            message = f"type is '{declared}', the component is a {target.kind}: write type: {kind}"
            yield spec.doc.find(message, "jobs", name, "type")
    elif is_named(reference):
        known = {f"{n}:{v}" for kind in COMPONENTS for n, vs in repo.versions.get(kind, {}).items() for v in vs}
        wanted = bare(reference)
        yield spec.doc.find(f"no component '{wanted}' in this repo: {closest(wanted, known)}", *where)
    elif not (spec.folder / local(reference)).is_file():
        folder = (spec.folder / local(reference)).parent
        known = {p.name for p in folder.glob("*.yml")} if folder.is_dir() else set()
        message = f"component file '{reference}' does not exist: {closest(reference.rsplit('/', 1)[-1], known)}"
        yield spec.doc.find(message, *where)
    elif (target := repo.at(spec.folder, reference)) is not None and target.kind != Kind.UNCHECKED:
        yield spec.doc.find(f"'{reference}' is not a component: name a file of ml/components", *where)

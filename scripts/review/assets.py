"""Assets of a tree: what its specs define, under which name and version."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amlspec.document import Document, Key, NotYamlError, parse
from amlspec.finding import Finding
from amlspec.kinds import Kind, kind_of
from review.git import Tree

SPECS = "ml/"
# Kinds that Azure ML keeps under a name and a version, which never change again.
VERSIONED = frozenset({Kind.COMPONENT, Kind.PIPELINE_COMPONENT, Kind.ENVIRONMENT, Kind.DATA, Kind.MODEL})
# The word before the name in findings and reports.
LABELS = {
    Kind.COMPONENT: "component",
    Kind.PIPELINE_COMPONENT: "component",
    Kind.PIPELINE: "pipeline",
    Kind.COMMAND_JOB: "job",
    Kind.SWEEP_JOB: "sweep",
    Kind.IMPORT: "data import",
    Kind.ENDPOINT: "endpoint",
    Kind.DEPLOYMENT: "deployment",
    Kind.KUBERNETES_COMPUTE: "compute",
    Kind.CONTRACT: "data contract",
}


@dataclass(frozen=True)
class Asset:
    """One spec, or an environment written inline at `where` of one."""

    kind: Kind
    name: str
    path: str
    doc: Document
    where: tuple[Key, ...] = ()

    @property
    def data(self) -> dict[str, Any]:
        return self.doc.table(*self.where) if self.where else self.doc.data

    @property
    def version(self) -> str | None:
        value = self.data.get("version")
        return None if value is None else str(value)

    @property
    def label(self) -> str:
        return f"{LABELS.get(self.kind, str(self.kind))} {self.name}"

    @property
    def family(self) -> tuple[Kind, str]:
        """What shares its versions: components of every type have one list of names on Azure ML."""
        return (Kind.COMPONENT if self.kind == Kind.PIPELINE_COMPONENT else self.kind, self.name)

    @property
    def folder(self) -> str:
        return posixpath.dirname(self.path)

    def resolve(self, reference: str) -> str:
        """Repo path of a path in this spec."""
        return posixpath.normpath(posixpath.join(self.folder, reference.removeprefix("file:")))


class Assets:
    """Every asset of a tree, in the order of its paths; `unread` says why a file of specs gave none."""

    def __init__(self, tree: Tree, items: list[Asset], unread: list[Finding]) -> None:
        self.tree, self.items = tree, items
        self.unread = {finding.path: finding for finding in unread}
        self._families: dict[tuple[Kind, str], list[Asset]] = {}
        for asset in items:
            self._families.setdefault(asset.family, []).append(asset)
        self._paths = {asset.path: asset for asset in items if not asset.where}

    def named(self, kind: Kind, name: str) -> list[Asset]:
        """Assets of a kind and name; more than one where files hold several versions side by side."""
        return [
            asset
            for family in {kind, Kind.COMPONENT}
            for asset in self._families.get((family, name), [])
            if asset.kind == kind
        ]

    def family(self, asset: Asset) -> list[Asset]:
        """Every version of an asset that this tree has."""
        return self._families.get(asset.family, [])

    def at(self, path: str) -> Asset | None:
        """The spec at a path."""
        return self._paths.get(path)

    def match(self, asset: Asset) -> Asset | None:
        """The same asset in this tree: of the same file where several have its name."""
        same = self.family(asset)
        return next((other for other in same if other.path == asset.path), same[0] if same else None)


Parsed = dict[tuple[str, str], Document | Finding]


def read_assets(tree: Tree, parsed: Parsed) -> Assets:
    """Assets of a tree. `parsed` carries documents over from the tree before: equal blobs are parsed once."""
    items: list[Asset] = []
    unread: list[Finding] = []
    for path in sorted(path for path in tree.files if path.startswith(SPECS) and path.endswith((".yml", ".yaml"))):
        key = (path, tree.files[path])
        if key not in parsed:
            parsed[key] = _parse(tree, path)
        document = parsed[key]
        if isinstance(document, Finding):
            unread.append(document)
        else:
            items.extend(_assets_of(path, document))
    return Assets(tree, items, unread)


def _parse(tree: Tree, path: str) -> Document | Finding:
    try:
        doc = parse(Path(path), path, tree.read(path))
    except NotYamlError as error:
        return Finding(path, error.line, str(error))
    return doc if kind_of(doc.data) is not None else doc.find("unknown $schema", "$schema")


def _assets_of(path: str, doc: Document) -> Iterator[Asset]:
    kind = kind_of(doc.data)
    if kind is None:
        return
    if doc.data.get("kind") == "InstanceTypeList":
        yield from _instance_types(path, doc)
        return
    name = doc.data.get("name")
    stem = posixpath.splitext(posixpath.basename(path))[0]
    yield Asset(kind, name if isinstance(name, str) else stem, path, doc)
    inline = doc.get("environment")
    if isinstance(inline, dict) and isinstance(inline.get("name"), str) and "version" in inline:
        yield Asset(Kind.ENVIRONMENT, inline["name"], path, doc, ("environment",))


def _instance_types(path: str, doc: Document) -> Iterator[Asset]:
    """Sizes of pods: one file holds a list of them, each with its name."""
    items = doc.get("items")
    for index in range(len(items) if isinstance(items, list) else 0):
        name = doc.get("items", index, "metadata", "name")
        if isinstance(name, str):
            yield Asset(Kind.INSTANCE_TYPE, name, path, doc, ("items", index))

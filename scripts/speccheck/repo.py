"""Every spec of a repo, and what they define: environments, data, components, models, computes, ..."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from amlspec.document import Document, NotYamlError, parse
from amlspec.finding import Finding
from amlspec.kinds import Kind, kind_of, schema_stem, schema_stems
from amlspec.wording import closest

COMPONENTS = (Kind.COMPONENT, Kind.PIPELINE_COMPONENT)
PIPELINES = (Kind.PIPELINE, Kind.PIPELINE_COMPONENT)
_SUFFIXES = (".yml", ".yaml")
VERSIONED = (*COMPONENTS, Kind.ENVIRONMENT, Kind.DATA, Kind.MODEL)
_NAMED = (
    Kind.ENDPOINT,
    Kind.SCHEDULE,
    Kind.KUBERNETES_COMPUTE,
    Kind.COMPUTE,
    Kind.CONNECTION,
    Kind.DATASTORE,
    Kind.IMPORT,
)
_IDENTITY: dict[Kind, tuple[str, ...]] = {
    **dict.fromkeys(VERSIONED, ("name", "version")),
    **dict.fromkeys(_NAMED, ("name",)),
    Kind.DEPLOYMENT: ("endpoint_name", "name"),
}
# Names that Azure ML brings along.
BUILT_IN_COMPUTE = frozenset({"serverless"})
# The training cluster that infra/ makes where no Terraform file is at hand to be asked.
DEFAULT_COMPUTE = frozenset({"cpu-cluster"})
BUILT_IN_DATASTORES = frozenset(
    {"workspaceblobstore", "workspacefilestore", "workspaceartifactstore", "workspaceworkingdirectory"}
)


@dataclass(frozen=True)
class Spec:
    """A document and its kind."""

    doc: Document
    kind: Kind

    @property
    def data(self) -> dict[str, Any]:
        return self.doc.data

    @property
    def folder(self) -> Path:
        return self.doc.path.parent

    @property
    def identity(self) -> tuple[str, ...] | None:
        """What only one file may define: kind, name and version; None where a file defines nothing by name."""
        keys = _IDENTITY.get(self.kind, ())
        family = Kind.COMPONENT if self.kind in COMPONENTS else self.kind
        return (family, *(str(self.data[key]) for key in keys)) if keys and set(keys) <= self.data.keys() else None


@dataclass
class Repo:
    """Specs below `root`, by path. `broken` holds what did not parse."""

    root: Path
    specs: dict[Path, Spec] = field(default_factory=dict)
    broken: list[Finding] = field(default_factory=list)

    def of(self, *kinds: Kind) -> Iterator[Spec]:
        return (spec for spec in self.specs.values() if spec.kind in kinds)

    def at(self, base: Path, reference: str) -> Spec | None:
        """The spec at a path relative to a folder; None where there is none."""
        return self.specs.get((base / local(reference)).resolve())

    def shown(self, path: Path) -> str:
        """Path as findings print it: relative to the root where it lies below it."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path.as_posix()

    def holds(self, spec: Spec) -> bool:
        """Whether a spec is one of the repo's own, and not of a path given beside it, such as a copy of tests."""
        return spec.doc.path.is_relative_to(self.root / "ml")

    @cached_property
    def definitions(self) -> dict[tuple[str, ...], Spec]:
        """The first of the repo's own specs to define something."""
        specs: dict[tuple[str, ...], Spec] = {}
        for spec in self.specs.values():
            if spec.identity is not None and self.holds(spec):
                specs.setdefault(spec.identity, spec)
        return specs

    @cached_property
    def versions(self) -> dict[Kind, dict[str, set[str]]]:
        """Kind -> name -> versions that specs define."""
        versions: dict[Kind, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for spec in self.specs.values():
            if isinstance(spec.data.get("name"), str):
                versions[spec.kind][spec.data["name"]].add(str(spec.data.get("version", "")))
        return versions

    def names(self, *kinds: Kind) -> set[str]:
        return {name for kind in kinds for name in self.versions.get(kind, {})}

    @cached_property
    def data_names(self) -> set[str]:
        """Data assets: specs, imports, and the named outputs of pipelines."""
        outputs = (out for spec in self.of(*PIPELINES) for out in spec.doc.table("outputs").values())
        nodes = (
            out
            for spec in self.of(*PIPELINES)
            for job in spec.doc.table("jobs").values()
            if isinstance(job, dict) and isinstance(job.get("outputs"), dict)
            for out in job["outputs"].values()
        )
        named = {out["name"] for out in (*outputs, *nodes) if isinstance(out, dict) and "name" in out}
        return named | self.names(Kind.DATA, Kind.IMPORT)

    @cached_property
    def model_names(self) -> set[str]:
        """Models: specs, and what a `model_name` input says (a register step names so what it registers)."""
        values = (spec.doc.get("inputs", "model_name") for spec in self.of(*COMPONENTS, *PIPELINES))
        given = (value.get("default") if isinstance(value, dict) else value for value in values)
        return {name for name in given if isinstance(name, str)} | self.names(Kind.MODEL)

    @cached_property
    def compute_names(self) -> set[str]:
        """Computes: specs and what Terraform makes."""
        made = set(_terraform_computes(self.root / "infra"))
        return made | self.names(Kind.KUBERNETES_COMPUTE, Kind.COMPUTE) | set(BUILT_IN_COMPUTE | DEFAULT_COMPUTE)

    @cached_property
    def datastore_names(self) -> set[str]:
        return set(BUILT_IN_DATASTORES) | self.names(Kind.DATASTORE)

    @cached_property
    def instance_types(self) -> dict[str, dict[str, Any]]:
        """Name -> `spec` of every Kubernetes instance type."""
        types: dict[str, dict[str, Any]] = {}
        for spec in self.of(Kind.INSTANCE_TYPE):
            items = spec.data.get("items") if spec.data.get("kind") == "InstanceTypeList" else [spec.data]
            for item in items if isinstance(items, list) else []:
                name = item.get("metadata", {}).get("name") if isinstance(item, dict) else None
                if isinstance(name, str) and isinstance(item.get("spec"), dict):
                    types[name] = item["spec"]
        return types


def _terraform_computes(infra: Path) -> Iterator[str]:
    """Literal names of compute clusters in Terraform: of the resources, and of the place that builds names."""
    if not infra.is_dir():
        return
    block = re.compile(
        r'resource\s+"azurerm_machine_learning_(?:compute_cluster|inference_cluster)"[^{]*\{[^}]*?'
        r'\bname\s*=\s*"([^"$]+)"'
    )
    local = re.compile(r'\b\w*compute\w*\s*=\s*"([a-z][a-z0-9-]{1,31})"')
    for path in sorted(infra.rglob("*.tf")):
        text = path.read_text(encoding="utf-8")
        yield from block.findall(text)
        yield from local.findall(text)


def load_repo(root: Path, paths: Iterable[Path]) -> Repo:
    """Read every YAML file below the paths. What does not parse becomes a finding, not an error."""
    repo = Repo(root.resolve())
    for path in sorted({file for given in paths for file in _yaml_files(given.resolve())}):
        _add(repo, path)
    return repo


def _yaml_files(path: Path) -> Iterator[Path]:
    candidates = [path] if path.is_file() else path.rglob("*")
    yield from (p for p in candidates if p.suffix in _SUFFIXES and p.is_file())


def local(reference: str) -> str:
    """A path without the `file:` that may stand before it."""
    return reference.removeprefix("file:")


def _is_foreign(path: Path, error: NotYamlError) -> bool:
    """Whether a file is right YAML of another program: a list, several documents, tags of its own."""
    text = path.read_text(encoding="utf-8")
    is_yaml = not isinstance(error.__cause__, yaml.scanner.ScannerError | yaml.parser.ParserError)
    return is_yaml and bool(text.strip()) and "azureml" not in text.lower()


def _add(repo: Repo, path: Path, text: str | None = None) -> None:
    shown = repo.shown(path)
    try:
        doc = parse(path, shown, text)
    except NotYamlError as error:
        if not _is_foreign(path, error):
            repo.broken.append(Finding(shown, error.line, str(error)))
        return
    except UnicodeDecodeError:
        repo.broken.append(Finding(shown, 1, "not UTF-8 text: save the file as UTF-8"))
        return
    kind = kind_of(doc.data)
    if kind is None:
        stem = schema_stem(doc.data) or ""
        message = f"unknown $schema '{stem}': {closest(stem.lower(), schema_stems())}"
        repo.broken.append(doc.find(message, "$schema"))
    else:
        repo.specs[path] = Spec(doc, kind)

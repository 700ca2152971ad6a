"""All checks over a set of specs, findings sorted and each problem told once."""

from collections.abc import Callable, Iterator
from pathlib import Path

from amlspec.finding import Finding
from amlspec.kinds import Kind
from speccheck.assets import check_assets
from speccheck.commands import check_commands
from speccheck.components import check_components
from speccheck.definitions import check_definitions
from speccheck.deployments import check_deployments
from speccheck.endpoints import check_computes, check_endpoints, check_instance_types
from speccheck.environments import check_environments
from speccheck.fields import check_fields
from speccheck.imports import check_imports
from speccheck.loaders import check_loads
from speccheck.pipelines import check_pipelines
from speccheck.repo import Repo, Spec, load_repo
from speccheck.schedules import check_schedules

CHECKS: tuple[Callable[[Repo, Spec], Iterator[Finding]], ...] = (
    check_fields,
    check_definitions,
    check_components,
    check_commands,
    check_pipelines,
    check_assets,
    check_environments,
    check_imports,
    check_schedules,
    check_computes,
    check_endpoints,
    check_instance_types,
    check_deployments,
)
_RANK = {Kind.PIPELINE_COMPONENT: 1, Kind.PIPELINE: 2, Kind.SCHEDULE: 3}


def run_checks(root: Path, paths: list[Path], *, loaders: bool = True) -> list[Finding]:
    """Findings in the files at or below `paths`; every spec below `root`/ml may be referred to."""
    wanted = [path.resolve() for path in paths]
    repo = load_repo(root, [*wanted, *(folder for folder in [root / "ml"] if folder.is_dir())])
    found = set(repo.broken)
    for spec in repo.specs.values():
        found |= {finding for check in CHECKS for finding in check(repo, spec)}
    if loaders:
        # What is referred to comes first: a pipeline that fails only because its component does is not told twice.
        for spec in sorted(repo.specs.values(), key=lambda spec: _RANK.get(spec.kind, 0)):
            if _below(spec.doc.path, wanted):
                found |= set(_loaded(repo, spec, found))
    return sorted(finding for finding in found if _below(repo.root / finding.path, wanted))


def _loaded(repo: Repo, spec: Spec, found: set[Finding]) -> Iterator[Finding]:
    """The loader's finding, unless it repeats one of ours or only says that a component file is broken."""
    told = {finding.line for finding in found if finding.path == spec.doc.shown}
    broken = {repo.root / finding.path for finding in found}
    files = {spec.folder / text for _, text in spec.doc.strings() if text.endswith((".yml", ".yaml"))}
    if not {file.resolve() for file in files} & broken:
        yield from check_loads(repo, spec, told)


def _below(path: Path, wanted: list[Path]) -> bool:
    return any(path.resolve().is_relative_to(top) for top in wanted)

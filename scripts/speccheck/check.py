"""All checks over a set of specs, findings sorted and each problem reported once."""

from collections.abc import Callable, Iterator
from dataclasses import replace
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
from speccheck.gate import check_gate
from speccheck.imports import check_imports
from speccheck.loaders import check_loads
from speccheck.pipelines import check_pipelines
from speccheck.repo import Repo, Spec, load_repo
from speccheck.rollouts import check_rollout
from speccheck.schedules import check_schedules

# Rule of a check's findings, where they name none of their own.
CHECKS: dict[str, Callable[[Repo, Spec], Iterator[Finding]]] = {
    "fields": check_fields,
    "definitions": check_definitions,
    "components": check_components,
    "repo/command": check_commands,
    "pipelines": check_pipelines,
    "assets": check_assets,
    "environments": check_environments,
    "imports": check_imports,
    "schedules": check_schedules,
    "computes": check_computes,
    "endpoints": check_endpoints,
    "instance-types": check_instance_types,
    "deployments": check_deployments,
    "gate": check_gate,
    "rollout": check_rollout,
}
_RANK = {Kind.PIPELINE_COMPONENT: 1, Kind.PIPELINE: 2, Kind.SCHEDULE: 3}


def run_checks(root: Path, paths: list[Path], *, loaders: bool = True) -> list[Finding]:
    """Findings in the files at or below `paths`; every spec below `root`/ml may be referred to."""
    wanted = [path.resolve() for path in paths]
    repo = load_repo(root, [*wanted, *(folder for folder in [root / "ml"] if folder.is_dir())])
    findings = set(repo.broken)
    for spec in repo.specs.values():
        findings |= {replace(f, rule=f.rule or rule) for rule, check in CHECKS.items() for f in check(repo, spec)}
    if loaders:
        # What is referred to comes first: a pipeline that fails only because its component does is not reported twice.
        for spec in sorted(repo.specs.values(), key=lambda spec: _RANK.get(spec.kind, 0)):
            if _below(spec.doc.path, wanted):
                findings |= set(check_loads(repo, spec, [f for f in findings if f.is_error_of_the_spec]))
    return sorted(finding for finding in findings if _below(repo.root / finding.path, wanted))


def paths_without_specs(root: Path, paths: list[Path]) -> list[Path]:
    """Folders in which no file is an Azure ML spec, or claims to be one."""
    folders = [path for path in paths if path.is_dir()]
    repo = load_repo(root, folders)
    files = [path for path, spec in repo.specs.items() if spec.kind != Kind.OTHER]
    files += [repo.root / finding.path for finding in repo.broken]
    return [folder for folder in folders if not any(_below(file, [folder.resolve()]) for file in files)]


def _below(path: Path, wanted: list[Path]) -> bool:
    return any(path.resolve().is_relative_to(top) for top in wanted)

"""What a spec defines: nothing that another file defines already, and no component inside itself."""

from collections.abc import Iterator

from amlspec.finding import Finding
from amlspec.kinds import Kind
from speccheck.repo import VERSIONED, Repo, Spec


def check_definitions(repo: Repo, spec: Spec) -> Iterator[Finding]:
    """Two files of ml/ with one name and version, and components that run each other."""
    first = repo.definitions.get(spec.identity) if spec.identity else None
    if first is not None and first is not spec and repo.holds(spec):
        version = f" version {spec.data['version']}" if spec.kind in VERSIONED else ""
        other = "name or version" if version else "name"
        message = f"{spec.data['name']}{version} is defined in {first.doc.shown} already: give it another {other}"
        yield spec.doc.find(message, "name")
    for job, inner in _inner(repo, spec):
        way = _way(repo, inner, spec, [spec])
        if way is not None:
            shown = " -> ".join(str(member.data.get("name")) for member in way)
            reference = spec.doc.get("jobs", job, "component")
            message = f"component '{reference}' runs this one in turn ({shown}): take one of them out"
            yield spec.doc.find(message, "jobs", job, "component")


def _inner(repo: Repo, spec: Spec) -> Iterator[tuple[str, Spec]]:
    """Jobs of a pipeline component that are pipeline components of this repo."""
    for name, job in spec.doc.table("jobs").items() if spec.kind == Kind.PIPELINE_COMPONENT else ():
        reference = job.get("component") if isinstance(job, dict) else None
        component = repo.at(spec.folder, reference) if isinstance(reference, str) else None
        if component is not None and component.kind == Kind.PIPELINE_COMPONENT:
            yield name, component


def _way(repo: Repo, start: Spec, goal: Spec, passed: list[Spec]) -> list[Spec] | None:
    """Specs from `passed` over `start` to the goal; None where none of the ways leads there."""
    if start is goal:
        return [*passed, goal]
    if start in passed:
        return None
    ways = (_way(repo, inner, goal, [*passed, start]) for _, inner in _inner(repo, start))
    return next((way for way in ways if way is not None), None)

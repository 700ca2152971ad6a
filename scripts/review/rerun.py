"""Which jobs of a pipeline run again after a merge, and which are reused, as Azure ML and the local engine decide it:
a deterministic step is reused while its component, its environment and everything that it reads stay the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from amlspec.bindings import bindings
from amlspec.kinds import Kind
from amlspec.references import Reference
from review.assets import Asset
from review.change import Change
from review.content import Reader

# Fields of a node that are not part of what a step computes.
_BESIDE = frozenset({"limits", "compute", "display_name", "description", "comment", "tags", "properties", "identity"})


@dataclass(frozen=True)
class Run:
    """One job of a pipeline: None is the reason where it is reused."""

    job: str
    reason: str | None


def runs_of(change: Change, old: Asset | None, new: Asset) -> list[Run]:
    """Jobs of a pipeline in the order in which they run. Empty where jobs wait for each other."""
    jobs = new.doc.table("jobs")
    needs = {name: set(_upstream(job)) & jobs.keys() for name, job in jobs.items()}
    try:
        order = list(TopologicalSorter({name: sorted(before) for name, before in needs.items()}).static_order())
    except CycleError:
        return []
    reasons: dict[str, str | None] = {}
    for name in order:
        after = [need for need in sorted(needs[name], key=order.index) if reasons.get(need)]
        own = _own_reason(change, old, new, name)
        reasons[name] = own or (f"after {', '.join(after)}" if after else None)
    return [Run(name, reasons[name]) for name in order]


def _upstream(job: Any) -> Iterator[str]:
    for text in _texts(job):
        for binding in bindings(text):
            if binding.parts[:2] == ("parent", "jobs") and len(binding.parts) > 2:
                yield binding.parts[2]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(item)


def _own_reason(change: Change, old: Asset | None, new: Asset, name: str) -> str | None:
    """Why a job runs again whatever the others do."""
    job = new.doc.table("jobs", name)
    before = old.doc.get("jobs", name) if old is not None else None
    component = _component(change.head, new, job)
    if component is not None and component.data.get("is_deterministic") is False:
        return "never reused: is_deterministic is false"
    if not isinstance(before, dict):
        return "new job"
    earlier = _component(change.base, old, before) if old is not None else None
    kept, now = ({k: v for k, v in side.items() if _counts(k, v)} for side in (before, job))
    if kept != now:
        return f"its {next(k for k in [*now, *kept] if now.get(k) != kept.get(k))} changed"
    return _component_reason(change, earlier, component) or _input_reason(change, old, new, job)


def _counts(key: str, value: Any) -> bool:
    """Whether a field of a node is compared as text; where a component's file lies is not, what is in it counts."""
    return key not in _BESIDE and not (
        key in ("component", "trial") and isinstance(value, str) and not Reference.parse(value)
    )


def _component(reader: Reader, pipeline: Asset | None, job: dict[str, Any]) -> Asset | None:
    reference = job.get("component", job.get("trial"))
    if pipeline is None or not isinstance(reference, str):
        return None
    named = Reference.parse(reference)
    if named is None:
        return reader.assets.at(pipeline.resolve(reference))
    return next(iter(reader.assets.named(Kind.COMPONENT, named.name)), None)


def _component_reason(change: Change, old: Asset | None, new: Asset | None) -> str | None:
    if old is None or new is None:
        return None if old is new else "its component changed"
    before, after = change.base.content(old), change.head.content(new)
    if before.digest() != after.digest():
        keys = sorted(
            k for k in before.fields.keys() | after.fields.keys() if before.fields.get(k) != after.fields.get(k)
        )
        return f"its component changed: {', '.join([*keys, *(['code'] if before.files != after.files else [])])}"
    ours, theirs = (_environment(reader, asset) for reader, asset in ((change.head, new), (change.base, old)))
    return "its environment changed" if ours != theirs else None


def _environment(reader: Reader, component: Asset) -> str | None:
    """Digest of the environment that a component names, where it is one of this repo."""
    reference = Reference.parse(component.data.get("environment"))
    candidates = reader.assets.named(Kind.ENVIRONMENT, reference.name) if reference else []
    exact = [asset for asset in candidates if reference and asset.version == reference.version]
    return reader.content((exact or candidates)[0]).digest() if candidates else None


def _input_reason(change: Change, old: Asset | None, new: Asset, job: dict[str, Any]) -> str | None:
    """A pipeline input that the job reads: another value, or a file with other bytes."""
    for text in _texts(job.get("inputs")):
        for binding in bindings(text):
            if binding.parts[:2] == ("parent", "inputs") and len(binding.parts) > 2 and old is not None:
                name = binding.parts[2]
                if _value(change.base, old, name) != _value(change.head, new, name):
                    return f"input {name} changed"
    return None


def _value(reader: Reader, pipeline: Asset, name: str) -> Any:
    value = pipeline.doc.get("inputs", name)
    path = value.get("path") if isinstance(value, dict) else None
    if not isinstance(path, str) or "://" in path or path.startswith("azureml:"):
        return value
    return [value.get("type"), sorted(reader.snapshot(pipeline.resolve(path)).values())]

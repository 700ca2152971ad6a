"""What merging will do, as data: assets, runs, cost, access, contract, gate, Terraform, metrics."""

from dataclasses import dataclass
from typing import Any

from amlspec.kinds import Kind
from review import price
from review.assets import Asset
from review.change import Change
from review.entries import AssetChange, Entries
from review.guard import guard
from review.impact import Impact
from review.rerun import Run, runs_of
from review.sections import is_access, is_cost, is_gate, is_terraform_access, is_terraform_cost
from review.topics import Topics


@dataclass
class Report:
    """Everything that the Markdown and the JSON show."""

    base: str
    commit: str
    findings: list[str]
    assets: list[AssetChange]
    runs: dict[str, list[Run]]
    cost: list[str]
    access: list[str]
    contract: list[str]
    gate: list[str]
    terraform: dict[str, Any]
    other: dict[str, int]
    metrics: dict[str, Any] | None = None


def build(change: Change) -> Report:
    """Compare both sides. Deterministic: everything is in the order of paths."""
    files, counts = change.changed_files(), change.git.line_counts(change.commit, change.head_revision)
    impact, entries = Impact(change.head), Entries(change, files, counts)
    assets, topics = entries.assets(impact), Topics(change, files, entries)
    runs = {a.label: r for a in change.head.assets.items if a.kind == Kind.PIPELINE and (r := _runs(change, a, files))}
    return Report(
        base=change.revision,
        commit=change.commit,
        findings=[str(verdict.finding) for verdict in guard(change)],
        assets=assets,
        runs=runs,
        cost=[*price.lines(change), *topics.lines(assets, is_cost), *topics.arguments(is_terraform_cost)],
        access=[*topics.lines(assets, is_access), *topics.arguments(is_terraform_access)],
        contract=topics.contract(impact),
        gate=[*topics.lines(assets, is_gate), *topics.gate()],
        terraform={"files": topics.terraform()},
        other=topics.other(impact),
    )


def _runs(change: Change, pipeline: Asset, files: dict[str, str]) -> list[Run]:
    """Runs of a pipeline that a change reaches; nothing where every job would be reused anyway."""
    if not files:
        return []
    runs = runs_of(change, change.base.assets.match(pipeline), pipeline)
    return runs if any(run.reason and not run.reason.startswith(("never", "after")) for run in runs) else []

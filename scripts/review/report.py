"""What merging will do, as data: assets, runs, cost, access, contract, gate, Terraform, metrics."""

import posixpath
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from review.assets import Asset
from review.change import Change
from review.content import Reader
from review.fields import FieldChange, differences
from review.guard import guard
from review.impact import Impact
from review.modules import Modules, module_of
from review.rerun import Run, runs_of
from review.sections import gate_changes, is_access, is_cost, is_gate, is_gate_file, pins
from speccheck.kinds import Kind


@dataclass(frozen=True)
class FileChange:
    """A changed file that an asset holds. `imported`: does the asset's script import it? None where that is open."""

    path: str
    state: str
    added: int
    removed: int
    imported: bool | None = None
    pins: list[str] = field(default_factory=list)


@dataclass
class AssetChange:
    """One asset whose content or spec changed. Versions are None where the kind has none."""

    label: str
    kind: str
    path: str
    state: str
    old_version: str | None
    new_version: str | None
    fields: list[FieldChange] = field(default_factory=list)
    files: list[FileChange] = field(default_factory=list)
    used_by: list[str] = field(default_factory=list)


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
    impact, builder = Impact(change.head), _Builder(change, files, counts)
    assets = builder.assets(impact)
    runs = {a.label: r for a in change.head.assets.items if a.kind == Kind.PIPELINE and (r := _runs(change, a, files))}
    return Report(
        base=change.revision,
        commit=change.commit,
        findings=[str(verdict.finding) for verdict in guard(change)],
        assets=assets,
        runs=runs,
        cost=_lines(assets, is_cost),
        access=_lines(assets, is_access),
        contract=builder.contract(impact),
        gate=[*_lines([a for a in assets if a.kind != Kind.CONTRACT], is_gate), *builder.gate()],
        terraform={"files": builder.terraform()},
        other=builder.other(impact),
    )


def _lines(assets: list[AssetChange], wanted: Any) -> list[str]:
    return [f"{asset.label}: {change}" for asset in assets for change in asset.fields if wanted(change)]


def _runs(change: Change, pipeline: Asset, files: dict[str, str]) -> list[Run]:
    """Runs of a pipeline that a change reaches; nothing where every job would be reused anyway."""
    if not files:
        return []
    runs = runs_of(change, change.base.assets.match(pipeline), pipeline)
    return runs if any(run.reason and not run.reason.startswith(("never", "after")) for run in runs) else []


class _Builder:
    def __init__(self, change: Change, files: dict[str, str], counts: dict[str, tuple[int, int]]) -> None:
        self._change, self._files, self._counts = change, files, counts
        self._modules: dict[str, Modules] = {}

    def assets(self, impact: Impact) -> list[AssetChange]:
        found = []
        for old, new in self._change.pairs():
            if new.kind in (Kind.OTHER, Kind.CONTRACT):
                continue
            entry = self._entry(old, new)
            if entry.fields or entry.files or entry.state == "added" or entry.old_version != entry.new_version:
                entry.used_by = [user.label for user in impact.users(new)]
                found.append(entry)
        gone = [a for a in self._change.removed() if a.kind not in (Kind.OTHER, Kind.CONTRACT)]
        found += [AssetChange(a.label, str(a.kind), a.path, "removed", a.version, None) for a in gone]
        return found

    def _entry(self, old: Asset | None, new: Asset) -> AssetChange:
        version = old.version if old is not None else None
        entry = AssetChange(new.label, str(new.kind), new.path, "changed" if old else "added", version, new.version)
        if old is None:
            return entry
        ours, theirs = ({k: v for k, v in asset.data.items() if k != "version"} for asset in (new, old))
        entry.fields = differences(theirs, ours)
        entry.files = self._held(old, new)
        return entry

    def _held(self, old: Asset, new: Asset) -> list[FileChange]:
        """Changed files that go into the asset, on either side."""
        held = {**_files(self._change.base, old), **_files(self._change.head, new)}
        changed = sorted(path for path in held if path in self._files)
        reached = self._reached(new) if changed else None
        return [
            self._file(path, path in reached if reached is not None and path.endswith(".py") else None)
            for path in changed
        ]

    def _file(self, path: str, imported: bool | None = None) -> FileChange:
        tree = self._change.head.assets.tree
        new_lines = tree.read(path).count("\n") if path in tree.files and path not in self._counts else 0
        added, removed = self._counts.get(path, (new_lines, 0))
        pins = self._pins(path) if path.endswith((".txt", ".lock")) and self._files[path] == "changed" else []
        return FileChange(path, self._files[path], added, removed, imported, pins)

    def _pins(self, path: str) -> list[str]:
        """Packages of a requirements file whose version changed."""
        before, after = (pins(side.assets.tree.read(path)) for side in (self._change.base, self._change.head))
        return [str(change) for change in differences(before, after)]

    def _reached(self, asset: Asset) -> frozenset[str] | None:
        """Files that the asset's script imports; None where it runs no module of its snapshot."""
        code, module = asset.data.get("code"), module_of(asset.data.get("command"))
        if asset.kind == Kind.DEPLOYMENT:
            scoring = asset.doc.table("code_configuration")
            code, module = scoring.get("code"), module_of(f"python {scoring.get('scoring_script')}")
        if not isinstance(code, str) or module is None:
            return None
        folder = asset.resolve(code)
        tree = self._change.head.assets.tree
        return self._modules.setdefault(folder, Modules(tree, folder)).reached(module)

    def contract(self, impact: Impact) -> list[str]:
        """Columns and rules of the data, and the queries that make it."""
        found = []
        for old, new in self._change.pairs():
            if new.kind == Kind.CONTRACT and old is not None:
                found += [f"{new.label}: {change}" for change in differences(old.data, new.data)]
            elif new.kind == Kind.CONTRACT:
                found.append(f"{new.label}: added ({new.path})")
            elif new.kind == Kind.IMPORT and old is not None:
                changes = differences(old.doc.table("source"), new.doc.table("source"))
                found += [f"{new.label}: source.{change}" for change in changes]
        found += [f"{old.label}: removed ({old.path})" for old in self._change.removed() if old.kind == Kind.CONTRACT]
        queries = [path for path in self._files if path.endswith(".sql")]
        found += [f"{path}: {self._files[path]} ({self._size(path)})" for path in queries]
        contracts = [
            a.path for a in self._change.head.assets.items if a.kind == Kind.CONTRACT and a.path in self._files
        ]
        holders = impact.holders([*queries, *contracts])
        users = sorted({a.label for held in holders.values() for a in held if a.path not in contracts})
        return [*found, f"read by: {', '.join(users)}"] if found and users else found

    def gate(self) -> list[str]:
        """Constants of the gate's scripts, and their logic as a number of lines."""
        found = []
        for path in (path for path in self._files if is_gate_file(path)):
            trees = (self._change.base.assets.tree, self._change.head.assets.tree)
            old, new = (tree.read(path) if path in tree.files else "" for tree in trees)
            found += [f"{path}: {change}" for change in gate_changes(old, new) if self._files[path] == "changed"]
            found.append(f"{path}: {self._files[path]} ({self._size(path)})")
        return found

    def _size(self, path: str) -> str:
        file = self._file(path)
        return f"+{file.added} -{file.removed}"

    def terraform(self) -> list[str]:
        """Changed files of the infrastructure."""
        paths = [path for path in self._files if path.startswith("infra/") or path.endswith((".tf", ".tfvars"))]
        return [f"{path}: {self._files[path]} ({self._size(path)})" for path in paths]

    def other(self, impact: Impact) -> dict[str, int]:
        """Changed files that no section above speaks of, by folder."""
        told = {a.path for side in (self._change.base, self._change.head) for a in side.assets.items}
        told |= {path for path, held in impact.holders(self._files).items() if held}
        rest = [
            p for p in self._files if p not in told and not p.startswith("infra/") and not p.endswith((".sql", ".tf"))
        ]
        return dict(sorted(Counter(posixpath.dirname(path) or "." for path in rest).items()))


def _files(reader: Reader, asset: Asset) -> dict[str, tuple[str, str]]:
    return reader.content(asset).files

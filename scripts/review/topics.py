"""Sections of the report: cost, access, contract, gate, Terraform, and what is left."""

import posixpath
from collections import Counter
from collections.abc import Callable

from amlspec.kinds import Kind
from review.change import Change
from review.entries import AssetChange, Entries
from review.fields import FieldChange, differences
from review.impact import Impact
from review.sections import gate_changes, is_gate_file
from review.terraform import arguments

Wanted = Callable[[FieldChange], bool]


class Topics:
    """Sections of one change."""

    def __init__(self, change: Change, files: dict[str, str], entries: Entries) -> None:
        self._change, self._files, self._entries = change, files, entries

    def lines(self, assets: list[AssetChange], wanted: Wanted) -> list[str]:
        """Changed fields that belong in a section; of an asset that came or went all such fields in one line."""
        lines = []
        for asset in assets:
            lines += [f"{asset.label}: {change}" for change in asset.fields if wanted(change)]
            whole = [
                f
                for f in self._entries.leaves.get((asset.path, asset.label), [])
                if wanted(f) and f.leaf != "description"
            ]
            if whole:
                word = "new" if asset.state == "added" else "removed"
                lines.append(f"{asset.label}, {word}: {'; '.join(f'{f.path}: {f.new}' for f in whole)}")
        return lines

    def arguments(self, wanted: Wanted) -> list[str]:
        """Changed arguments of Terraform files that belong in a section."""
        lines = []
        for path in (path for path in self._files if path.endswith((".tf", ".tfvars"))):
            old, new = (arguments(text) for text in self._texts(path))
            lines += [f"{path}: {change}" for change in differences(old, new) if wanted(change)]
        return lines

    def _texts(self, path: str) -> list[str]:
        """A file on both sides, empty where it is not."""
        trees = (self._change.base.assets.tree, self._change.head.assets.tree)
        return [tree.read(path) if path in tree.files else "" for tree in trees]

    def contract(self, impact: Impact) -> list[str]:
        """Columns and rules of the data, and the queries that make it."""
        lines = []
        for old, new in self._change.pairs():
            if new.kind == Kind.CONTRACT and old is not None:
                lines += [f"{new.label}: {change}" for change in differences(old.data, new.data)]
            elif new.kind == Kind.CONTRACT:
                lines.append(f"{new.label}: added ({new.path})")
            elif new.kind == Kind.IMPORT and old is not None:
                changes = differences(old.doc.table("source"), new.doc.table("source"))
                lines += [f"{new.label}: source.{change}" for change in changes]
        lines += [f"{old.label}: removed ({old.path})" for old in self._change.removed() if old.kind == Kind.CONTRACT]
        queries = [path for path in self._files if path.endswith(".sql")]
        lines += [f"{path}: {self._files[path]} ({self._size(path)})" for path in queries]
        contracts = [
            a.path for a in self._change.head.assets.items if a.kind == Kind.CONTRACT and a.path in self._files
        ]
        holders = impact.holders([*queries, *contracts])
        users = sorted({a.label for held in holders.values() for a in held if a.path not in contracts})
        return [*lines, f"read by: {', '.join(users)}"] if lines and users else lines

    def gate(self) -> list[str]:
        """Thresholds of ml/gate.yml, constants of the gate's scripts, and their logic as a number of lines."""
        lines = []
        for path in (path for path in self._files if is_gate_file(path)):
            changes = gate_changes(path, *self._texts(path)) if self._files[path] == "changed" else []
            if path.endswith(".yml") and not changes and self._files[path] == "changed":
                continue  # comments and order: the same thresholds
            lines += [f"{path}: {change}" for change in changes]
            lines.append(f"{path}: {self._files[path]} ({self._size(path)})")
        return lines

    def _size(self, path: str) -> str:
        file = self._entries.file(path)
        return f"+{file.added} -{file.removed}"

    def terraform(self) -> list[str]:
        """Changed files of the infrastructure."""
        paths = [path for path in self._files if path.startswith("infra/") or path.endswith((".tf", ".tfvars"))]
        return [f"{path}: {self._files[path]} ({self._size(path)})" for path in paths]

    def other(self, impact: Impact) -> dict[str, int]:
        """Changed files that no section above speaks of, by folder."""
        mentioned = {a.path for side in (self._change.base, self._change.head) for a in side.assets.items}
        mentioned |= {path for path, held in impact.holders(self._files).items() if held}
        rest = [
            p
            for p in self._files
            if p not in mentioned and not p.startswith("infra/") and not p.endswith((".sql", ".tf"))
        ]
        return dict(sorted(Counter(posixpath.dirname(path) or "." for path in rest).items()))

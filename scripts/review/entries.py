"""What changed of each asset: its fields, its version and the files that go with it."""

from dataclasses import dataclass, field

from amlspec.kinds import Kind
from review.assets import Asset
from review.change import Change
from review.content import Reader
from review.fields import FieldChange, differences, leaves
from review.impact import Impact
from review.sections import pins


@dataclass(frozen=True)
class FileChange:
    """A changed file that an asset holds."""

    path: str
    state: str
    added: int
    removed: int
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
    moved_from: str | None = None


class Entries:
    """Changed assets of a change, in the order of paths, removed ones behind."""

    def __init__(self, change: Change, files: dict[str, str], counts: dict[str, tuple[int, int]]) -> None:
        self._change, self._files, self._counts = change, files, counts
        self.leaves: dict[tuple[str, str], list[FieldChange]] = {}

    def assets(self, impact: Impact) -> list[AssetChange]:
        """One entry for each asset that changed; `leaves` then holds every field of those that came or went."""
        entries = []
        for old, new in self._change.pairs():
            if new.kind in (Kind.OTHER, Kind.CONTRACT):
                continue
            entry = self._entry(old, new)
            if entry.fields or entry.files or entry.moved_from or entry.old_version != entry.new_version or not old:
                entry.used_by = [user.label for user in impact.users(new)]
                entries.append(entry)
        for gone in self._change.removed():
            if gone.kind not in (Kind.OTHER, Kind.CONTRACT):
                self.leaves[gone.path, gone.label] = leaves(gone.data)
                entries.append(AssetChange(gone.label, str(gone.kind), gone.path, "removed", gone.version, None))
        return entries

    def _entry(self, old: Asset | None, new: Asset) -> AssetChange:
        version = old.version if old is not None else None
        entry = AssetChange(new.label, str(new.kind), new.path, "changed" if old else "added", version, new.version)
        if old is None:
            self.leaves[new.path, new.label] = leaves(new.data)
            return entry
        if old.path != new.path and old.path not in self._change.head.assets.tree.files:
            entry.moved_from = old.path
        ours, theirs = ({k: v for k, v in asset.data.items() if k != "version"} for asset in (new, old))
        entry.fields = differences(theirs, ours)
        entry.files = self._held(old, new)
        return entry

    def _held(self, old: Asset, new: Asset) -> list[FileChange]:
        """Changed files that go into the asset, on either side."""
        before, after = _files(self._change.base, old), _files(self._change.head, new)
        differing = (path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
        return [self.file(path) for path in sorted(differing) if path in self._files]

    def file(self, path: str) -> FileChange:
        """A changed file with the size of its change."""
        tree = self._change.head.assets.tree
        new_lines = tree.read(path).count("\n") if path in tree.files and path not in self._counts else 0
        added, removed = self._counts.get(path, (new_lines, 0))
        pins = self._pins(path) if path.endswith((".txt", ".lock")) and self._files[path] == "changed" else []
        return FileChange(path, self._files[path], added, removed, pins)

    def _pins(self, path: str) -> list[str]:
        """Packages of a requirements file whose version changed."""
        before, after = (pins(side.assets.tree.read(path)) for side in (self._change.base, self._change.head))
        return [str(change) for change in differences(before, after)]


def _files(reader: Reader, asset: Asset) -> dict[str, tuple[str, str]]:
    return reader.content(asset).files

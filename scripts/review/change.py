"""The two sides of a review: where the work left BASE, what BASE is now, and the working tree."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from amlspec.errors import UserError
from amlspec.kinds import Kind
from review.assets import SPECS, Asset, Parsed, read_assets
from review.content import Reader
from review.git import CommitTree, Git, WorkTree


@dataclass(frozen=True)
class Change:
    """`base` is the commit that the work started from; `tip` what BASE holds today, often the same."""

    git: Git
    revision: str
    commit: str
    base: Reader
    tip: Reader
    head: Reader
    head_revision: str | None = None

    def changed_files(self) -> dict[str, str]:
        """Path -> added, changed or removed, for every file that differs, in order."""
        old, new = self.base.assets.tree.files, self.head.assets.tree.files
        words = {(True, True): "changed", (False, True): "added", (True, False): "removed"}
        paths = sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))
        return {path: words[(path in old, path in new)] for path in paths}

    def require_specs(self) -> None:
        """Raises UserError where neither side has an Azure ML spec: to say that none changes would be no answer."""
        sides = (self.base.assets, self.head.assets)
        if not any(side.unread or any(asset.kind != Kind.OTHER for asset in side.items) for side in sides):
            raise UserError(f"no Azure ML spec below {SPECS} of {self.git.root}: specs are looked for only there")

    def pairs(self) -> Iterator[tuple[Asset | None, Asset]]:
        """(asset of the base or None, asset of the head) for every asset of the head."""
        for asset in self.head.assets.items:
            yield self.base.assets.match(asset), asset

    def removed(self) -> list[Asset]:
        """Assets of the base that the head has no more; a file that cannot be read now may still hold its own."""
        head = self.head.assets
        return [a for a in self.base.assets.items if head.match(a) is None and a.path not in head.unread]

    def removed_versions(self) -> list[Asset]:
        """Versions of the base whose file is gone while the head has the asset in another version."""
        head = self.head.assets
        gone = [a for a in self.base.assets.items if a.version is not None and a.path not in head.tree.files]
        return [a for a in gone if head.family(a) and a.version not in [b.version for b in head.family(a)]]

    def is_changed(self, old: Asset, new: Asset) -> bool:
        """Whether what Azure ML would hash differs."""
        return self.base.content(old).digest() != self.head.content(new).digest()


@contextmanager
def open_change(root: Path, revision: str | None, head: str | None = None) -> Iterator[Change]:
    """Read both sides; `head` is the working tree, or a commit. Without a revision the default branch is taken.

    Raises UserError for an unknown revision.
    """
    git = Git(root)
    revision = revision or git.default_base()
    commit, tip = git.merge_base(revision, head or "HEAD"), git.commit(revision)
    base_tree, tip_tree = CommitTree(git, commit), CommitTree(git, tip)
    head_tree = CommitTree(git, git.commit(head)) if head else WorkTree(git)
    parsed: Parsed = {}
    try:
        base = Reader(read_assets(base_tree, parsed))
        later = base if tip == commit else Reader(read_assets(tip_tree, parsed))
        yield Change(git, revision, commit, base, later, Reader(read_assets(head_tree, parsed)), head)
    finally:
        for tree in (base_tree, tip_tree, head_tree):
            tree.close()

"""Set the versions that the guard asks for, and the references pinned to them; touch nothing else.

Only the characters of a version are replaced, so comments, order, quotes and line breaks stay as they are.
"""

from collections.abc import Iterator
from pathlib import Path

from amlspec.document import Key
from amlspec.errors import UserError
from amlspec.references import Reference
from review.assets import Asset
from review.change import open_change
from review.edit import Keys, replace_scalar
from review.guard import guard
from review.references import means, references

_ROUNDS = 20


def bump(root: Path, revision: str | None) -> list[str]:
    """Bump until the guard is content; a new environment version changes the components that pin it, and so on.

    Returns one line per edit: `path:line: component x: 1 -> 2`. Raises UserError if that does not come to an end.
    """
    done: list[str] = []
    for _ in range(_ROUNDS):
        edits = _round(root, revision)
        if not edits:
            return done
        done += edits
    raise UserError(f"versions still change after {_ROUNDS} rounds: do assets refer to each other in a circle?")


def _round(root: Path, revision: str | None) -> list[str]:
    with open_change(root, revision) as change:
        files = _Files(change.git.root)
        wanted = {(v.asset.path, v.asset.where): v for v in guard(change) if v.wanted is not None}
        lines = []
        for verdict in wanted.values():
            asset, new = verdict.asset, str(verdict.wanted)
            old = str(asset.version)
            files.replace(asset.path, (*asset.where, "version"), new)
            lines.append(f"{asset.path}:{verdict.finding.line}: {asset.label}: {old} -> {new}")
            for user, keys, text in _pinned(change.head.assets.items, asset, old):
                pinned = text.removesuffix(old) + new
                files.replace(user.path, keys, pinned)
                lines.append(f"{user.path}:{user.doc.line(*keys)}: {text} -> {pinned}")
    files.write()
    return lines


def _pinned(assets: list[Asset], asset: Asset, version: str) -> Iterator[tuple[Asset, tuple[Key, ...], str]]:
    """References to exactly this version of an asset."""
    for user in assets:
        for keys, text in references(user):
            if Reference.parse(text) == Reference(asset.name, version) and means(keys, asset.kind) and not user.where:
                yield user, keys, text


class _Files:
    """Texts of one round, written at its end, so that a round that fails changes nothing."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._texts: dict[str, str] = {}

    def replace(self, path: str, keys: Keys, value: str) -> None:
        """Put a scalar in the place of another. Bytes, not lines, are read: CRLF and a byte order mark stay."""
        try:
            text = self._texts.get(path) or (self._root / path).read_bytes().decode("utf-8")
            self._texts[path] = replace_scalar(text, keys, value)
        except (UnicodeDecodeError, UserError) as error:
            raise UserError(f"{path}: {error}") from error

    def write(self) -> None:
        """Write what changed."""
        for path, text in self._texts.items():
            (self._root / path).write_bytes(text.encode("utf-8"))

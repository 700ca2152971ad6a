"""Version guard: content that changed has a higher version, and nothing that is used goes away.

Azure ML keeps an asset's name and version for ever: registering other content under them is refused, or silently
keeps the old. The base of the comparison is the commit where the work left BASE; what BASE got since counts too, since
two pull requests can take the same next version without a conflict in git.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from amlspec.finding import Finding
from amlspec.references import Reference
from amlspec.versions import following, highest, is_higher
from review.assets import VERSIONED, Asset
from review.change import Change
from review.references import uses_of


@dataclass(frozen=True)
class Judgement:
    """What the guard says of one asset. `wanted` is the version to set; a warning does not fail the check."""

    finding: Finding
    asset: Asset
    wanted: str | None = None
    warning: bool = False


def guard(change: Change) -> list[Judgement]:
    """Findings and warnings, sorted."""
    judgements = [judgement for old, new in change.pairs() for judgement in _judge(change, old, new)]
    judgements += [judgement for old in change.removed() for judgement in _judge_removed(change, old)]
    judgements += [judgement for old in change.removed_versions() for judgement in _judge_removed_version(change, old)]
    judgements += [judgement for old in change.base.assets.items for judgement in _judge_unread(change, old)]
    return sorted(judgements, key=lambda judgement: (judgement.finding, judgement.warning))


def _judge(change: Change, old: Asset | None, new: Asset) -> Iterator[Judgement]:
    if new.kind not in VERSIONED or new.version is None:
        return
    if old is None:
        yield from _judge_new(change, new)
    elif old.version is not None:
        yield from _judge_known(change, old, new)


def _judge_known(change: Change, old: Asset, new: Asset) -> Iterator[Judgement]:
    before, after = str(old.version), str(new.version)
    changed = change.is_changed(old, new)
    taken = _taken(change, new)
    if is_higher(before, after):
        wanted = _next(change, old, new) if changed else before
        message = f'{new.label} went down from version {before} to {after}: set version: "{wanted}" (make bump)'
        yield _judgement(new, message, wanted)
    elif changed and not is_higher(after, before):
        wanted = _next(change, old, new)
        message = f"{new.label} changed ({_what(change, old, new)}) and is still version {after}: "
        yield _judgement(new, f'{message}set version: "{wanted}" (make bump)', wanted)
    elif changed and taken is not None and not is_higher(after, taken):
        wanted = following(taken)
        message = f"version {after} of {new.label} is taken: {change.revision} has {taken} with other content: "
        yield _judgement(new, f'{message}set version: "{wanted}" (make bump)', wanted)
    elif not changed and after != before:
        message = f'{new.label} is now version {after}, but its content is that of {before}: set version: "{before}"'
        yield Judgement(new.doc.find(f"warning: {message}", *new.where, "version"), new, warning=True)


def _judge_new(change: Change, new: Asset) -> Iterator[Judgement]:
    """A new name: where its file had another before, versions, history and users stay behind with the old one."""
    place = (new.path, new.family[0], new.where)
    before = next((a for a in change.removed() if (a.path, a.family[0], a.where) == place), None)
    if before is not None:
        message = f"{before.label} is now called '{new.name}': Azure ML starts a new asset and keeps the old: "
        fix = f"keep name: {before.name}, or give the new asset a file of its own"
        yield Judgement(new.doc.find(message + fix, *new.where, "name"), new)
    taken = _taken(change, new)
    if taken is not None and not is_higher(str(new.version), taken):
        message = f"version {new.version} of {new.label} is taken: {change.revision} has {taken} with other content: "
        yield _judgement(new, f'{message}set version: "{following(taken)}" (make bump)', following(taken))


def _judge_removed(change: Change, old: Asset) -> Iterator[Judgement]:
    if old.kind not in VERSIONED:
        return
    for user, keys in uses_of(change.head.assets, old):
        message = f"{old.label} was removed and is still used here: restore {old.path} or drop the reference"
        yield Judgement(user.doc.find(message, *keys), user)


def _judge_removed_version(change: Change, old: Asset) -> Iterator[Judgement]:
    if old.kind not in VERSIONED:
        return
    for user, keys in uses_of(change.head.assets, old):
        if Reference.parse(user.doc.get(*keys)) == Reference(old.name, old.version):
            message = f"version {old.version} of {old.label} was removed and is still used here: "
            fix = f"restore {old.path} or name another version"
            yield Judgement(user.doc.find(message + fix, *keys), user)


def _judge_unread(change: Change, old: Asset) -> Iterator[Judgement]:
    """A spec that held an asset and cannot be read any more: neither its version nor its content is known."""
    unread = change.head.assets.unread.get(old.path)
    if unread is not None and old.kind in VERSIONED:
        yield Judgement(replace(unread, message=f"{old.label} cannot be read: {unread.message}"), old)


def _judgement(asset: Asset, message: str, wanted: str) -> Judgement:
    return Judgement(asset.doc.find(message, *asset.where, "version"), asset, wanted)


def _taken(change: Change, new: Asset) -> str | None:
    """The version that BASE has today, where BASE moved on and its content is not ours."""
    if change.tip is change.base:
        return None
    there = change.tip.assets.match(new)
    if there is None or there.version is None:
        return None
    same = change.tip.content(there).digest() == change.head.content(new).digest()
    return None if same else there.version


def _next(change: Change, old: Asset, new: Asset) -> str:
    """The version after every one that the repo knows, on either side or in a file beside this one."""
    sides = (change.base.assets, change.tip.assets, change.head.assets)
    known = [asset.version for side in sides for asset in side.family(old) if asset is not new]
    return following(highest([version for version in known if version is not None]))


def _what(change: Change, old: Asset, new: Asset) -> str:
    """The first thing that changed, and how many more."""
    before, after = change.base.content(old), change.head.content(new)
    keys = before.fields.keys() | after.fields.keys()
    fields = sorted(key for key in keys if before.fields.get(key) != after.fields.get(key))
    ids = {path: pair[1] for path, pair in before.files.items()}
    now = {path: pair[1] for path, pair in after.files.items()}
    files = sorted(path for path in ids.keys() | now.keys() if ids.get(path) != now.get(path))
    parts = [*fields, *files]
    return parts[0] + (f" and {len(parts) - 1} more" if len(parts) > 1 else "") if parts else "its files"

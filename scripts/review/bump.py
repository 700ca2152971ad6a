"""Set the versions that the guard asks for, and the references pinned to them; touch nothing else.

Only the characters of a version are replaced, so comments, order, quotes and line breaks stay as they are.
"""

from collections.abc import Iterator
from pathlib import Path

import yaml

from review.assets import Asset
from review.change import open_change
from review.git import UserError
from review.guard import guard
from review.references import means, named, references

_ROUNDS = 20
Keys = tuple[str | int, ...]


def bump(root: Path, revision: str) -> list[str]:
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


def _round(root: Path, revision: str) -> list[str]:
    with open_change(root, revision) as change:
        top = change.git.root
        wanted = {(v.asset.path, v.asset.where): v for v in guard(change) if v.wanted is not None}
        lines = []
        for verdict in wanted.values():
            asset, new = verdict.asset, str(verdict.wanted)
            old = str(asset.version)
            users = list(_pinned(change.head.assets.items, asset, old))
            _replace(top / asset.path, (*asset.where, "version"), new)
            lines.append(f"{asset.path}:{verdict.finding.line}: {asset.label}: {old} -> {new}")
            for user, keys, text in users:
                _replace(top / user.path, keys, text.removesuffix(old) + new)
                lines.append(f"{user.path}:{user.doc.line(*keys)}: {text} -> {text.removesuffix(old) + new}")
        return lines


def _pinned(assets: list[Asset], asset: Asset, version: str) -> Iterator[tuple[Asset, Keys, str]]:
    """References to exactly this version of an asset."""
    for user in assets:
        for keys, text in references(user):
            if named(text) == (asset.name, version) and means(keys, asset.kind) and not user.where:
                yield user, keys, text


def _replace(path: Path, keys: Keys, value: str) -> None:
    """Put a scalar in the place of another; quotes stay, and come where YAML would read another value."""
    text = path.read_text(encoding="utf-8")
    node = _node(yaml.compose(text, Loader=yaml.SafeLoader), keys)
    # A bare 1.10 would be read as the number 1.1.
    bare_is_same = str(yaml.safe_load(value)) == value
    quote = node.style if node.style in ("'", '"') else "" if bare_is_same else '"'
    start, end = node.start_mark.index, node.end_mark.index
    path.write_text(f"{text[:start]}{quote}{value}{quote}{text[end:]}", encoding="utf-8")


def _node(node: yaml.Node | None, keys: Keys) -> yaml.ScalarNode:
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            node = next((value for name, value in node.value if name.value == str(key)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int):
            node = node.value[key]
    if not isinstance(node, yaml.ScalarNode):
        raise UserError(f"no value at {'.'.join(str(key) for key in keys)}: write the version as text")
    return node

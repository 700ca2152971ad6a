"""The snapshot of a component with `additional_includes`: what azure-ai-ml merges into one folder and uploads.

Each include lands under its own last name beside what `code` holds; folders of one name are merged. In every folder
on the way its own .amlignore (or else .gitignore) counts, the rules of `code` (of the spec's folder, where there is
no code) hold for the includes as if they lay in it, and what then lies at the top as ignore file filters once more.
A test compares all of this with azure-ai-ml's own merge (entities/_component/_additional_includes.py).
"""

import posixpath
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pathspec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from amlspec.snapshot import IGNORE_FILES

_ALWAYS = "__pycache__"


@dataclass(frozen=True)
class _Rules:
    """Lines of an ignore file, and the folder that they are relative to."""

    spec: pathspec.PathSpec[GitIgnoreSpecPattern]
    base: str

    def exclude(self, path: str) -> bool:
        return self.spec.match_file(posixpath.relpath(path, self.base))


@dataclass(frozen=True)
class Source:
    """Files by their posix paths, sorted, and how to read one; a path that is not a file reads as None."""

    files: Sequence[str]
    read: Callable[[str], str | None]

    def below(self, folder: str) -> Iterator[str]:
        """Files of a folder at any depth."""
        prefix = folder.rstrip("/") + "/"
        for path in self.files[bisect_left(self.files, prefix) :]:
            if not path.startswith(prefix):
                return
            yield path

    def is_file(self, path: str) -> bool:
        """Whether it is one of the files."""
        index = bisect_left(self.files, path)
        return index < len(self.files) and self.files[index] == path


def members(source: Source, base: str, code: str | None, includes: Sequence[str]) -> dict[str, str]:
    """Name in the snapshot -> path of its file. `base` is the spec's folder; paths are resolved and normal."""
    named: dict[str, str] = {}
    if code is None:
        outer = _lines(source, base)
    elif source.is_file(code):
        outer = []
        named[posixpath.basename(code)] = code
    else:
        outer = _lines(source, code)
        named |= _below(source, code, "", [_rules(outer, code)])
    for include in includes:
        rules, name = _rules(outer, posixpath.dirname(include)), posixpath.basename(include)
        if source.is_file(include):
            named |= {} if rules.exclude(include) else {name: include}
        else:
            named |= _below(source, include, f"{name}/", [rules, _rules(_lines(source, include), include)])
    top = _rules(next((_split(source.read(named[name])) for name in IGNORE_FILES if name in named), []), "/")
    return {name: path for name, path in sorted(named.items()) if not top.exclude(f"/{name}")}


def _below(source: Source, folder: str, prefix: str, rules: list[_Rules]) -> dict[str, str]:
    """Files of a folder by their names in the snapshot; an ignored folder takes all below it with it."""
    known: dict[str, list[_Rules] | None] = {folder: None if _is_excluded(folder, rules) else rules}

    def rules_in(path: str) -> list[_Rules] | None:
        if path not in known:
            outer = rules_in(posixpath.dirname(path))
            inner = None if outer is None else [*outer, _rules(_lines(source, path), path)]
            known[path] = None if inner is None or _is_excluded(path, inner) else inner
        return known[path]

    paths: dict[str, str] = {}
    for path in source.below(folder):
        inner = rules_in(posixpath.dirname(path))
        if inner is not None and not _is_excluded(path, inner):
            paths[prefix + posixpath.relpath(path, folder)] = path
    return paths


def _is_excluded(path: str, rules: list[_Rules]) -> bool:
    return any(each.exclude(path) for each in rules)


def _lines(source: Source, folder: str) -> list[str]:
    """Lines of a folder's ignore file; .amlignore wins over .gitignore."""
    texts = (source.read(posixpath.join(folder, name)) for name in IGNORE_FILES)
    return next((_split(text) for text in texts if text is not None), [])


def _split(text: str | None) -> list[str]:
    return [line.strip() for line in (text or "").splitlines()]


def _rules(lines: list[str], base: str) -> _Rules:
    return _Rules(pathspec.PathSpec.from_lines(GitIgnoreSpecPattern, [*lines, _ALWAYS]), base)

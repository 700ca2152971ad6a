"""The snapshot of a `code:` folder, as azure-ai-ml uploads it: everything but what .amlignore (or .gitignore) names.

The rules are pathspec's, which azure-ai-ml uses itself; a test compares random folders with its own walk.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pathspec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

# Azure ML leaves these out whatever the ignore file says; bytecode differs from run to run.
ALWAYS = ("__pycache__/", "*.pyc", ".git/", ".ipynb_checkpoints/")
# The first that lies in the snapshot's own folder counts, alone.
IGNORE_FILES = (".amlignore", ".gitignore")


def kept(names: Iterable[str], read: Callable[[str], str | None]) -> Iterator[str]:
    """Names (relative, with '/') that belong to a snapshot; `read` gives the text of an ignore file, or None."""
    text = next((content for name in IGNORE_FILES if (content := read(name)) is not None), "")
    lines = [*ALWAYS, *(line.strip() for line in text.splitlines())]
    ignore = pathspec.PathSpec.from_lines(GitIgnoreSpecPattern, lines)
    return (name for name in names if not ignore.match_file(name))


def files(code: Path, leave: Path | None = None) -> list[Path]:
    """Files of the snapshot, sorted, but those below the folder `leave`. `code` may be one file."""
    if code.is_file():
        return [code]
    paths = (path for path in code.rglob("*") if path.is_file())
    if leave is not None and leave.is_relative_to(code.resolve()):
        paths = (path for path in paths if not path.resolve().is_relative_to(leave))
    names = {path.relative_to(code).as_posix(): path for path in paths}
    return sorted(names[name] for name in kept(names, lambda name: _text(code / name)))


def copy(code: Path, target: Path, leave: Path | None = None) -> None:
    """Copy the snapshot of `code` to `target`, which must not exist."""
    target.mkdir(parents=True)
    root = code if code.is_dir() else code.parent
    for path in files(code, leave):
        destination = target / path.relative_to(root)
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, destination)


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None

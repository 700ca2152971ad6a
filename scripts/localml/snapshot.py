"""The snapshot of a `code:` folder, as Azure ML uploads it: everything but what .amlignore (or .gitignore) names."""

import fnmatch
import shutil
from pathlib import Path, PurePosixPath

from localml.paths import home

# Azure ML leaves these out whatever the ignore file says; bytecode differs from run to run.
_ALWAYS = ("__pycache__/", "*.pyc", ".git/", ".ipynb_checkpoints/")


def files(code: Path) -> list[Path]:
    """Files of the snapshot, sorted. `code` may be one file."""
    if code.is_file():
        return [code]
    patterns = [*_ALWAYS, *_ignore_patterns(code)]
    found = (path for path in code.rglob("*") if path.is_file())
    if home().is_relative_to(code.resolve()):  # the engine's own state is no part of anybody's code
        found = (path for path in found if not path.resolve().is_relative_to(home()))
    return sorted(path for path in found if not _ignored(path.relative_to(code), patterns))


def copy(code: Path, target: Path) -> None:
    """Copy the snapshot of `code` to `target`, which must not exist."""
    target.mkdir(parents=True)
    root = code if code.is_dir() else code.parent
    for path in files(code):
        destination = target / path.relative_to(root)
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, destination)


def _ignore_patterns(code: Path) -> list[str]:
    for name in (".amlignore", ".gitignore"):
        if (code / name).is_file():
            lines = (line.strip() for line in (code / name).read_text(encoding="utf-8").splitlines())
            return [line for line in lines if line and not line.startswith("#")]
    return []


def _ignored(path: Path, patterns: list[str]) -> bool:
    """git's rules for the forms in use: name, folder/, *.ext, /anchored, a/b; the last match wins, ! takes back."""
    ignored = False
    for pattern in patterns:
        negated = pattern.startswith("!")
        if _matches(path, pattern.removeprefix("!")):
            ignored = not negated
    return ignored


def _matches(path: Path, pattern: str) -> bool:
    parents = [PurePosixPath(*path.parts[:depth]) for depth in range(1, len(path.parts))]
    candidates = parents if pattern.endswith("/") else [*parents, PurePosixPath(path)]
    bare = pattern.strip("/")
    anchored = "/" in pattern.rstrip("/")
    return any(fnmatch.fnmatch(str(item) if anchored else item.name, bare) for item in candidates)

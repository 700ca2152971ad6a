"""The files of the repo, and what a rename makes of them."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

from amlspec.errors import UserError
from rename.names import OURS, Names, replaced

# Whose work was copied, and this package, which has to know the old names to find them.
LEFT = ("LICENSE", "scripts/rename/", "tests/rename/", "CHANGELOG.md")


def changed(root: Path, new: Names) -> Iterator[tuple[Path, str, int]]:
    """(file, its new text, how many lines differ) of each file that a rename changes."""
    for name in _git(root, "ls-files").splitlines():
        path = root / name
        if name.startswith(LEFT) or path.is_symlink() or not path.is_file():
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture
        made = replaced(text, OURS, new)
        if made != text:
            lines = zip(text.splitlines(), made.splitlines(), strict=True)
            yield path, made, sum(before != after for before, after in lines)


def check_clean(root: Path) -> None:
    """Raises UserError where something is not committed: `git diff` could not show what a rename did."""
    if dirty := _git(root, "status", "--porcelain", "--untracked-files=no").splitlines():
        raise UserError(f"{len(dirty)} files are changed and not committed: commit or stash them first")


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)  # noqa: S607
    if done.returncode:
        raise UserError(f"git {words[0]}: {done.stderr.strip()}: a rename needs the repo's own checkout", 1)
    return done.stdout

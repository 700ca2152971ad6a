"""A small repo whose specs are right: every test breaks one thing in a copy of it."""

import shutil
from pathlib import Path

import pytest

GOOD = Path(__file__).parent / "good"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A copy of the good repo."""
    root = tmp_path / "repo"
    shutil.copytree(GOOD, root, ignore=shutil.ignore_patterns("__pycache__"))
    return root

"""Which files a snapshot has: azure-ai-ml's own walk of the folder is the judge."""

import importlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.assets import Assets
from review.content import Reader
from speccheck.loaders import quiet

LINES = st.sampled_from(
    [
        *("*", "*.md", "*.PY", "notes", "notes/", "/notes", "notes/*", "**/notes/**", "**/b.txt", "sub/**", "src/*.py"),
        *("a.txt", "data[1].csv", "!a.txt", "!keep.md", "!*.py", "!sub/keep.md", "!notes/", "\\!odd"),
        *("# note", "", "  x "),
    ]
)
FOLDERS = ["", "notes/", "sub/", "sub/notes/", "notes/deep/", "src/"]
FILES = [f"{folder}{name}" for folder in FOLDERS for name in ("a.txt", "keep.md", "main.py", "b.txt", "x", "!odd")]


class Folder:
    """A tree of one folder `code`."""

    def __init__(self, ignore: str, names: set[str]) -> None:
        self._ignore = ignore
        self.files = dict.fromkeys([f"code/{name}" for name in names] + ["code/.amlignore"], "id")

    def read(self, _path: str) -> str:
        return self._ignore


def uploaded(code: Path) -> set[str]:
    with quiet():
        utils = importlib.import_module("azure.ai.ml._utils._asset_utils")
        pairs = utils.get_upload_files_from_folder(code, ignore_file=utils.get_ignore_file(code))
    return {Path(source).relative_to(code).as_posix() for source, _ in pairs}


@settings(max_examples=60, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=4, unique=True), st.sets(st.sampled_from(FILES), min_size=1, max_size=12))
def test_a_snapshot_has_the_files_that_azure_uploads(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], names: set[str]
) -> None:
    ignore = "\n".join(lines) + "\n"
    code = tmp_path_factory.mktemp("case") / "code"
    for name in names:
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        (code / name).write_text("text")
    (code / ".amlignore").write_text(ignore)
    reader = Reader(Assets(Folder(ignore, names), [], []))
    assert {inside for inside, _ in reader.snapshot("code").values()} == uploaded(code)

"""Which files a snapshot has, for the engine and for the review: azure-ai-ml's own walk of the folder is the judge."""

import importlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amlspec import snapshot
from review.assets import Assets
from review.content import Reader
from speccheck.loaders import quiet

LINES = st.sampled_from(
    [
        *("*", "*.md", "*.PY", "notes", "notes/", "/notes", "notes/*", "**/notes/**", "**/b.txt", "sub/**", "src/*.py"),
        *("a.txt", "data[1].csv", "!a.txt", "!keep.md", "!*.py", "!sub/keep.md", "!notes/", "\\!odd"),
        *("# note", "", "  x ", "docs/*.md", "**/tmp", "a/**/b.py", "\\#a", "!docs/", "tmp", "#a"),
    ]
)
FOLDERS = ["", "notes/", "sub/", "sub/notes/", "notes/deep/", "src/", "docs/", "docs/old/", "a/", "a/x/y/", "sub/tmp/"]
FILES = [
    f"{folder}{name}"
    for folder in FOLDERS
    for name in ("a.txt", "keep.md", "main.py", "b.txt", "b.py", "x", "tmp", "#a", "!odd")
]


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
    # A name cannot be a file and a folder at once.
    names = {name for name in names if not any(other.startswith(f"{name}/") for other in names)}
    for name in names:
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        (code / name).write_text("text")
    (code / ".amlignore").write_text(ignore)
    expected = uploaded(code)
    assert {path.relative_to(code).as_posix() for path in snapshot.files(code)} == expected
    reader = Reader(Assets(Folder(ignore, names), [], []))
    assert {inside for inside, _ in reader.snapshot("code").values()} == expected


@pytest.mark.parametrize(
    ("line", "left_out", "taken"),
    [
        ("docs/*.md", "docs/a.md", "docs/old/a.md"),
        ("**/tmp", "sub/tmp/a.txt", "sub/tmpx"),
        ("a/**/b.py", "a/x/y/b.py", "b.py"),
        ("\\#a", "#a", "a"),
    ],
)
def test_ignore_rules_that_engine_and_azure_once_read_differently_agree(
    tmp_path: Path, line: str, left_out: str, taken: str
) -> None:
    for name in (left_out, taken):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("text")
    (tmp_path / ".amlignore").write_text(line + "\n")
    kept = {path.relative_to(tmp_path).as_posix() for path in snapshot.files(tmp_path)}
    assert kept == {taken, ".amlignore"} == uploaded(tmp_path)


def test_a_folder_of_state_inside_the_code_is_left_out(tmp_path: Path) -> None:
    for name in ("main.py", "state/job.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("text")
    assert snapshot.files(tmp_path, tmp_path / "state") == [tmp_path / "main.py"]

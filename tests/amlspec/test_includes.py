"""Which files a component with additional includes carries: azure-ai-ml's own merge is the judge."""

import importlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localml.component_code import ComponentCode
from speccheck.loaders import quiet

LINES = st.sampled_from(
    [
        *("*", "*.md", "notes", "notes/", "/notes", "**/notes/**", "**/b.txt", "one", "one/", "/one/a.txt", "one/*.md"),
        *("!a.txt", "!keep.md", "!one", "!notes/", "# note", "", "  x "),
    ]
)
FOLDERS = ("code", "one", "other/one", "two", "two/notes", "one/notes/deep", "specs")
NAMES = ("a.txt", "keep.md", "main.py", "b.txt")
INCLUDES = st.lists(
    st.sampled_from(["../one", "../other/one", "../two", "../two/notes", "../one/a.txt"]), min_size=1, unique=True
)


def azure(root: Path, code: str | None, included: list[str]) -> dict[str, str]:
    """Name in the snapshot -> text, as azure-ai-ml would upload it."""
    with quiet():
        module = importlib.import_module("azure.ai.ml.entities._component._additional_includes")
        utils = importlib.import_module("azure.ai.ml._utils._asset_utils")
        merge = module.AdditionalIncludes(origin_code_value=code, base_path=root / "specs", configs=included)
        with merge.merge_local_code_and_additional_includes() as folder:
            pairs = utils.get_upload_files_from_folder(folder, ignore_file=module.ComponentIgnoreFile(folder))
            return {Path(source).relative_to(folder).as_posix(): Path(source).read_text() for source, _ in pairs}


def ours(root: Path, code: str | None, included: list[str]) -> dict[str, str]:
    base = root / "specs"
    paths = tuple((base / path).resolve() for path in included)
    members = ComponentCode(base, (base / code).resolve() if code else None, paths).members()
    return {name: path.read_text() for name, path in members.items()}


@pytest.mark.parametrize("code", [None, "../code", "../code/a.txt"])
@settings(max_examples=40, deadline=None)
@given(
    st.sets(st.tuples(st.sampled_from(FOLDERS), st.sampled_from(NAMES)), max_size=14),
    st.dictionaries(
        st.tuples(st.sampled_from(FOLDERS), st.sampled_from([".amlignore", ".gitignore"])),
        st.lists(LINES, min_size=1, max_size=3, unique=True),
        max_size=4,
    ),
    INCLUDES,
)
def test_a_component_carries_what_azure_merges(
    tmp_path_factory: pytest.TempPathFactory,
    code: str | None,
    files: set[tuple[str, str]],
    rules: dict[tuple[str, str], list[str]],
    included: list[str],
) -> None:
    root = tmp_path_factory.mktemp("case")
    for folder in FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    for folder, name in {*files, ("code", "a.txt"), ("one", "a.txt")}:
        (root / folder / name).write_text(f"{folder}/{name}")
    for (folder, name), lines in rules.items():
        (root / folder / name).write_text("\n".join(lines) + "\n")
    assert ours(root, code, included) == azure(root, code, included)


def test_caches_are_never_carried(tmp_path: Path) -> None:
    for path in ("specs/x", "one/__pycache__/a.pyc", "one/deep/__pycache__/b.pyc", "one/a.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    assert ours(tmp_path, None, ["../one"]) == azure(tmp_path, None, ["../one"]) == {"one/a.py": "one/a.py"}


def test_a_linked_folder_is_carried_with_what_it_leads_to(tmp_path: Path) -> None:
    for path in ("specs/x", "one/a.py", "elsewhere/b.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    (tmp_path / "one" / "linked").symlink_to(tmp_path / "elsewhere")
    carried = ours(tmp_path, None, ["../one"])
    assert carried == azure(tmp_path, None, ["../one"]) == {"one/a.py": "one/a.py", "one/linked/b.py": "elsewhere/b.py"}

"""`make rename`: no old name is left, resources get short names of the right form, and the checks still pass."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlspec.errors import UserError
from rename import files, names
from rename.names import OURS, Names

ROOT = Path(__file__).parents[2]
TEA = Names("Casa Verde", "Tea Demand", "cav", "ted")


@pytest.mark.parametrize(
    ("company", "project", "short"),
    [
        ("Casa Verde", "Tea Demand", ("cav", "ted")),
        ("Åäö Kaffe", "Demand", ("aak", "dem")),
        ("X1", "P", None),
    ],
)
def test_short_names_come_from_the_first_letters(company: str, project: str, short: tuple[str, str] | None) -> None:
    if short is None:
        with pytest.raises(UserError, match="SHORT_PROJECT=p: give"):
            names.of(company, project, None, None)
        assert names.of(company, project, None, "pp").short_project == "pp"
    else:
        made = names.of(company, project, None, None)
        assert (made.short_company, made.short_project) == short


@pytest.mark.parametrize("company", ["", "  ", "a'b", "a\nb", '"', "<b>"])
def test_what_cannot_be_a_name_is_refused_before_anything_is_read(company: str) -> None:
    with pytest.raises(UserError, match="COMPANY="):
        names.of(company, "Tea", None, None)


def test_every_form_is_replaced_and_parts_of_words_are_not() -> None:
    old = "GloboJava demand forecast, GloboJava; GLOBOJAVA.db x@globojava.example gbj-dmd-dev-rg gbjdmddev 'gbj' admdx"
    new = "Casa Verde Tea Demand, Casa Verde; CASAVERDE.db x@casaverde.example cav-ted-dev-rg cavteddev 'cav' admdx"
    assert names.replaced(old, OURS, TEA) == new


@given(st.text())
def test_a_text_without_our_names_stays_as_it_is(text: str) -> None:
    if not any(name in text.lower() for name in ("globojava", "gbj", "dmd")):
        assert names.replaced(text, OURS, TEA) == text


def test_a_checkout_with_uncommitted_changes_is_left_alone(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a.md").write_text("GloboJava\n")
    git(tmp_path, "add", "a.md")
    with pytest.raises(UserError, match="1 files are changed and not committed"):
        files.check_clean(tmp_path)


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run(["git", "-C", str(folder), *identity, *words], check=True, capture_output=True)


@pytest.mark.slow
def test_after_a_rename_no_old_name_is_left_and_the_checks_pass(tmp_path: Path) -> None:
    """Names of the same lengths, since a longer one may break a line that is as long as it may be."""
    if not (ROOT / ".git").exists():
        pytest.skip("NOT RUN: not a checkout of git")
    tree = tmp_path / "tree"
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
    git(tree, "init", "-q")
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "all")
    new = names.of("CasaVerde", "tea in demand!!", "cav", "ted")
    changed = {path for path, _, _ in files.changed(tree, new)}
    assert {
        tree / "README.md",
        tree / "infra/environments/dev.tfvars",
        tree / "ml/data/snowflake.connection.yml",
    } <= changed
    for path, text, lines in files.changed(tree, new):
        assert lines > 0
        path.write_text(text, encoding="utf-8")
    assert list(files.changed(tree, new)) == []
    left = [
        path
        for path in tree.rglob("*")
        if is_ours(path, tree) and "globojava" in path.read_text(errors="ignore").lower()
    ]
    assert left == []
    for module in ("speccheck", "sqlcheck"):
        done = subprocess.run([sys.executable, "-m", module], cwd=tree, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def is_ours(path: Path, tree: Path) -> bool:
    name = path.relative_to(tree).as_posix()
    return path.is_file() and not name.startswith((".git/", *files.LEFT))

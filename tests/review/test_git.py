"""Git as users have it: no git, no origin, shallow clones, odd file names, subfolders, worktrees, settings."""

import os
import subprocess
from pathlib import Path

import pytest
from fixture_repo import Repo

from amlspec.errors import UserError
from review.__main__ import main
from review.git import Git

TRAIN = "ml/components/train.yml"


def guard(root: Path, base: str = "main", capsys: pytest.CaptureFixture[str] | None = None) -> int:
    return main(["guard", "--root", str(root), "--base", base])


def test_without_base_the_default_branch_of_origin_counts(
    repo: Repo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo.git("checkout", "--quiet", "-B", "trunk", "main")
    repo.git("branch", "--quiet", "-D", "main", "work")
    repo.git("clone", "--quiet", str(repo.root), str(tmp_path / "cloned"))
    clone = Repo(tmp_path / "cloned")
    clone.edit(TRAIN, "default: 0.5", "default: 0.6")
    assert main(["report", "--root", str(clone.root)]) == 0
    assert capsys.readouterr().out.startswith("# What merging into origin/trunk does\n")
    assert main(["bump", "--root", str(clone.root)]) == 0
    assert 'version: "2"' in (clone.root / TRAIN).read_text()


def test_without_base_and_origin_main_counts_and_without_both_the_user_is_asked(
    repo: Repo, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "--root", str(repo.root)]) == 0
    assert capsys.readouterr().out.startswith("# What merging into main does\n")
    repo.git("branch", "--quiet", "-D", "main")
    assert main(["report", "--root", str(repo.root)]) == 2
    assert "BASE=" in capsys.readouterr().err


def test_a_shallow_clone_is_an_error_that_says_how_to_fetch(
    repo: Repo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo.git("checkout", "--quiet", "main")
    for number in range(3):
        repo.write("notes.txt", str(number))
        repo.commit("more")
        repo.git("checkout", "--quiet", "-B", "work") if number == 0 else None
        repo.git("checkout", "--quiet", "main")
    repo.git("checkout", "--quiet", "work")
    repo.edit(TRAIN, "default: 0.5", "default: 0.6")
    repo.commit("work")
    url = repo.root.as_uri()
    repo.git("clone", "--quiet", "--depth", "1", "--no-single-branch", url, str(tmp_path / "shallow"))
    assert guard(tmp_path / "shallow", "origin/main") == 2
    assert "fetch the whole history (git fetch --unshallow)" in capsys.readouterr().err
    assert guard(tmp_path / "shallow", "origin/nowhere") == 2
    assert capsys.readouterr().err.startswith("error: BASE=origin/nowhere is not a revision here")


def test_the_review_runs_in_a_subfolder_and_in_a_worktree(
    repo: Repo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo.edit(TRAIN, "default: 0.5", "default: 0.6")
    assert guard(repo.root / "ml" / "components") == 1
    from_below = capsys.readouterr().out
    assert guard(repo.root) == 1
    assert capsys.readouterr().out == from_below
    repo.commit("work")
    repo.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "tree"), "work")
    assert guard(tmp_path / "tree") == 1
    assert capsys.readouterr().out == from_below


def test_git_settings_of_the_user_do_not_change_the_review(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    repo.edit(TRAIN, "default: 0.5", "default: 0.6")
    repo.write("src/demand/é ü.py", "X = 1\n")
    assert main(["report", "--root", str(repo.root), "--base", "main"]) == 0
    before = capsys.readouterr().out
    for setting in ("diff.noprefix=true", "color.ui=always", "diff.external=false", "core.quotePath=true"):
        repo.git("config", *setting.split("=", 1))
    repo.git("config", "diff.renames", "copies")
    assert main(["report", "--root", str(repo.root), "--base", "main"]) == 0
    assert capsys.readouterr().out == before
    assert "é ü.py" in before


def test_line_ends_that_git_converts_do_not_count_as_a_change(repo: Repo) -> None:
    repo.git("config", "core.autocrlf", "true")
    for path in [*(repo.root / "src").rglob("*.py"), *(repo.root / "ml").rglob("*.yml")]:
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert guard(repo.root) == 0


def test_a_file_name_that_is_not_utf8_does_not_end_the_check(repo: Repo) -> None:
    name = os.fsdecode(b"src/caf\xe9.txt")
    (repo.root / name).write_text("text")
    assert guard(repo.root) == 1
    assert main(["report", "--root", str(repo.root), "--base", "main"]) == 0


def test_a_spec_that_is_not_utf8_does_not_end_the_check(repo: Repo) -> None:
    (repo.root / TRAIN).write_bytes((repo.root / TRAIN).read_bytes().replace(b"Fits a forest", b"Fits a for\xeat"))
    assert guard(repo.root) == 1
    assert main(["bump", "--root", str(repo.root), "--base", "main"]) == 2


def test_a_merge_in_progress_and_an_unborn_file_are_read_from_disk(repo: Repo) -> None:
    repo.git("checkout", "--quiet", "main")
    repo.edit(TRAIN, "default: 0.5", "default: 0.4")
    repo.commit("theirs")
    repo.git("checkout", "--quiet", "work")
    repo.edit(TRAIN, "default: 0.5", "default: 0.6")
    repo.commit("ours")
    with pytest.raises(subprocess.CalledProcessError):
        repo.git("merge", "main")
    assert guard(repo.root) == 1
    repo.write("ml/components/new.yml", (repo.root / "ml/components/prepare.yml").read_text().replace("prepare_", "n_"))
    repo.git("add", "--intent-to-add", "ml/components/new.yml")
    assert guard(repo.root) == 1


def test_a_missing_git_and_a_distrusted_folder_are_errors_that_say_so(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    message = "fatal: detected dubious ownership in repository at '/repo'"
    fake.write_text(f'#!/bin/sh\necho "{message}" >&2\necho "To add an exception" >&2\nexit 128\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(fake.parent))
    assert guard(repo.root) == 2
    assert "detected dubious ownership" in capsys.readouterr().err
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert guard(repo.root) == 2
    assert capsys.readouterr().err == "error: git is not on PATH: install it\n"


def test_a_tag_may_be_the_base_and_a_path_may_not(repo: Repo) -> None:
    repo.git("tag", "light", "main")
    repo.git("tag", "-a", "heavy", "-m", "heavy", "main")
    git = Git(repo.root)
    assert git.commit("light") == git.commit("heavy") == git.commit("main")
    with pytest.raises(UserError):
        git.commit("ml")
    with pytest.raises(UserError):
        git.commit("-h")

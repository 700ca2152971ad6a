"""git as our tools call it: a commit in a folder of its own, and one line where it fails."""

import subprocess
from pathlib import Path

import pytest

from amlspec.errors import UserError
from host import git


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    for words in (["init", "--quiet", "--initial-branch", "main"], ["commit", "--quiet", "--allow-empty", "-m", "x"]):
        identity = ["-c", "user.name=t", "-c", "user.email=t@t"]
        subprocess.run(["git", "-C", str(root), *identity, *words], check=True)
    return root


def test_a_commit_that_no_branch_reaches_can_be_checked_out(repo: Path, tmp_path: Path) -> None:
    (repo / "new.txt").write_text("new\n")
    git.git("-C", str(repo), "add", "--all")
    tree = git.git("-C", str(repo), "write-tree")
    identity = {
        "GIT_AUTHOR_NAME": "t",
        "GIT_AUTHOR_EMAIL": "t@t",
        "GIT_COMMITTER_NAME": "t",
        "GIT_COMMITTER_EMAIL": "t@t",
    }
    commit = git.git("-C", str(repo), "commit-tree", tree, "-p", "HEAD", "-m", "apart", **identity)
    git.check_out(repo, tmp_path / "out", commit)
    assert (tmp_path / "out/new.txt").read_text() == "new\n"
    assert git.git("-C", str(tmp_path / "out"), "rev-parse", "origin/main") == git.git(
        "-C", str(repo), "rev-parse", "main"
    )


def test_a_failure_is_gits_own_last_line(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"git -C .*: fatal: .*nowhere") as error:
        git.git("-C", str(repo), "merge-base", "nowhere", "HEAD")
    assert error.value.exit_code == 1
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="git is not on PATH"):
        git.git("status")

"""On ten scripted commits, guard and report say what a careful reviewer would: golden/ holds it.

UPDATE_GOLDEN=1 writes the files anew; read their diff as carefully as a reviewer would.
"""

import os
from pathlib import Path

import pytest
from fixture_repo import Repo
from scripted_commits import COMMITS, hand_in

from review.__main__ import main

GOLDEN = Path(__file__).parent / "golden"


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(list(arguments))
    return code, capsys.readouterr().out


@pytest.mark.parametrize("name", COMMITS)
def test_a_scripted_commit_is_reviewed_as_the_golden_file_has_it(
    name: str, repo: Repo, capsys: pytest.CaptureFixture[str]
) -> None:
    COMMITS[name](repo)
    repo.commit(name)
    where = ["--root", str(repo.root), "--base", "main"]
    extras = hand_in(repo) if name.startswith("10") else []

    code, findings = printed(capsys, "guard", *where)
    _, report = printed(capsys, "report", *where, *extras)

    purpose = " ".join((COMMITS[name].__doc__ or "").split())
    text = f"<!-- {purpose} -->\n\n`make check BASE=main` ends with {code}:\n\n```\n{findings}```\n\n{report}"
    golden = GOLDEN / f"{name}.md"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()
    assert code == (1 if any(" warning: " not in line for line in findings.splitlines()) else 0)


def test_a_report_is_the_same_from_run_to_run_and_before_and_after_the_commit(
    repo: Repo, capsys: pytest.CaptureFixture[str]
) -> None:
    COMMITS["04-code_of_one_step"](repo)
    where = ["report", "--root", str(repo.root), "--base", "main"]
    before = printed(capsys, *where)
    repo.commit("done")
    assert printed(capsys, *where) == before == printed(capsys, *where)


def test_a_small_change_fits_a_screen() -> None:
    for golden in sorted(GOLDEN.glob("0*.md")):  # 10 is a large change
        assert len(golden.read_text().splitlines()) <= 50, golden.name

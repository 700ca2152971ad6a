"""What the version guard counts as content, as a version and as taken."""

import re
import shutil
from pathlib import Path

import pytest
from fixture_repo import Repo
from hypothesis import given
from hypothesis import strategies as st

from amlspec.versions import following, highest, is_higher
from review.__main__ import main
from review.bump import bump
from review.change import open_change
from review.guard import guard

ROOT = Path(__file__).parents[2]
TRAIN = "ml/components/train.yml"
STILL = "and is still version"


def said(repo: Repo, base: str = "main") -> list[str]:
    with open_change(repo.root, base) as change:
        return [str(verdict.finding) for verdict in guard(change)]


def test_an_untouched_repository_has_no_finding(repo: Repo) -> None:
    assert said(repo) == []


def test_work_that_is_not_committed_counts(repo: Repo) -> None:
    repo.edit(TRAIN, "default: 0.5", "default: 0.6")
    (line,) = said(repo)
    assert line.startswith(f"{TRAIN}:3: component train_forest changed (inputs) {STILL} 1:")


def test_a_new_file_in_a_snapshot_is_content_and_an_ignored_one_is_not(repo: Repo) -> None:
    repo.write("src/.amlignore", "*.md\nnotes/\n")
    repo.commit("ignore file")
    repo.git("checkout", "--quiet", "-B", "main")
    repo.git("checkout", "--quiet", "work")
    repo.write("src/README.md", "text")
    repo.write("src/notes/a.txt", "text")
    assert said(repo) == []
    repo.write("src/helper.py", "X = 1\n")
    assert len(said(repo)) == 3
    assert all("src/helper.py" in line for line in said(repo))


def test_a_file_that_git_ignores_does_not_count_as_content(repo: Repo) -> None:
    repo.write(".gitignore", "*.tmp\n")
    repo.write("src/scratch.tmp", "text")
    assert said(repo) == []


def test_the_build_folder_is_content_of_its_environment(repo: Repo) -> None:
    repo.edit("ml/environments/demand/Dockerfile", "20260901.v1", "20261001.v1")
    (line,) = said(repo)
    assert line.startswith(
        "ml/environments/demand.yml:3: environment demand changed (ml/environments/demand/Dockerfile)"
    )


def test_the_description_of_a_component_is_content_and_that_of_an_environment_is_not(repo: Repo) -> None:
    repo.edit("ml/environments/demand.yml", "The image of every step.", "An image.")
    assert said(repo) == []
    repo.edit(TRAIN, "Fits a forest.", "Fits one.")
    assert len(said(repo)) == 1


def test_an_environment_written_inline_is_guarded_too(repo: Repo) -> None:
    inline = 'environment:\n  name: scoring_inline\n  version: "4"\n  image: a/b:20260101.v1\n'
    repo.edit("ml/deploy/blue.yml", "environment: azureml:scoring:2\n", inline)
    repo.commit("inline")
    repo.git("checkout", "--quiet", "-B", "main")
    repo.edit("ml/deploy/blue.yml", "20260101", "20260201")
    (line,) = said(repo)
    assert line.startswith("ml/deploy/blue.yml:11: environment scoring_inline changed (image) and is still version 4: ")
    bump(repo.root, "main")
    assert 'version: "5"' in (repo.root / "ml/deploy/blue.yml").read_text()
    assert said(repo) == []


def test_a_pipeline_component_changes_with_the_components_inside_it(repo: Repo) -> None:
    repo.write(
        "ml/components/both.yml",
        "$schema: https://x/pipelineComponent.schema.json\nname: both\nversion: 1.9\ntype: pipeline\n"
        "jobs:\n  train:\n    type: command\n    component: ./train.yml\n",
    )
    repo.commit("pipeline component")
    repo.git("checkout", "--quiet", "-B", "main")
    repo.edit(TRAIN, "default: 0.5", "default: 0.6")
    assert [line.split(":")[0] for line in said(repo)] == ["ml/components/both.yml", TRAIN]
    bump(repo.root, "main")
    assert said(repo) == []
    assert 'version: "1.10"\n' in (repo.root / "ml/components/both.yml").read_text()


def test_a_moved_spec_is_the_same_asset(repo: Repo) -> None:
    repo.git("mv", TRAIN, "ml/components/forest.yml")
    repo.edit("ml/pipelines/train.yml", "../components/train.yml", "../components/forest.yml")
    assert said(repo) == []


def test_a_version_that_main_took_meanwhile_is_taken(repo: Repo) -> None:
    """Two pull requests raise 1 to 2: git merges them without a conflict."""
    repo.git("checkout", "--quiet", "main")
    repo.edit(TRAIN, "default: 0.5", "default: 0.4")
    repo.edit(TRAIN, 'version: "1"', 'version: "2"')
    repo.commit("theirs")
    repo.git("checkout", "--quiet", "work")
    assert said(repo) == []
    repo.edit(TRAIN, "default: 0.5", "default: 0.6")
    repo.edit(TRAIN, 'version: "1"', 'version: "2"')
    (line,) = said(repo)
    assert line.endswith(
        'version 2 of component train_forest is taken: main has 2 with other content: set version: "3" (make bump)'
    )
    bump(repo.root, "main")
    assert 'version: "3"' in (repo.root / TRAIN).read_text()
    assert said(repo) == []


def test_what_main_got_meanwhile_is_not_blamed_on_the_work(repo: Repo) -> None:
    repo.git("checkout", "--quiet", "main")
    repo.edit(TRAIN, "default: 0.5", "default: 0.4")
    repo.git("rm", "--quiet", "--cached", "ml/deploy/compute.yml")
    repo.commit("theirs")
    repo.git("checkout", "--quiet", "--force", "work")
    assert said(repo) == []


def test_bump_changes_versions_and_nothing_else(repo: Repo) -> None:
    repo.edit(TRAIN, 'version: "1"', "version: '1'   # for the registry")
    repo.commit("comment")
    repo.git("checkout", "--quiet", "-B", "main")
    repo.edit("ml/environments/demand/Dockerfile", "20260901.v1", "20261001.v1")
    bump(repo.root, "main")
    changed = repo.git("diff", "--unified=0", "main", "--", "ml/components", "ml/environments/demand.yml").splitlines()
    edits = [line for line in changed if line[0] in "+-" and not line.startswith(("+++", "---"))]
    assert sorted(edits) == sorted(
        [
            "-version: '1'   # for the registry",
            "+version: '2'   # for the registry",
            *["-environment: azureml:demand:1", "+environment: azureml:demand:2"] * 3,
            *['-version: "1"', '+version: "2"'] * 3,
        ]
    )
    assert bump(repo.root, "main") == []


def test_wrong_usage_is_one_line_and_exit_code_2(
    repo: Repo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["guard", "--root", str(repo.root), "--base", "nowhere"]) == 2
    assert capsys.readouterr().err == (
        "error: BASE=nowhere is not a revision here: fetch it, or give another such as BASE=HEAD~1\n"
    )
    assert main(["guard", "--root", str(tmp_path), "--base", "main"]) == 2
    assert "is in no git repository" in capsys.readouterr().err
    repo.git("checkout", "--quiet", "--orphan", "alone")
    repo.commit("no history")
    assert main(["report", "--root", str(repo.root), "--base", "main"]) == 2
    assert "share no commit" in capsys.readouterr().err


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=4), st.sampled_from([".", "-"]))
def test_the_following_version_is_higher_and_order_is_by_number(parts: list[int], separator: str) -> None:
    version = separator.join(str(part) for part in parts)
    assert is_higher(following(version), version)
    assert not is_higher(version, following(version))
    assert highest([version, following(version)]) == following(version)


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ("9", "10"),
        ("1.9", "1.10"),
        ("1.2", "1.2.1"),
        ("2026.02", "2026.11"),
        ("v3", "v4"),
        ("1.0rc1", "1.0.1"),
        ("1.0-rc1", "1.0"),
        ("1.0-rc.9", "1.0-rc.10"),
        ("1.0", "1.0-hotfix"),
        ("2", "10-beta"),
    ],
)
def test_a_version_is_higher_by_its_numbers(low: str, high: str) -> None:
    assert is_higher(high, low)
    assert not is_higher(low, high)


@pytest.mark.parametrize(("version", "after"), [("1", "2"), ("1.9", "1.10"), ("v09", "v10"), ("1.2.3", "1.2.4")])
def test_the_following_version_raises_the_last_number(version: str, after: str) -> None:
    assert following(version) == after


@pytest.mark.parametrize("verb", ["guard", "report", "bump"])
def test_a_repository_whose_specs_do_not_lie_under_ml_is_an_error_not_a_pass(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = Repo(tmp_path / "elsewhere")
    repo.write("specs/train.yml", (ROOT / "ml/components/train.yml").read_text())
    repo.write("ml/notes.yml", "owner: sales\n")
    repo.git("init", "--quiet", "--initial-branch", "main")
    repo.commit("Start")
    assert main([verb, "--root", str(repo.root), "--base", "main"]) == 2
    said_of_it = capsys.readouterr()
    assert said_of_it.out == ""
    assert re.fullmatch(r"error: no Azure ML spec below ml/ of .+\n", said_of_it.err)


def test_specs_that_were_all_removed_are_judged_not_refused(repo: Repo) -> None:
    shutil.rmtree(repo.root / "ml")
    assert main(["guard", "--root", str(repo.root), "--base", "main"]) == 0

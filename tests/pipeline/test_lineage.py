"""Where a run comes from, and which version it has to beat."""

import subprocess

import pytest

from localml.errors import UserError
from pipeline import azml, lineage


@pytest.fixture
def repo(tmp_path):
    """A tree with what decides a run."""
    for name in (
        "ml/pipelines/train.yml",
        "ml/components/train.yml",
        "ml/data/monthly_sales.sql",
        "src/demand/train.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.fixture
def workspace(monkeypatch):
    """Answers of `az ml`, by their first words."""
    answers = {("data", "show"): {"name": "sales", "version": "7"}, ("model", "list"): []}
    monkeypatch.setattr(azml, "call", lambda *arguments: answers[arguments[:2]])
    return answers


def version(number, recipe):
    return {"version": str(number), "tags": {"recipe": recipe}}


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ([], "none"),
        ([version(1, "other")], "1"),
        ([version(1, "mine")], "none"),
        ([version(2, "mine"), version(1, "other")], "1"),
        ([version(9, "other"), version(10, "other")], "10"),
        ([version(3, "other"), version(2, "mine"), version(1, "other")], "3"),
    ],
)
def test_the_champion_is_the_highest_version_of_another_recipe(workspace, versions, expected):
    workspace["model", "list"] = versions
    assert lineage.champion("demand-forecast", "mine") == expected


def test_tags_that_a_list_leaves_out_are_asked_for(workspace):
    workspace["model", "list"] = [{"version": "1", "tags": {}}]
    workspace["model", "show"] = version(1, "mine")
    assert lineage.champion("demand-forecast", "mine") == "none"


@pytest.mark.parametrize("path", ["src/demand/train.py", "ml/data/monthly_sales.sql", "ml/pipelines/train.yml"])
def test_the_recipe_changes_with_code_and_specs(repo, path):
    before = lineage.recipe_hash(repo, ["7"])
    (repo / path).write_text("other")
    assert lineage.recipe_hash(repo, ["7"]) != before


def test_the_recipe_changes_with_data_version_and_settings_and_not_with_caches_or_docs(repo):
    before = lineage.recipe_hash(repo, ["7"])
    assert lineage.recipe_hash(repo, ["8"]) != before
    assert lineage.recipe_hash(repo, ["7", "inputs.holdout_months=3"]) != before
    (repo / "README.md").write_text("text")
    (repo / "src/demand/__pycache__").mkdir()
    (repo / "src/demand/__pycache__/train.pyc").write_text("x")
    assert lineage.recipe_hash(repo, ["7"]) == before


def test_settings_name_data_champion_commit_and_recipe(repo, workspace):
    workspace["model", "list"] = [version(4, "other")]
    found = dict(setting.split("=", 1) for setting in lineage.settings(repo, "m", ["inputs.holdout_months=3"]))
    assert found["inputs.sales.path"] == "azureml:sales:7"
    assert found["inputs.data_version"] == "7"
    assert found["inputs.champion"] == "4"
    assert found["inputs.git_commit"] == "unknown"
    assert found["inputs.holdout_months"] == "3"
    assert len(found["inputs.recipe"]) == 16


def test_without_sales_the_way_to_get_them_is_said(repo, workspace, monkeypatch):
    workspace["data", "show"] = None
    monkeypatch.setenv("AZ_ML", "python -m localml")
    with pytest.raises(UserError, match="run `make import-data` first"):
        lineage.settings(repo, "m", [])


def test_a_changed_tree_is_told_from_its_commit(repo):
    git = ["git", "-C", str(repo), "-c", "user.name=n", "-c", "user.email=e@example.com"]
    for call in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *call], check=True)
    commit = lineage.git_commit(repo)
    assert len(commit) == 40
    (repo / "src/demand/train.py").write_text("other")
    assert lineage.git_commit(repo) == f"{commit}-dirty"

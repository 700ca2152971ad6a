"""Where a run comes from, and which version it has to beat."""

import subprocess

import pytest

from amlspec.errors import UserError
from pipeline import azml, lineage

SALES = {"name": "sales", "version": "7", "creation_context": {"created_at": "2026-11-20T08:00:00+00:00"}}


COMPONENT = """\
name: train
version: "1"
type: command
additional_includes: [../../src/demand, ../../src/forecasting]
environment: azureml:demand:1
command: python -m forecasting.train
"""
FILES = {
    "ml/pipelines/train.yml": "type: pipeline\njobs:\n  train:\n    component: ../components/train.yml\n",
    "ml/components/train.yml": COMPONENT,
    "ml/components/publish.yml": COMPONENT,
    "ml/data/monthly_sales.sql": "select 1",
    "ml/gate.yml": "alpha: 0.1",
    "ml/environments/demand/Dockerfile": "FROM x",
    "ml/environments/score/Dockerfile": "FROM x",
    "src/forecasting/train.py": "",
    "src/demand/.amlignore": "/score.py\n",
    "src/demand/model.py": "",
    "src/demand/score.py": "",
    "src/sales/publish.py": "",
}


@pytest.fixture
def repo(tmp_path):
    """A tree with what decides a run, and with what does not."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def workspace(monkeypatch):
    """Answers of `az ml`, by their first words."""
    answers = {("data", "show"): SALES, ("model", "list"): []}
    monkeypatch.setattr(azml, "call", lambda *words, **_: answers[words])
    return answers


def version(number, recipe, champion=None, compared_with="none"):
    tags = {"recipe": recipe, "compared_with": compared_with, "signed": "yes"} | (
        {"champion": champion} if champion else {}
    )
    return {"version": str(number), "tags": tags}


def asked(repo, workspace, *versions):
    """(champion, attempt) that a run gets whose recipe is the one called `mine`."""
    workspace["model", "list"] = []
    (recipe,) = [each for each in lineage.settings(repo, "m", [], "train-1") if each.startswith("inputs.recipe=")]
    mine = recipe.partition("=")[2]
    for each in versions:
        each["tags"]["recipe"] = mine if each["tags"]["recipe"] == "mine" else each["tags"]["recipe"]
    workspace["model", "list"] = list(versions)
    settings = dict(setting.split("=", 1) for setting in lineage.settings(repo, "m", [], "train-1"))
    return settings["inputs.champion"], settings["inputs.attempt"]


def test_the_first_run_has_no_champion_to_beat(repo, workspace):
    assert asked(repo, workspace) == ("none", "first")


def test_a_run_has_to_beat_the_champion_and_not_the_newest_version(repo, workspace):
    older = version(9, "other", champion="2026-11-02")
    assert asked(repo, workspace, version(10, "another", champion="2026-11-01"), older) == ("9", "first")


def test_a_rerun_of_the_champion_s_recipe_asks_what_that_was_asked(repo, workspace):
    assert asked(repo, workspace, version(2, "mine", "2026-11-02", "1"), version(1, "other", "2026-11-01")) == (
        "1",
        "first",
    )
    assert asked(repo, workspace, version(1, "mine", "2026-11-02")) == ("none", "first")


def test_an_unsigned_champion_which_no_rollout_takes_keeps_no_signed_one_out(repo, workspace):
    unsigned = version(2, "other", "2026-11-02", "1")
    del unsigned["tags"]["signed"]
    assert asked(repo, workspace, unsigned, version(1, "older", "2026-11-01")) == ("1", "first")


def test_a_recipe_whose_model_is_not_the_champion_any_more_is_decided_anew(repo, workspace):
    moved_back = version(2, "mine", None, "1"), version(1, "other", "2026-11-01")
    assert asked(repo, workspace, *moved_back) == ("1", "train-1")


USED = [
    *("ml/pipelines/train.yml", "ml/components/train.yml", "ml/data/monthly_sales.sql"),
    "ml/gate.yml",
    *("ml/environments/demand/Dockerfile", "src/forecasting/train.py", "src/demand/model.py"),
]
UNUSED = [
    *("ml/components/publish.yml", "ml/environments/score/Dockerfile", "src/sales/publish.py", "src/demand/score.py"),
]


@pytest.mark.parametrize("path", USED)
def test_the_recipe_changes_with_what_training_uses(repo, path):
    before = lineage.recipe_hash(repo, ["7"])
    (repo / path).write_text(f"{FILES[path]}\n# other\n")
    assert lineage.recipe_hash(repo, ["7"]) != before


@pytest.mark.parametrize("path", UNUSED)
def test_the_recipe_stays_where_something_else_changes(repo, path):
    before = lineage.recipe_hash(repo, ["7"])
    (repo / path).write_text(f"{FILES[path]}\n# other\n")
    assert lineage.recipe_hash(repo, ["7"]) == before


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
    given = lineage.settings(repo, "m", ["inputs.holdout_months=3"], "train-1")
    settings = dict(setting.split("=", 1) for setting in given)
    assert settings["inputs.sales.path"] == "azureml:sales:7"
    assert settings["inputs.data_version"] == "7"
    assert settings["inputs.champion"] == "4"
    assert settings["inputs.git_commit"] == "unknown"
    assert settings["inputs.as_of"] == "2026-11-20Z"
    assert settings["inputs.holdout_months"] == "3"
    assert len(settings["inputs.recipe"]) == 16


def test_without_sales_the_way_to_get_them_is_said(repo, workspace, monkeypatch):
    workspace["data", "show"] = None
    monkeypatch.setenv("AZ_ML", "python -m localml")
    with pytest.raises(UserError, match="run `make import-data` first"):
        lineage.settings(repo, "m", [], "train-1")


def test_a_changed_tree_is_marked_dirty_behind_its_commit(repo):
    git = ["git", "-C", str(repo), "-c", "user.name=n", "-c", "user.email=e@example.com"]
    for call in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *call], check=True)
    commit = lineage.git_commit(repo)
    assert len(commit) == 40
    (repo / "src/forecasting/train.py").write_text("other")
    assert lineage.git_commit(repo) == f"{commit}-dirty"

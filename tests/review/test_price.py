"""What a change costs, in one line, reckoned by ml/estimate.yml alone."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from fixture_repo import Repo

from review import price
from review.change import open_change

ROOT = Path(__file__).parents[2]


@pytest.fixture
def ours(tmp_path: Path) -> Repo:
    """This repo's specs and Terraform values, on a branch."""
    repo = Repo(tmp_path)
    shutil.copytree(ROOT / "ml", tmp_path / "ml", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("environments/prod.tfvars", "variables.tf"):
        target = tmp_path / "infra" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "infra" / name, target)
    (tmp_path / "src").mkdir()
    repo.git("init", "--quiet", "--initial-branch", "main")
    repo.commit("base")
    repo.git("checkout", "--quiet", "-b", "work")
    return repo


def lines(repo: Repo) -> list[str]:
    repo.commit("work")
    with open_change(repo.root, "main", None) as change:
        return price.lines(change)


def more_trees(repo: Repo) -> None:
    repo.edit(
        "ml/pipelines/train.yml",
        "      features: contextual\n",
        "      features: contextual\n      n_estimators: 1000\n",
    )


def daily(repo: Repo) -> None:
    repo.edit("ml/schedules/train.yml", "frequency: month", "frequency: day")
    repo.edit("ml/schedules/train.yml", "    month_days: 2\n", "")


def larger(repo: Repo) -> None:
    path = repo.root / "infra/environments/prod.tfvars"
    path.write_text(path.read_text() + '\ntraining_vm_size = "Standard_D16s_v3"\n')


def unknown_machine(repo: Repo) -> None:
    path = repo.root / "infra/environments/prod.tfvars"
    path.write_text(path.read_text() + '\ntraining_vm_size = "Standard_Z9"\n')


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (more_trees, "s longer a training run"),
        (daily, "USD a month"),
        (larger, "USD a month"),
        (unknown_machine, "not reckoned: ml/estimate.yml: no price of Standard_Z9"),
    ],
)
def test_a_change_that_costs_says_what(ours: Repo, change: Callable[[Repo], None], said: str) -> None:
    change(ours)
    (line,) = lines(ours)
    assert said in line


def test_daily_training_costs_some_thirty_times_the_monthly_one(ours: Repo) -> None:
    daily(ours)
    (line,) = lines(ours)
    dollars = float(line.split("+")[1].split(" ")[0])
    assert 5 < dollars < 50 and "training run" not in line


def test_a_change_of_words_costs_nothing(ours: Repo) -> None:
    ours.edit("ml/pipelines/train.yml", "display_name: Train demand forecast", "display_name: Train the forecast")
    assert lines(ours) == []


def test_a_repo_without_prices_says_nothing(ours: Repo) -> None:
    (ours.root / "ml/estimate.yml").unlink()
    more_trees(ours)
    assert lines(ours) == []

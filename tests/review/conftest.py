"""A git repository with the good specs on its branch main."""

import shutil
from pathlib import Path

import pytest
from fixture_repo import Repo

GOOD = Path(__file__).parents[1] / "specs" / "good"
TERRAFORM = 'resource "azurerm_storage_account" "this" {\n  name = "st"\n}\n'


@pytest.fixture(scope="session")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository as main has it; tests clone it by copying."""
    repo = Repo(tmp_path_factory.mktemp("origin") / "repo")
    shutil.copytree(GOOD, repo.root, ignore=shutil.ignore_patterns("__pycache__"))
    repo.write("infra/main.storage.tf", TERRAFORM)
    repo.write("ml/gate.yml", "# Odds.\nalpha: 0.1\nmin_months: 6\n")
    repo.write("ml/monitor.yml", "max_bias: 0.2\n")
    repo.write("ml/deploy/rollout.yml", "steps: [0, 50, 100]\nlimits:\n  error_rate: 0.01\n")
    repo.git("init", "--quiet", "--initial-branch", "main")
    repo.commit("Start")
    return repo.root


@pytest.fixture
def repo(origin: Path, tmp_path: Path) -> Repo:
    """A clone on a branch of its own."""
    shutil.copytree(origin, tmp_path / "clone")
    clone = Repo(tmp_path / "clone")
    clone.git("checkout", "--quiet", "-b", "work")
    return clone

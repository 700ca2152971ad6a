"""What ten commits do to the forecast, trained for real on small sales, held to golden files.

`UPDATE_GOLDEN=1 make test TESTS=tests/forecastdiff` writes them anew; a diff of them is to be read.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import forecast_commits
import pandas as pd
import pytest
import yaml

from forecastdiff import report, sides
from helpers_sales import daily_sales
from localml.commands import run as engine

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
pytestmark = pytest.mark.slow


def git(repo: Path, *words: str) -> None:
    command = ["git", "-C", str(repo), "-c", "user.name=t", "-c", "user.email=t@t", *words]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repo with its quickest candidate alone, as main of a repo of its own."""
    root = tmp_path_factory.mktemp("base") / "repo"
    for name in ("ml", "src"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    path = root / sides.TRAIN
    text = path.read_text(encoding="utf-8").replace("  holdout_months: 12\n", "  holdout_months: 4\n")
    for job in ("train_booster", "train_history", "train_contextual", "train_blend"):
        text = re.sub(rf"(?m)^  {job}:\n(?:    .*\n)+", "", text)
    used = re.findall(r"candidate_(\d): \S*train_profile\S*", text)
    text = re.sub(r"(?m)^      candidate_\d: \S*train_(?!profile)\S*\n", "", text)
    text = text.replace(f"candidate_{used[0]}: ", "candidate_1: ")
    path.write_text(text, encoding="utf-8")
    assert set(yaml.safe_load(text)["jobs"]) == {"aggregate", "prepare", "train_profile", "evaluate", "register"}
    (root / ".gitignore").write_text("__pycache__/\n")
    git(root, "init", "--quiet", "--initial-branch", "main")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", "main")
    return root


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with small sales: six stores, three years."""
    home, table = tmp_path_factory.mktemp("state"), tmp_path_factory.mktemp("sales") / "sales"
    table.mkdir()
    rows = daily_sales(stores=6, first="2022-01-01", last="2024-12-31", seed=3)
    rows["Country"] = pd.Series(rows["StoreID"]).map(lambda name: "Mexico" if name == "S005" else "Canada")
    rows.to_parquet(table / "part-0.parquet")
    (table / "MLTable").write_text("paths:\n  - pattern: ./*.parquet\ntransformations:\n  - read_parquet\n")
    spec = table.parent / "sales.yml"
    spec.write_text(yaml.safe_dump({"name": "sales", "version": "1", "type": "mltable", "path": "sales"}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCALML_HOME", str(home))
        patch.setenv("AZ_ML", "localml")
        engine("data", "create", spec=spec)
    return home


@pytest.fixture
def changed(base: Path, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone to change; the workspace and what it has reused so far is shared by all."""
    monkeypatch.setenv("LOCALML_HOME", str(state))
    monkeypatch.setenv("AZ_ML", "localml")
    monkeypatch.setattr(report.sides.imported, "day", lambda _sales: "2025-01-02Z")
    clone = tmp_path / "repo"
    subprocess.run(["git", "clone", "--quiet", str(base), str(clone)], check=True)
    monkeypatch.chdir(clone)
    return clone


@pytest.mark.parametrize("commit", forecast_commits.COMMITS, ids=lambda each: each.__name__)
def test_the_report_says_what_the_commit_does(commit: Callable[[Path], None], changed: Path) -> None:
    commit(changed)
    git(changed, "add", "--all")
    git(changed, "commit", "--quiet", "-m", commit.__name__)
    text = report.of(changed, "origin/main")
    text = re.sub(r"recipe `[0-9a-f]{16}`", "recipe `...`", text)
    golden = GOLDEN / f"{commit.__name__}.md"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_an_identical_commit_trains_nothing(changed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sides, "trained", lambda *_: pytest.fail("nothing is to be trained"))
    assert "no forecast changes" in report.of(changed, "origin/main")

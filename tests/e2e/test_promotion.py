"""Two workspaces: train in one, review, promote, deploy in the other, break it, see it return; rebuild the model."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from e2e.checkout import ROOT, Checkout
from helpers_sales import promoted_sales
from localml.commands import run as engine
from provenance import rehearsal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
NAME = "demand-forecast"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A clone of what stands in this checkout, committed, whose dev and prod are workspaces of this machine."""
    if not (ROOT / ".git").exists():
        pytest.skip("NOT RUN: promotion between two workspaces, this is not a git checkout")
    folder = tmp_path_factory.mktemp("two")
    root = folder / "repo"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(root)], check=True)
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True,
        check=True,
    ).stdout.splitlines()  # fmt: skip
    for name in listed:
        if (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
        else:
            (root / name).unlink(missing_ok=True)
    committing = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "--allow-empty", "-am", "x"]
    subprocess.run(["git", "add", "--all"], cwd=root, check=True)
    subprocess.run(committing, cwd=root, check=True)
    made = Checkout(folder / "home", root)
    made.variables |= {
        "DEMAND_ENVIRONMENTS": str(folder / "environments"),
        "LOCALML_STRICT": "0",
        "VENV": str(ROOT / ".venv"),
        # The clone's own programs, before those that the environment names.
        "PYTHONPATH": f"{root / 'scripts'}{os.pathsep}{root / 'src'}",
    }
    if (ROOT / ".venv-score").is_dir():
        (root / ".venv-score").symlink_to(ROOT / ".venv-score")
    yield made
    for env in ("dev", "prod"):
        made.demand("stop", "--env", env)


@pytest.fixture(scope="module")
def trained(place: Checkout) -> Checkout:
    """A model that the gate of dev lets in."""
    sales = place.home.parent / "sales.parquet"
    promoted_sales().to_parquet(sales)
    said = place.demand("run-pipeline", "--env", "dev", "--sales", str(sales), "--holdout-months", "10")
    assert f"is {NAME} version 1" in said
    return place


def test_a_model_of_dev_comes_to_prod_and_a_broken_one_is_taken_back(
    trained: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = trained
    assert "is signed, and as it was signed" in place.demand("verify-model", "--env", "dev")
    assert "Assets: none changes" in place.make("review", "BASE=HEAD")
    said = place.make("promote", "FROM=dev", "TO=prod")
    assert f"champion of {NAME}: none -> version 1 of dev" in said
    assert "version 1 is live on blue" in place.demand("deploy", "--env", "prod")
    place.demand("predict", "--env", "prod")

    # A version that cannot be loaded, signed as if a run had made it.
    prod = Path(place.variables["DEMAND_ENVIRONMENTS"]) / "prod"
    monkeypatch.setenv("LOCALML_HOME", str(prod))
    monkeypatch.setenv("LOCALML_STRICT", "0")
    monkeypatch.setenv("MODEL_SIGNING_KEYS", str(prod.parent / "keys"))
    good = Path(engine("model", "show", name=NAME, version="1")["path"])
    broken = shutil.copytree(good, place.home.parent / "broken")
    for path in broken.rglob("*.onnx"):
        os.truncate(path, 100)
    register(broken, rehearsal.prepare(broken, NAME), place.home.parent)
    said = place.demand("deploy", "--env", "prod", "--model-version", "2", code=1)
    assert "blue has all traffic" in said
    assert live(place) == "1"
    place.demand("predict", "--env", "prod")

    # One whose bytes are not those that were signed never gets that far.
    altered = shutil.copytree(good, place.home.parent / "altered")
    (altered / "MLmodel").write_text((altered / "MLmodel").read_text() + "# a line more\n")
    tags = engine("model", "show", name=NAME, version="1")["tags"]
    register(altered, tags, place.home.parent)
    said = place.demand("deploy", "--env", "prod", "--model-version", "3", code=1)
    assert f"model {NAME} is not taken: it is not as it was signed" in said
    assert live(place) == "1"


def register(model: Path, tags: dict[str, str], folder: Path) -> None:
    spec = folder / "model.yml"
    given = {key: value for key, value in tags.items() if key != "champion"}
    spec.write_text(yaml.safe_dump({"name": NAME, "path": str(model), "type": "mlflow_model", "tags": given}))
    engine("model", "create", spec=spec)


def live(place: Checkout) -> str:
    shown = json.loads(place.demand("status", "--env", "prod", "--output", "json"))
    return next(
        str(each["model"]).rsplit(":", 1)[-1] for each in shown["endpoint"]["deployments"] if each["traffic"] == 100
    )


def test_training_again_from_the_statement_gives_the_same_model(trained: Checkout) -> None:
    said = trained.demand("verify-model", "--env", "dev", "--rebuild")
    assert ": the same" in said


def test_a_change_that_cannot_reach_a_forecast_says_so_without_training(trained: Checkout) -> None:
    said = trained.make("review", "BASE=HEAD", "FORECASTS=1", "ENV=dev")
    assert "no forecast changes: specs, code, packages and settings that decide it are the same" in said

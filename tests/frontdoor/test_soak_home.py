"""`make soak` works in a state of its own: the newest model three times, the third one broken."""

import os
import sys
from pathlib import Path

import pytest

from amlspec.errors import UserError
from frontdoor import soak_home
from helpers_models import forest_model
from pipeline import azml

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(ROOT)
    values = {"LOCALML_HOME": str(tmp_path / "home"), "ENV": "local", "AZ_ML": f"{sys.executable} -m localml"}
    for name, value in {**values, "LOCALML_STRICT": "0"}.items():
        monkeypatch.setenv(name, value)
    return tmp_path / "home"


@pytest.mark.slow
def test_the_registry_in_use_stays_and_the_third_version_does_not_load(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forest_model(tmp_path / "model")
    azml.run("model", "create", name="demand-forecast", path=str(tmp_path / "model"), type="mlflow_model")
    folder = soak_home.make()
    assert os.environ["LOCALML_HOME"] == str(home)
    assert len(azml.listed("model", "list", name="demand-forecast")) == 1
    monkeypatch.setenv("LOCALML_HOME", str(folder))
    known = {
        str(each["version"]): Path(str(each["path"])) for each in azml.listed("model", "list", name="demand-forecast")
    }
    assert set(known) == {"1", "2", "3"}
    cut = [path for path in known["3"].rglob("*") if path.suffix in soak_home.BROKEN]
    assert cut and all(path.stat().st_size == soak_home.CUT_AT for path in cut)
    assert all(path.stat().st_size > soak_home.CUT_AT for path in known["1"].rglob("*.onnx"))


def test_without_a_model_the_verb_that_makes_one_is_named(home: Path) -> None:
    with pytest.raises(UserError, match="`make run-pipeline` makes one"):
        soak_home.make()

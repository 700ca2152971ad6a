"""A saved model loads by itself: in this package, and in a process that knows nothing of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from demand.errors import StepError
from forecasting import direct
from forecasting.features import model_frame
from forecasting.forests import Settings, fit
from forecasting.packing import fingerprint, load, read_metadata, save
from forecasting.prepare import add_features
from helpers_models import direct_models
from helpers_sales import monthly_sales

ELSEWHERE = """
import json, sys
from pathlib import Path
import pandas as pd
assert not any((Path(place) / "demand").is_dir() for place in sys.path if place), "demand must come with the model"
from mlflow.pyfunc import load_model
rows = pd.read_parquet(sys.argv[2])
print(json.dumps(load_model(sys.argv[1]).predict(rows).tolist()))
"""


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return add_features(monthly_sales(stores=5, months=20))


@pytest.fixture(scope="module")
def folder(rows: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    model, metadata = fit(Settings("history", n_estimators=10), rows)
    target = tmp_path_factory.mktemp("packed") / "model"
    save(model, model_frame(rows.tail(3), metadata["features"]), metadata, target)
    return target


@pytest.mark.slow
@pytest.mark.parametrize("name", ["forest", "profile", "booster", "blend"])
def test_a_process_without_this_package_gets_the_same_forecasts(
    folder: Path, rows: pd.DataFrame, tmp_path: Path, name: str
) -> None:
    if name == "forest":
        frame = model_frame(rows.tail(6), load(folder).features)
    else:
        frame = direct.example(direct_models(tmp_path), 6)
        folder = tmp_path / name
    packed = load(folder)
    frame.to_parquet(tmp_path / "rows.parquet")
    command = [sys.executable, "-I", "-c", ELSEWHERE, str(folder), str(tmp_path / "rows.parquet")]
    # As in a step: the environment's own path file then leaves this repo off the path.
    env = {**os.environ, "LOCALML_STEP": "elsewhere"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr[-2000:]
    np.testing.assert_array_equal(json.loads(done.stdout.splitlines()[-1]), packed.model.predict(frame))


def test_signature_asks_for_the_store_only(folder: Path) -> None:
    signature = yaml.safe_load((folder / "MLmodel").read_text())["signature"]
    required = [column["name"] for column in json.loads(signature["inputs"]) if column["required"]]
    assert required == ["StoreID"]


def test_metadata_come_back_as_they_were_saved(folder: Path) -> None:
    metadata = read_metadata(folder)
    assert metadata == load(folder).metadata
    assert metadata["candidate"] == "history" and metadata["trained_until"] == "2023-08"


def test_fingerprint_changes_with_the_estimator_metadata_and_serving_files(folder: Path, tmp_path: Path) -> None:
    for name in ("MLmodel", "model.pkl"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    first = fingerprint(tmp_path)
    assert first == fingerprint(folder)
    (tmp_path / "model.pkl").write_bytes(b"another")
    second = fingerprint(tmp_path)
    described = yaml.safe_load((tmp_path / "MLmodel").read_text())
    described["metadata"]["trained_until"] = "2030-01"
    (tmp_path / "MLmodel").write_text(yaml.safe_dump(described))
    third = fingerprint(tmp_path)
    (tmp_path / "endpoint").mkdir()
    (tmp_path / "endpoint/history.npz").write_bytes(b"other sales")
    assert len({first, second, third, fingerprint(tmp_path)}) == 4


def test_a_folder_that_is_not_a_model_is_a_user_error(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(StepError, match="not a model that can be loaded"):
        load(tmp_path)
    with pytest.raises(StepError, match="holds no model"):
        read_metadata(tmp_path)
    (tmp_path / "MLmodel").write_bytes((folder / "MLmodel").read_bytes())
    (tmp_path / "model.pkl").write_bytes(b"no pickle")
    with pytest.raises(StepError, match="not a model that can be loaded"):
        load(tmp_path)

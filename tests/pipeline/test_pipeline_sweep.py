"""What `make sweep` says of the best trial: only what would change in the training pipeline."""

import json
from pathlib import Path

import pytest
import yaml

from amlspec.errors import UserError
from pipeline import azml, imported, outputs, sweep

ROOT = Path(__file__).parents[2]
TRAIN = ROOT / "ml/pipelines/train.yml"
DEFAULTS = {"base": "level", "max_iter": 100, "learning_rate": 0.1, "max_leaf_nodes": 15, "min_samples_leaf": 20}


@pytest.fixture
def said(tmp_path, monkeypatch):
    """Lines that are said of a best trial with these settings."""

    def lines(**changed):
        best = {"settings": {**DEFAULTS, **changed}, "wape": 0.1234, "origins": 8}
        (tmp_path / "settings.json").write_text(json.dumps(best))
        record = {
            "outputs": {"settings": {"path": str(tmp_path)}},
            "jobs": {"tune": {"log": str(tmp_path / "log.txt")}},
        }
        monkeypatch.setattr(azml, "call", lambda *_, **__: record)
        return sweep.lines("sweep-1", TRAIN)

    return lines


def test_settings_that_differ_are_the_lines_to_put_into_the_training_pipeline(said) -> None:
    lines = said(learning_rate=0.15500000000000003, max_leaf_nodes=7)
    assert "Best of the trials: WAPE 12.3% one month ahead, over the last 8 training months" in lines
    assert [line for line in lines if line.startswith("      ")] == [
        "      learning_rate: 0.155",
        "      max_leaf_nodes: 7",
    ]


def test_the_settings_that_are_there_already_are_named_as_such(said) -> None:
    assert any("nothing to change" in line for line in said())


@pytest.mark.parametrize("trials", ["0", "-1", "many", "1001"])
def test_a_count_that_cannot_be_is_refused(trials, monkeypatch) -> None:
    monkeypatch.setattr(imported, "newest", lambda: None)
    with pytest.raises(UserError, match="give 1 to 1000"):
        sweep.settings("store", trials, [])


@pytest.mark.parametrize(("spec", "output", "node"), [("sweep", *sweep.BEST), ("forecast", *outputs.FORECASTS)])
def test_an_output_that_is_downloaded_has_its_name_in_the_step_too(spec, output, node):
    """azure-ai-ml 1.35 finds it nowhere else (`outputs.fetched`)."""
    job = yaml.safe_load((ROOT / f"ml/pipelines/{spec}.yml").read_text())
    assert output in job["outputs"]
    assert job["jobs"][node]["outputs"][output] == f"${{{{parent.outputs.{output}}}}}"

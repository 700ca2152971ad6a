"""A model's grain shows in its features and its name."""

from pathlib import Path

import pytest
import yaml

from demand.grain import GRAINS, MODEL_NAME, grain_of, key_columns, name_of
from forecasting.features import CONTEXTUAL, HISTORY

ML = Path(__file__).parents[2] / "ml"
SPECS = ("pipelines/train", "pipelines/forecast", "deploy/deployment", "deploy/endpoint")


@pytest.mark.parametrize("grain", GRAINS)
def test_the_grain_of_a_model_is_seen_in_its_features(grain):
    assert grain_of([*CONTEXTUAL, *key_columns(grain)[1:], *HISTORY]) == grain
    assert grain_of(key_columns(grain)) == grain


def test_the_names_of_all_grains_differ():
    assert [name_of("demand-forecast", grain) for grain in GRAINS] == [
        "demand-forecast",
        "demand-forecast-category",
        "demand-forecast-product",
    ]


def test_pipelines_endpoint_and_deployment_say_the_same_model_name():
    """YAML cannot read the constant, and a spec with another name would serve and retrain another model."""
    spec = {name: yaml.safe_load((ML / f"{name}.yml").read_text(encoding="utf-8")) for name in SPECS}
    assert {spec[f"pipelines/{name}"]["inputs"]["model_name"] for name in ("train", "forecast")} == {MODEL_NAME}
    assert spec["pipelines/forecast"]["inputs"]["model"]["path"] == f"azureml:{MODEL_NAME}@latest"
    assert spec["deploy/deployment"]["model"] == f"azureml:{MODEL_NAME}@latest"
    assert spec["deploy/deployment"]["endpoint_name"] == spec["deploy/endpoint"]["name"] == MODEL_NAME

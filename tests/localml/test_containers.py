"""The endpoint's container as on Azure ML: its own CMD starts the server, which sees Azure's variables."""

import json
from pathlib import Path

import pytest
import yaml

from amlspec.errors import UserError
from localml.serving import container
from serving_kit import REPO, Shop

DOCKERFILE = REPO / "ml" / "environments" / "score" / "Dockerfile"
ENVIRONMENT = REPO / "ml" / "environments" / "score.yml"
TELLS = """
import json, os, sys

def init():
    pass

def run(raw_data):
    names = ("AML_APP_ROOT", "AZUREML_APP_ROOT", "AZUREML_ENTRY_SCRIPT", "AZUREML_MODEL_DIR", "PYTHONPATH")
    return {**{name: os.environ.get(name) for name in names}, "cwd": os.getcwd()}
"""


def test_the_cmd_of_the_image_starts_the_server_on_the_port_of_its_routes() -> None:
    command = container.command_of(DOCKERFILE)
    assert command[:2] == ("bash", "-c") and "exec azmlinfsrv" in command[2]
    routes = yaml.safe_load(ENVIRONMENT.read_text(encoding="utf-8"))["inference_config"]
    ports = {route["port"] for route in routes.values()}
    assert ports == {container.DEFAULT_PORT}
    assert container.on_port(command, 5001, 40123)[2].endswith("--port 40123")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('CMD ["a"]\nCMD ["bash", "-c", \\\n  "b"]\n', ("bash", "-c", "b")),
        ("cmd serve --port 1\n", ("/bin/sh", "-c", "serve --port 1")),
    ],
)
def test_the_last_cmd_counts_in_either_form(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM x\n{text}")
    assert container.command_of(tmp_path / "Dockerfile") == words


def test_an_image_without_a_cmd_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM x\n")
    with pytest.raises(UserError, match="no CMD starts the server"):
        container.command_of(tmp_path / "Dockerfile")


def _image(shop: Shop, dockerfile: str) -> None:
    """Register version 2 of the environment, built from this Dockerfile."""
    (shop.root / "image").mkdir()
    (shop.root / "image" / "Dockerfile").write_text(dockerfile)
    (shop.root / "env2.yml").write_text(yaml.safe_dump({"name": "score", "version": "2", "build": {"path": "image"}}))
    shop.run("environment", "create", "--file", "env2.yml", "--output", "none")


@pytest.mark.slow
def test_the_server_sees_the_variables_that_azure_ml_sets(shop: Shop) -> None:
    _image(shop, DOCKERFILE.read_text(encoding="utf-8"))
    (shop.root / "src" / "inner").mkdir()
    (shop.root / "src" / "inner" / "tells.py").write_text(TELLS)
    code = {"code": "src", "scoring_script": "inner/tells.py"}
    shop.deploy(version="3", environment="azureml:score:2", code_configuration=code)
    shop.traffic("blue=100")
    seen = shop.ask().json
    assert (seen["AZUREML_APP_ROOT"], seen["PYTHONPATH"]) == (None, None)
    assert seen["AZUREML_ENTRY_SCRIPT"].endswith("/src/inner/tells.py")  # the server itself makes it absolute
    assert seen["AML_APP_ROOT"].endswith("/src/inner") and seen["cwd"] == seen["AML_APP_ROOT"]
    assert seen["AZUREML_MODEL_DIR"].endswith("/azureml-models/shop-model/3")


@pytest.mark.slow
def test_a_script_in_a_folder_of_its_own_does_not_see_its_neighbours(shop: Shop) -> None:
    (shop.root / "src" / "inner").mkdir()
    (shop.root / "src" / "score.py").rename(shop.root / "src" / "inner" / "score.py")
    code = {"code": "src", "scoring_script": "inner/score.py"}
    assert "No module named 'helper'" in shop.deploy(code=1, code_configuration=code)


@pytest.mark.slow
def test_a_cmd_that_names_a_variable_which_azure_ml_does_not_set_fails(shop: Shop) -> None:
    script = 'exec azmlinfsrv --entry_script "$AZUREML_APP_ROOT/$AZUREML_ENTRY_SCRIPT" --port 5001'
    _image(shop, f"FROM x\nCMD {json.dumps(['bash', '-c', script])}\n")
    assert "/score.py" in shop.deploy(code=1, environment="azureml:score:2")

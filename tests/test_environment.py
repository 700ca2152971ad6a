"""The image and the laptop run the same pins, and nothing secret lies in the repo."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
# Distribution -> its module, where they differ otherwise than by a dash.
MODULES = {
    "scikit-learn": "sklearn",
    "pyyaml": "yaml",
    "mlflow-skinny": "mlflow",
    "azure-identity": "azure",
    "snowflake-connector-python": "snowflake",
    "azureml-ai-monitoring": "azureml",
}
# Part of a declared package's own interface: the inference server takes a response of Flask's, Snowflake's connector a
# key in the form that cryptography gives it.
OF_AN_INTERFACE = {"flask", "cryptography"}
PIN = re.compile(r"^([a-z0-9_.-]+)(?:\[[^\]]*\])?==(\S+)", re.MULTILINE)


def pins(path):
    return dict(PIN.findall((ROOT / path).read_text()))


def test_the_image_of_the_steps_has_the_laptops_pins():
    image, laptop = pins("ml/environments/demand/requirements.txt"), pins("requirements.lock")
    assert len(image) > 30
    assert {name: version for name, version in image.items() if laptop.get(name) != version} == {}


@pytest.mark.parametrize(
    "path", ["requirements.lock", "requirements-uv.txt", "ml/environments/demand/requirements.txt"]
)
def test_every_pin_has_a_hash(path):
    blocks = re.split(r"\n(?=[a-z0-9])", (ROOT / path).read_text())
    assert [block.split()[0] for block in blocks if PIN.match(block) and "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("spec", sorted((ROOT / "ml/environments").glob("*.yml")), ids=lambda path: path.stem)
def test_the_base_image_is_dated(spec):
    data = yaml.safe_load(spec.read_text())
    dockerfile = (spec.parent / data["build"]["path"] / data["build"]["dockerfile_path"]).read_text()
    (image,) = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert re.fullmatch(r"mcr\.microsoft\.com/azureml/[a-z0-9.-]+:20\d{6}\.v\d+", image)
    assert data["tags"]["base_image"] == image


def test_no_secret_is_committed():
    pattern = r"-----BEGIN [A-Z ]*PRIVATE KEY|AccountKey=[A-Za-z0-9+/]{20}|AKIA[0-9A-Z]{16}"
    done = subprocess.run(
        ["git", "-C", str(ROOT), "grep", "-nIE", pattern], capture_output=True, text=True, check=False
    )
    lines = [line for line in done.stdout.splitlines() if not line.startswith("tests/")]
    assert lines == []


def imported(folder):
    """Top-level modules that a package imports, anywhere in it."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "src" / folder).rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    whole = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    parts = [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level]
    return {name.split(".")[0] for name in whole + parts}


OURS = {"demand", "sales", "forecasting", "judging", "monitoring", "pages", "planning"}


@pytest.mark.parametrize("folder", sorted(OURS))
def test_what_a_step_imports_is_declared(folder):
    """Not brought along by something else: another release of that may leave it out."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    declared = project["project"]["dependencies"] + project["dependency-groups"]["score"]
    names = {re.split(r"[=<\[]", each)[0] for each in declared}
    modules = {MODULES.get(name, name.replace("-", "_")) for name in names}
    foreign = imported(folder) - set(sys.stdlib_module_names) - OURS - OF_AN_INTERFACE
    assert foreign - modules == set()

"""The image and the laptop run the same pins, and nothing secret lies in the repo."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
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

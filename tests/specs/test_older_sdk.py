"""Every spec loads with the SDK of extension 2.44 too; `make check` loads them with that of 2.45, which the lock pins.

That extension 2.44.1 carries azure-ai-ml 1.34.1 is inferred from the dates of both releases: no list of its packages
could be read.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import components

ROOT = Path(__file__).parents[2]
SDK = "azure-ai-ml==1.34.1"
# Each spec by its $schema, and each pipeline as it is submitted: {path: error} of what does not load.
LOAD = """
import contextlib, io, json, sys, azure.ai.ml as ml
from azure.ai.ml.entities._load_functions import load_schedule
loaders = {
    "pipelineJob": ml.load_job, "commandComponent": ml.load_component, "parallelComponent": ml.load_component,
    "environment": ml.load_environment,
    "kubernetesOnlineEndpoint": ml.load_online_endpoint, "kubernetesOnlineDeployment": ml.load_online_deployment,
    "kubernetesCompute": ml.load_compute, "workspaceConnection": ml.load_connection, "schedule": load_schedule,
    "monitorSchedule": load_schedule,
    "commandJob": ml.load_job, "dataImport": ml.load_data, "data": ml.load_data,
}
bad, loaded = {}, []
for path, kind, settings in json.load(sys.stdin):
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            found = loaders[kind](path, params_override=[dict([each.split("=", 1)]) for each in settings])
            if kind == "pipelineJob":
                found._to_rest_object()
        loaded.append(path)
    except Exception as error:
        bad[path] = repr(error)
print(json.dumps([bad, loaded]))
"""


def specs() -> list[tuple[str, str, list[str]]]:
    """Path, kind and settings of every spec that names its schema."""
    specs = []
    for path in sorted((ROOT / "ml").rglob("*.yml")):
        line = next((each for each in path.read_text().splitlines() if each.startswith("$schema:")), None)
        if line:
            kind = line.rsplit("/", 1)[1].split(".")[0]
            specs.append((str(path), kind, components.settings(path) if kind == "pipelineJob" else []))
    return specs


@pytest.fixture(scope="module")
def older_sdk(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter that has the older SDK; `six` is imported by it and missing in its metadata."""
    venv = tmp_path_factory.mktemp("sdk") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    uv = Path(sys.executable).with_name("uv")
    if not uv.exists():
        pytest.skip(f"NOT CHECKED with {SDK}: this virtual environment has no uv (UV=no)")
    install = [str(uv), "pip", "install", "-q", "--python", str(venv / "bin" / "python"), SDK, "six"]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"NOT CHECKED with {SDK}: no package index answers: {done.stderr.strip().splitlines()[-1]}")
    return str(venv / "bin" / "python")


@pytest.mark.slow
def test_every_spec_and_every_submitted_pipeline_loads_with_the_sdk_of_the_older_extension(older_sdk: str) -> None:
    asked = json.dumps(specs())
    done = subprocess.run([older_sdk, "-c", LOAD], input=asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    bad, loaded = json.loads(done.stdout.splitlines()[-1])
    assert bad == {}
    assert len(loaded) == len(specs()) >= 15

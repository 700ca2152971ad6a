"""What a step meets on Azure ML, it meets here: mounts, variables, packages, and what is never reused."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from mlflow import MlflowClient

from host import mounts
from localml import packages, tracking

FOLDER = {"out": {"type": "uri_folder"}}
DATA = {"source": {"type": "uri_folder"}}
OUT = "import sys, pathlib, shutil\nout = pathlib.Path(sys.argv[sys.argv.index('--out') + 1])\n"
SOURCE = "import sys, pathlib\nsource = pathlib.Path(sys.argv[sys.argv.index('--source') + 1])\n"
needs_mounts = pytest.mark.skipif(not mounts.supported(), reason="this machine lets a step have no mounts of its own")


def run_step(engine, script, inputs=None, outputs=None, given=None, code=0, **more):
    """Run one step; what it printed."""
    engine.component("only", script, inputs, outputs, **more)
    engine.pipeline({"only": {"component": "only.yml", "inputs": given or {}}})
    engine.run(
        "job",
        "create",
        "--file",
        "pipeline.yml",
        "--name",
        f"j{len(list(engine.home.glob('jobs/*')))}",
        "--stream",
        code=code,
    )
    return max(engine.home.glob("jobs/*/only/log.txt"), key=lambda path: path.stat().st_mtime).read_text()


@needs_mounts
@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("shutil.rmtree(out)", "Device or resource busy"),
        ("out.rename(out.with_name('other'))", "Device or resource busy"),
        ("(out.parent / 'new').mkdir(); (out.parent / 'new').rename(out)", "Device or resource busy"),
        ("shutil.rmtree(out, ignore_errors=True); shutil.copytree('.', out)", "File exists"),
    ],
)
def test_a_step_cannot_remove_or_replace_its_output_folder(engine, action, said):
    assert said in run_step(engine, OUT + action + "\n", outputs=FOLDER, code=1)


def test_an_output_folder_exists_before_the_step_and_what_is_written_there_is_kept(engine):
    run_step(
        engine, OUT + "assert out.is_dir()\n(out / 'a').mkdir()\n(out / 'a' / 'b').write_text('x')\n", outputs=FOLDER
    )
    assert [path.read_text() for path in engine.jobs_left("outputs/*/out/a/b")] == ["x"]


@pytest.mark.parametrize("mounted", [pytest.param(True, marks=needs_mounts), False])
@pytest.mark.parametrize("mode", ["ro_mount", "download"])
def test_a_step_never_changes_the_files_that_its_input_was_made_from(engine, monkeypatch, mode, mounted):
    monkeypatch.setattr(mounts, "supported", lambda: mounted)
    engine.write("data/a.txt", "mine")
    script = SOURCE + "(source / 'a.txt').write_text('changed')\n(source / 'b.txt').write_text('new')\n"
    given = {"source": {"type": "uri_folder", "path": "data", "mode": mode}}
    log = run_step(engine, script, DATA, given=given, code=1 if mounted and mode == "ro_mount" else 0)
    assert (engine.root / "data/a.txt").read_text() == "mine" and not (engine.root / "data/b.txt").exists()
    assert ("Read-only file system" in log) == (mounted and mode == "ro_mount")


@needs_mounts
def test_a_file_is_an_input_that_cannot_be_written_either(engine):
    engine.write("a.csv", "x")
    given = {"source": {"type": "uri_file", "path": "a.csv"}}
    log = run_step(engine, SOURCE + "source.write_text('')\n", {"source": {"type": "uri_file"}}, given=given, code=1)
    assert "Read-only file system" in log
    assert (engine.root / "a.csv").read_text() == "x"


@needs_mounts
def test_a_place_of_the_datastore_can_be_read_and_written_by_one_step(engine):
    place = engine.home / "datastores/workspaceblobstore/months"
    place.mkdir(parents=True)
    (place / "old").write_text("")
    path = "azureml://datastores/workspaceblobstore/paths/months"
    engine.component("only", SOURCE + "(source / 'new').write_text('')\n", DATA, FOLDER)
    node = {"component": "only.yml", "inputs": {"source": {"type": "uri_folder", "path": path}}}
    engine.pipeline({"only": {**node, "outputs": {"out": {"type": "uri_folder", "path": path}}}})
    engine.job()
    assert sorted(each.name for each in place.iterdir()) == ["new", "old"]


def test_what_a_step_installs_is_gone_with_it(engine, tmp_path):
    wheel = _wheel(tmp_path)
    pip = f"[sys.executable, '-m', 'pip', 'install', '-q', '--no-index', {str(wheel)!r}]"
    install = f"import subprocess, sys\nsubprocess.run({pip}, check=True)\n"
    ask = "[sys.executable, '-c', 'import tinything; print(tinything.HERE)']"
    try_it = f"print(subprocess.run({ask}, capture_output=True, text=True).stdout)\n"
    assert "it is here" in run_step(engine, install + try_it)
    done = subprocess.run([sys.executable, "-c", "import tinything"], capture_output=True, check=False)
    assert done.returncode == 1
    assert "it is here" not in run_step(engine, "import subprocess, sys\n" + try_it)


def _wheel(folder: Path) -> Path:
    """A wheel made by hand, so that nothing is asked of the network."""
    path = folder / "tinything-1.0-py3-none-any.whl"
    about = "Metadata-Version: 2.1\nName: tinything\nVersion: 1.0\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tinything.py", "HERE = 'it is here'\n")
        archive.writestr("tinything-1.0.dist-info/METADATA", about)
        archive.writestr(
            "tinything-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("tinything-1.0.dist-info/RECORD", "")
    return path


def test_a_step_has_the_packages_of_its_environment_and_no_others(engine, monkeypatch, tmp_path):
    monkeypatch.setenv("LOCALML_ENVIRONMENTS", str(tmp_path / "environments"))
    wheel = _wheel(tmp_path)
    engine.write(
        "image/Dockerfile",
        "FROM x\nCOPY requirements.txt /tmp/requirements.txt\nRUN pip install --requirement /tmp/requirements.txt\n",
    )
    engine.write("image/requirements.txt", f"tinything @ {wheel.as_uri()}\n")
    engine.write("own.yml", {"name": "own", "version": "1", "build": {"path": "image"}})
    engine.run("environment", "create", "--file", "own.yml")
    script = "import tinything\nprint(tinything.HERE)\nimport yaml\n"
    log = run_step(engine, script, code=1, environment="azureml:own:1")
    assert "it is here" in log and "No module named 'yaml'" in log


def test_packages_are_those_that_the_dockerfile_or_the_conda_file_installs(tmp_path):
    (tmp_path / "locked.txt").write_text("a==1\n")
    (tmp_path / "Dockerfile").write_text("RUN pip install -r /tmp/locked.txt\n")
    assert packages.of_context(tmp_path, "Dockerfile").requirements == "a==1\n"
    (tmp_path / "Dockerfile").write_text("RUN apt-get install r-base\n")
    assert packages.of_context(tmp_path, "Dockerfile").requirements is None
    conda = packages.of_conda({"dependencies": ["python=3.11", "pip", "numpy=2", {"pip": ["a==1", "b"]}]})
    assert conda.requirements == "a==1\nb" and conda.note.endswith("numpy=2")


VARIABLES = """
import json, os
names = ("AZUREML_RUN_ID", "AZUREML_ROOT_RUN_ID", "MLFLOW_RUN_ID", "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME")
seen = {name: os.environ[name] for name in names}
print(json.dumps(seen))
import mlflow
with mlflow.start_run() as run:
    assert run.info.run_id == seen["MLFLOW_RUN_ID"]
    mlflow.log_metric("x", 1.5)
"""


@pytest.mark.slow
def test_a_step_finds_its_run_started_below_that_of_its_job(tracked_engine, monkeypatch):
    log = run_step(tracked_engine, VARIABLES)
    seen = json.loads(next(line for line in log.splitlines() if line.startswith("{")))
    monkeypatch.setenv("LOCALML_HOME", str(tracked_engine.home))
    client = MlflowClient(tracking.uri(), tracking.uri())
    step, job = client.get_run(seen["MLFLOW_RUN_ID"]), client.get_run(seen["AZUREML_ROOT_RUN_ID"])
    assert seen["AZUREML_RUN_ID"] == step.info.run_id and step.data.metrics == {"x": 1.5}
    assert step.data.tags["mlflow.parentRunId"] == job.info.run_id
    assert (step.info.run_name, step.info.status, job.info.status) == ("only", "FINISHED", "FINISHED")
    place = client.get_experiment_by_name("tests").artifact_location
    assert step.info.artifact_uri == f"{place}/{step.info.run_id}/artifacts"
    assert step.info.start_time >= job.info.start_time and step.info.end_time <= job.info.end_time


@pytest.mark.parametrize("way", ["spec", "--set"])
def test_force_rerun_runs_every_step_again(engine, way):
    engine.component("only", "print('ran')\n", outputs=FOLDER)
    spec = {"settings": {"force_rerun": True}} if way == "spec" else {}
    engine.pipeline({"only": {"component": "only.yml"}}, **spec)
    more = [] if way == "spec" else ["--set", "settings.force_rerun=True"]
    assert [bool(engine.job(*more)["jobs"]["only"].get("reused_from")) for _ in range(2)] == [False, False]


def test_a_job_of_one_command_is_run_each_time(engine):
    engine.write("pipeline.yml", {"experiment_name": "tests", "command": "echo ran", "environment": "azureml:env:1"})
    assert [engine.job()["jobs"]["main"].get("reused_from") for _ in range(2)] == [None, None]

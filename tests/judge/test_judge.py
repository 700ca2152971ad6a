"""The judge: which jobs of a checkout it takes, what stands in for the cloud, how it classes what became of them."""

from __future__ import annotations

import json
import sqlite3
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

from judge import __main__ as judge
from judge import jobs, standins
from judge.calls import Done
from judge.outcome import Class, classify

SCHEMA = "https://azuremlschemas.azureedge.net/latest/{}.schema.json"
PIPELINE = {"$schema": SCHEMA.format("pipelineJob"), "type": "pipeline"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with an empty folder cli."""
    (tmp_path / "checkout" / "cli").mkdir(parents=True)
    return tmp_path / "checkout"


def write(checkout: Path, name: str, spec: Any) -> Path:
    path = checkout / "cli" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(spec if isinstance(spec, str) else yaml.safe_dump(spec, sort_keys=False))
    return path


@pytest.mark.parametrize(
    ("spec", "aside"),
    [
        ({**PIPELINE, "jobs": {"a": {"command": "x"}, "b": {"type": "parallel"}, "c": {"trial": "t.yml"}}}, ""),
        ({"$schema": SCHEMA.format("commandJob"), "command": "x"}, ""),
        ({"$schema": SCHEMA.format("autoMLJob"), "type": "automl"}, "a job of type automl"),
        ({**PIPELINE, "jobs": {"a": {"type": "spark"}}}, "a step of type spark"),
        ({**PIPELINE, "jobs": {"a": {"component": "inner.yml"}}}, "a step of type spark"),
        ({**PIPELINE, "component": "inner.yml"}, "a step of type spark"),
        (
            {**PIPELINE, "jobs": {"a": {"component": "azureml://registries/r/components/c"}}},
            "a component of a registry",
        ),
        ({**PIPELINE, "settings": {"default_compute": "gpu-1"}, "jobs": {}}, "a GPU or several machines"),
        ({"$schema": SCHEMA.format("commandJob"), "distribution": {"type": "mpi"}}, "a GPU or several machines"),
    ],
)
def test_what_the_engine_does_not_claim_to_run_is_left_aside(checkout: Path, spec: Any, aside: str) -> None:
    write(checkout, "job.yml", spec)
    write(checkout, "inner.yml", {"type": "pipeline", "version": "1", "jobs": {"deep": {"type": "spark"}}})
    assert [(str(job.path), job.aside) for job in jobs.of(checkout)] == [("cli/job.yml", aside)]


def test_components_assets_and_files_that_are_no_yaml_are_no_jobs(checkout: Path) -> None:
    write(checkout, "component.yml", {"$schema": SCHEMA.format("commandComponent"), "command": "x"})
    write(checkout, "bare.yml", {"name": "c", "version": 1, "type": "command", "command": "x"})
    write(checkout, "broken.yml", "a: [")
    write(checkout, "list.yml", "- a")
    assert jobs.of(checkout) == []


SPEC = """# kept
type: command
environment:   # a comment
  image: example.com/a:1
  conda_file: conda.yml
inputs:
  iris: {type: uri_file, path: https://example.com/datasets/iris.csv}
  other: {type: uri_file, path: https://example.com/datasets/other.csv}
command: >-
  python a.py
"""


@pytest.mark.parametrize(
    ("environment", "stays"),
    [
        ("azureml://registries/azureml/environments/sklearn-1.5/labels/latest", False),
        ("azureml:mine@latest", False),
        ("{image: python, conda_file: c.yml}", False),
        ("{build: {path: .}}", False),
        ("{image: python}", True),
        ("file:env.yml", True),
    ],
)
def test_an_environment_with_a_name_or_packages_becomes_the_stand_in(
    checkout: Path, environment: str, stays: bool
) -> None:
    write(checkout, "job.yml", f"jobs:\n  a:\n    environment: {environment}\n    command: x\n")
    target = checkout.parent / "copy"
    standins.copy(checkout, target, checkout.parent)
    job = yaml.safe_load((target / "cli" / "job.yml").read_text())["jobs"]["a"]
    assert job["command"] == "x"
    assert (job["environment"] == "azureml:stand-in@latest") is not stays


def test_all_else_of_a_spec_stays_as_it_was_written(checkout: Path) -> None:
    write(checkout, "job.yml", SPEC)
    data, target = checkout.parent / "data", checkout.parent / "copy"
    standins.tables(data)
    standins.copy(checkout, target, data)
    text = (target / "cli" / "job.yml").read_text()
    assert text.startswith("# kept\ntype: command\nenvironment:   # a comment\n")
    spec, before = yaml.safe_load(text), yaml.safe_load(SPEC)
    assert spec["environment"] == "azureml:stand-in@latest"
    assert spec["inputs"]["iris"]["path"] == str(data / "iris.csv")
    assert (spec["inputs"]["other"], spec["command"]) == (before["inputs"]["other"], before["command"])
    assert (data / "iris.csv").read_text().splitlines()[1] == "5.1,3.5,1.4,0.2,setosa"
    assert (checkout / "cli" / "job.yml").read_text() == SPEC


@pytest.fixture
def ran(tmp_path: Path) -> tuple[dict[str, Any], Path]:
    """The record of a job that ended well, and its store."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.txt").write_text("one\ntwo\n")
    (tmp_path / "log.txt").write_text("hello\n")
    with sqlite3.connect(tmp_path / "mlflow.db") as store:
        store.execute("create table metrics (key, run_uuid)")
        store.execute("create table tags (key, value, run_uuid)")
        store.execute("insert into tags values ('localml.job', 'j', 'r')")
        store.execute("insert into metrics values ('loss', 'r')")
    step = {"status": "Completed", "log": str(tmp_path / "log.txt"), "outputs": {"o": str(tmp_path / "out")}}
    return {"name": "j", "jobs": {"main": step}}, tmp_path / "mlflow.db"


@pytest.mark.parametrize(
    ("expected", "of"),
    [
        (None, Class.UNREAD),
        ({"log": {"main": ["^hello$"]}, "files": {"main/o/a.txt": ["^two$"], "main/o": ["^a.txt$"]}}, Class.RIGHT),
        ({"metrics": ["loss"]}, Class.RIGHT),
        ({"log": {"main": ["^hell$"]}}, Class.WRONG),
        ({"log": {"other": ["hello"]}}, Class.WRONG),
        ({"files": {"main/o/b.txt": ["."]}}, Class.WRONG),
        ({"metrics": ["gain"]}, Class.WRONG),
    ],
)
def test_a_job_that_ended_well_is_right_only_if_its_outputs_are(
    ran: tuple[dict[str, Any], Path], expected: Any, of: Class
) -> None:
    assert classify(Done(0, "", ""), ran[0], expected, ran[1]).of is of


@pytest.mark.parametrize(
    ("code", "said", "log", "of"),
    [
        (2, "error: a.yml:3: services: not imitated", "", Class.REFUSED),
        (2, "error: a.yml:3: data x is not registered here: list", "", Class.LACKS),
        (1, "error: job j failed in main", "ModuleNotFoundError: No module named 'torch'", Class.LACKS),
        (1, "error: job j failed in main", "urllib.error.URLError: <urlopen error>", Class.LACKS),
        (1, "error: job j failed in main", "/usr/venv/bin/activate: No such file or directory", Class.LACKS),
        (1, "error: job j failed in main", "OldError: use another", Class.LACKS),
        (1, "error: job j failed in main", "ValueError: wrong", Class.WRONG),
        (1, "error: the MLflow store does not answer", "", Class.WRONG),
        (124, "error: not done after 600 s", "", Class.WRONG),
    ],
)
def test_a_job_that_failed_lacks_something_or_is_wrong(
    ran: tuple[dict[str, Any], Path], code: int, said: str, log: str, of: Class
) -> None:
    record, store = ran
    Path(record["jobs"]["main"]["log"]).write_text(log)
    assert classify(Done(code, "", said), record, {"lacks": "OldError: .*"}, store).of is of


def test_the_stand_in_has_the_mlflow_of_the_store() -> None:
    locked = f"mlflow=={metadata.version('mlflow')} "
    assert any(line.startswith(locked) for line in standins.REQUIREMENTS.read_text().splitlines())


def test_a_folder_that_is_no_checkout_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(judge.UserError, match="not a checkout of Azure/azureml-examples: it has no folder cli"):
        judge.main([str(tmp_path)])


@pytest.mark.slow
def test_the_judge_runs_a_checkout_and_says_what_became_of_each_job(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    job = {"$schema": SCHEMA.format("commandJob"), "environment": "azureml:curated@latest"}
    write(checkout, "right.yml", {**job, "command": "echo fine"})
    write(checkout, "wrong.yml", {**job, "command": "echo other"})
    write(checkout, "refused.yml", {**job, "command": "true", "services": {"ssh": {"type": "ssh"}}})
    write(checkout, "aside.yml", {"$schema": SCHEMA.format("sparkJob"), "type": "spark"})
    data = {"$schema": SCHEMA.format("data"), "name": "d", "type": "uri_file", "path": "d.txt"}
    write(checkout, "assets/d.yml", data)
    write(checkout, "assets/d.txt", "of the asset")
    inputs = {"d": {"type": "uri_file", "path": "azureml:d@latest"}}
    write(checkout, "asset.yml", {**job, "command": "cat ${{inputs.d}}", "inputs": inputs})
    empty, expected = checkout / "requirements.txt", checkout / "expected.yml"
    empty.write_text("")
    wanted = {"right": "^fine$", "wrong": "^fine$", "asset": "of the asset"}
    expected.write_text(json.dumps({f"cli/{name}.yml": {"log": {"main": [each]}} for name, each in wanted.items()}))
    monkeypatch.setattr(standins, "REQUIREMENTS", empty)
    monkeypatch.setattr(judge, "EXPECTED", expected)
    monkeypatch.setenv("LOCALML_HOME", str(checkout.parent / "state of mine"))
    assert judge.main([str(checkout)]) == 1
    table = json.loads((checkout.parent / "state of mine" / "judge.json").read_text())
    assert {path: each["class"] for path, each in table.items()} == {
        "cli/asset.yml": Class.RIGHT,
        "cli/refused.yml": Class.REFUSED,
        "cli/right.yml": Class.RIGHT,
        "cli/wrong.yml": Class.WRONG,
    }
    assert table["cli/wrong.yml"]["line"] == "log of main: no '^fine$'"
    said = capsys.readouterr().out
    assert "5 job specs\n   1 left aside: a job of type spark\n   2 ran, outputs as expected\n" in said

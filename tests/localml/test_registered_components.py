"""A registered component of type command, pipeline or parallel is whole: it runs after its files are gone."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from localml import assets, verbs_assets

ENV = "azureml:env:1"
DATA = {"type": "uri_folder"}
ENTRY = "def init(): pass\ndef run(mini_batch): return [open(each).read() for each in mini_batch]\n"


def pipeline() -> dict[str, Any]:
    """A pipeline component of three steps: a component's file, a command with code, and another pipeline's step."""
    first = {"type": "command", "component": "./write.yml", "inputs": {"word": "${{parent.inputs.word}}"}}
    second = {
        "type": "command",
        "command": "cat ${{inputs.x}}/text suffix > ${{outputs.out}}/text",
        "code": "./code",
        "environment": ENV,
        "inputs": {"x": "${{parent.jobs.first.outputs.out}}"},
        "outputs": {"out": "${{parent.outputs.result}}"},
    }
    third = {"type": "pipeline", "component": "./deep.yml"}
    spec = {"name": "two", "version": "1", "type": "pipeline", "inputs": {"word": {"type": "string"}}}
    return {**spec, "outputs": {"result": DATA}, "jobs": {"first": first, "second": second, "third": third}}


@pytest.fixture
def project(engine: Any) -> Any:
    """A folder `parts` with a component of each type."""
    write = {"name": "write", "version": "1", "type": "command", "environment": ENV, "outputs": {"out": DATA}}
    write |= {"inputs": {"word": {"type": "string"}}, "code": "code"}
    engine.write(
        "parts/write.yml",
        {**write, "command": "cat prefix > ${{outputs.out}}/text; printf ${{inputs.word}} >> ${{outputs.out}}/text"},
    )
    engine.write("parts/code/prefix", "<")
    engine.write("parts/code/suffix", ">")
    engine.write("parts/two.yml", pipeline())
    deep = {"type": "command", "command": "cat ${{inputs.table}}", "environment": ENV}
    deep["inputs"] = {"table": {"type": "uri_file", "path": "table.csv"}}
    engine.write("parts/deep.yml", {"name": "deep", "version": "1", "type": "pipeline", "jobs": {"show": deep}})
    engine.write("parts/table.csv", "of the deep")
    task = {"type": "run_function", "code": "entry", "entry_script": "entry.py", "environment": ENV}
    task["append_row_to"] = "${{outputs.rows}}"
    rows = {"name": "rows", "version": "1", "type": "parallel", "task": task, "input_data": "${{inputs.files}}"}
    rows |= {"inputs": {"files": DATA}, "outputs": {"rows": {"type": "uri_file"}}, "mini_batch_size": "2"}
    engine.write("parts/rows.yml", rows)
    engine.write("parts/entry/entry.py", ENTRY)
    engine.write("data/a", "a")
    engine.write("data/b", "b")
    return engine


def register(project: Any, name: str, code: int = 0) -> str:
    said: str = project.run("component", "create", "--file", f"parts/{name}.yml", code=code).stderr
    return said


def test_a_registered_pipeline_runs_as_it_was_registered(project: Any) -> None:
    register(project, "two")
    assert project.json("component", "show", "--name", "two", "--version", "1")["type"] == "pipeline"
    shutil.rmtree(project.root / "parts")
    read = {
        "command": "cat ${{inputs.x}}/text",
        "environment": ENV,
        "inputs": {"x": "${{parent.jobs.a.outputs.result}}"},
    }
    node = {"type": "pipeline", "component": "azureml:two:1", "inputs": {"word": "hey"}}
    project.pipeline({"a": node, "b": read})
    job = project.job()
    assert list(job["jobs"]) == ["a__first", "a__second", "a__third__show", "b"]
    assert Path(job["jobs"]["b"]["log"]).read_text() == "<hey>"
    assert Path(job["jobs"]["a__third__show"]["log"]).read_text() == "of the deep"


def test_a_job_may_name_a_registered_pipeline_in_the_place_of_its_steps(project: Any) -> None:
    register(project, "two")
    spec = {
        "type": "pipeline",
        "experiment_name": "tests",
        "component": "azureml:two@latest",
        "inputs": {"word": "hey"},
    }
    project.write("pipeline.yml", spec)
    assert list(project.job()["jobs"]) == ["first", "second", "third__show"]


@pytest.mark.parametrize("reference", ["./parts/rows.yml", "azureml:rows:1"])
def test_a_parallel_component_runs_from_its_file_and_registered(project: Any, reference: str) -> None:
    register(project, "rows")
    if reference.startswith("azureml:"):
        shutil.rmtree(project.root / "parts")
    inputs = {"files": {"type": "uri_folder", "path": "data"}}
    project.pipeline({"a": {"type": "parallel", "component": reference, "inputs": inputs, "outputs": {"rows": None}}})
    assert Path(project.job()["jobs"]["a"]["outputs"]["rows"]).read_text().split() == ["a", "b"]


def test_a_node_has_the_last_word_over_its_parallel_component(project: Any) -> None:
    inputs = {"files": {"type": "uri_folder", "path": "data"}}
    node = {"type": "parallel", "component": "./parts/rows.yml", "inputs": inputs, "mini_batch_size": "1"}
    project.pipeline({"a": node})
    project.job()
    (log,) = project.jobs_left("jobs/*/a/log.txt")
    assert "2 mini-batches, 0 failed" in log.read_text()


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({"inputs": {"nope": 1}}, "the component has no input nope"),
        ({}, "step a needs the input files"),
        ({"component": "./parts/write.yml"}, "./parts/write.yml is of type command, the step is parallel"),
        ({"component": "azureml:other:1"}, "component other:1 is not registered here"),
    ],
)
def test_a_node_that_does_not_fit_its_parallel_component_is_named(project: Any, node: Any, message: str) -> None:
    project.pipeline({"a": {"type": "parallel", "component": "./parts/rows.yml", **node}})
    said = project.run("job", "create", "--file", "pipeline.yml", "--stream", code=2).stderr
    assert message in said
    assert "pipeline.yml:" in said


@pytest.mark.parametrize("part", ["code/suffix", "code/prefix", "table.csv", "deep.yml", "write.yml"])
def test_another_content_of_any_part_needs_another_version(project: Any, part: str) -> None:
    register(project, "two")
    register(project, "two")
    path = project.root / "parts" / part
    path.write_text(path.read_text().replace("1", "2") + " \n")
    if part.endswith(".yml"):
        path.write_text(path.read_text().replace("cat ", "cat -u "))
    assert "component two:1 is registered with other content" in register(project, "two", code=2)


def test_a_registered_component_keeps_its_conda_file_and_its_environments_file(project: Any) -> None:
    project.write("parts/conda.yml", {"dependencies": ["python=3.11"]})
    project.write("parts/env.yml", {"name": "own", "image": "example.com/a:1", "conda_file": "conda.yml"})
    for name, environment in {"inline": {"image": "x", "conda_file": "conda.yml"}, "file": "file:env.yml"}.items():
        spec = {"name": name, "version": "1", "type": "command", "command": "echo", "environment": environment}
        project.write(f"parts/{name}.yml", spec)
        register(project, name)
    (project.root / "parts" / "conda.yml").unlink()
    project.pipeline({name: {"component": f"azureml:{name}:1"} for name in ("inline", "file")})
    assert project.job()["status"] == "Completed"


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("two", {"jobs": {"a": {"type": "command", "component": "gone.yml"}}}, "gone.yml does not exist"),
        ("two", {"job": {}}, "job: not a field here"),
        ("rows", {"input_date": "x"}, "input_date: not a field here"),
        ("rows", {"task": {"type": "run_function", "entry_script": "entry.py"}}, "task.environment: field required"),
        (
            "rows",
            {"task": {"type": "run_function", "entry_script": "e.py", "environment": ENV, "code": "gone"}},
            "the code folder gone does not exist",
        ),
    ],
)
def test_a_component_that_could_not_run_is_not_registered(project: Any, name: str, change: Any, message: str) -> None:
    path = project.root / "parts" / f"{name}.yml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **change}))
    said = register(project, name, code=2)
    assert message in said
    assert project.json("component", "list") == []


def test_two_calls_at_once_register_a_version_each(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALML_HOME", str(project.home))
    spec = project.root / "parts/two.yml"
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda version: verbs_assets.component_create(spec, version=str(version)), range(1, 9)))
    assert [each["version"] for each in made] == [str(version) for version in range(1, 9)]
    for version in range(1, 9):
        content = assets.get("component", "two", str(version)).content
        assert content is not None and {"component.yml", "part-0.yml", "part-1"} <= {
            path.name for path in content.iterdir()
        }
    assert list((project.home / "tmp").iterdir()) == []

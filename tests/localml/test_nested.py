"""A pipeline inside of a pipeline runs as on Azure ML: its inputs checked, its outputs handed on."""

from pathlib import Path
from typing import Any

import pytest

ENV = "azureml:env:1"
DATA = {"type": "uri_folder"}


def inner(**more: Any) -> dict[str, Any]:
    """A pipeline component of two steps: the second doubles what the first wrote."""
    write = {
        "type": "command",
        "component": "./write.yml",
        "inputs": {"word": "${{parent.inputs.word}}", "times": "${{parent.inputs.times}}"},
    }
    double = {
        "type": "command",
        "command": "cat ${{inputs.x}}/text ${{inputs.x}}/text > ${{outputs.out}}/text",
        "environment": ENV,
        "inputs": {"x": {"type": "uri_folder", "path": "${{parent.jobs.write.outputs.out}}"}},
        "outputs": {"out": "${{parent.outputs.result}}"},
    }
    inputs = {"word": {"type": "string"}, "times": {"type": "integer", "default": 1, "max": 3}}
    spec = {"name": "inner", "version": "1", "type": "pipeline", "inputs": inputs, "outputs": {"result": DATA}}
    return {**spec, "jobs": {"write": write, "double": double}, **more}


@pytest.fixture
def project(engine: Any) -> Any:
    spec = {"name": "write", "version": "1", "type": "command", "environment": ENV, "outputs": {"out": DATA}}
    spec["inputs"] = {"word": {"type": "string"}, "times": {"type": "integer"}}
    spec["command"] = "for i in $(seq ${{inputs.times}}); do printf ${{inputs.word}} >> ${{outputs.out}}/text; done"
    engine.write("parts/write.yml", spec)
    engine.write("parts/inner.yml", inner())
    return engine


def node(**more: Any) -> dict[str, Any]:
    return {"type": "pipeline", "component": "./parts/inner.yml", "inputs": {"word": "${{parent.inputs.word}}"}, **more}


def read() -> dict[str, Any]:
    source = {"type": "uri_folder", "path": "${{parent.jobs.a.outputs.result}}"}
    return {"type": "command", "command": "cat ${{inputs.x}}/text", "environment": ENV, "inputs": {"x": source}}


def test_a_node_that_is_a_pipeline_runs_its_steps_and_hands_its_output_on(project: Any) -> None:
    project.pipeline({"a": node(), "b": read()}, inputs={"word": "hey"})
    job = project.job()
    assert list(job["jobs"]) == ["a__write", "a__double", "b"]
    assert Path(job["jobs"]["b"]["log"]).read_text() == "heyhey"


def test_a_node_without_a_type_is_what_its_component_is(project: Any) -> None:
    nodes = {"a": {key: value for key, value in node().items() if key != "type"}, "b": read()}
    project.write(
        "pipeline.yml", {"type": "pipeline", "experiment_name": "tests", "inputs": {"word": "x"}, "jobs": nodes}
    )
    assert Path(project.job()["jobs"]["b"]["log"]).read_text() == "xx"


def test_an_output_of_the_inner_pipeline_becomes_one_of_the_outer_pipeline(project: Any) -> None:
    nodes = {"a": node(outputs={"result": "${{parent.outputs.final}}"})}
    project.pipeline(nodes, inputs={"word": "x"}, outputs={"final": DATA})
    assert (Path(project.job()["outputs"]["final"]["path"]) / "text").read_text() == "xx"


def test_a_pipeline_three_deep_runs(project: Any) -> None:
    outer = inner(
        jobs={"a": {**node(), "component": "./inner.yml", "outputs": {"result": "${{parent.outputs.result}}"}}}
    )
    project.write("parts/outer.yml", {**outer, "name": "outer"})
    project.pipeline({"a": node(component="./parts/outer.yml"), "b": read()}, inputs={"word": "x"})
    assert Path(project.job()["jobs"]["b"]["log"]).read_text() == "xx"


def test_a_job_may_name_a_pipeline_component_in_the_place_of_its_steps(project: Any) -> None:
    spec = {"type": "pipeline", "experiment_name": "tests", "component": "./parts/inner.yml"}
    project.write("pipeline.yml", {**spec, "inputs": {"word": "x", "times": 2}})
    assert (Path(project.job()["outputs"]["result"]["path"]) / "text").read_text() == "xxxx"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"inputs": {}}, "step a needs the input word"),
        ({"inputs": {"word": "x", "no": 1}}, "the pipeline component has no input no"),
        ({"inputs": {"word": "x", "times": 4}}, "4 is above the maximum 3"),
        ({"component": "./no.yml"}, "the component ./no.yml does not exist"),
    ],
)
def test_what_does_not_fit_the_inner_pipeline_is_named(project: Any, more: dict[str, Any], message: str) -> None:
    project.pipeline({"a": node(**more)}, inputs={"word": "x"})
    said = project.run("job", "create", "--file", "pipeline.yml", "--stream", code=2).stderr
    assert said.startswith("error: pipeline.yml:") and message in said


def test_a_fault_in_the_inner_pipeline_is_named_with_its_own_file(project: Any) -> None:
    project.write("parts/inner.yml", inner(jobs={"b-c": {**inner()["jobs"]["double"], "inputs": {}}}))
    project.pipeline({"a": node()}, inputs={"word": "x"})
    said = project.run("job", "create", "--file", "pipeline.yml", "--stream", code=2).stderr
    assert said.startswith("error: parts/inner.yml:")


@pytest.mark.parametrize("name", ["path", "code", "component"])
def test_an_input_may_be_called_as_a_field_with_a_path_is(project: Any, name: str) -> None:
    """A text of such an input is a text, not a path beside the component's file."""
    show = {"type": "command", "command": f"echo ${{{{inputs.{name}}}}}", "environment": ENV, "inputs": {name: "word"}}
    spec = {"name": "inner", "version": "1", "type": "pipeline", "jobs": {"show": show}}
    project.write("parts/inner.yml", spec)
    project.pipeline({"a": {"type": "pipeline", "component": "./parts/inner.yml"}})
    assert Path(project.job()["jobs"]["a__show"]["log"]).read_text() == "word\n"

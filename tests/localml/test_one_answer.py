"""Where engine and check once disagreed: one pipeline, asked of both, gives one answer."""

from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import load_job
from azure.ai.ml.exceptions import JobException

from speccheck.check import run_checks

STEP = {
    "name": "step",
    "version": "1",
    "type": "command",
    "inputs": {
        "count": {"type": "integer", "min": 1, "max": 24, "default": 6},
        "label": {"type": "string", "default": "x"},
    },
    "outputs": {"out": {"type": "uri_folder"}},
    "environment": "azureml:env:1",
    "command": "echo ${{inputs.count}} ${{inputs.label}} > ${{outputs.out}}/x",
}
OTHER = {"jobs": {"b": {"type": "command", "component": "../components/step.yml"}}}


def checked(engine: Any, inputs: dict[str, Any]) -> list[str]:
    """Messages of the check about the inputs of step a."""
    engine.write("ml/components/step.yml", STEP)
    schema = "https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json"
    jobs = {**OTHER["jobs"], "a": {"type": "command", "component": "../components/step.yml", "inputs": inputs}}
    pipeline = {"$schema": schema, "type": "pipeline", "experiment_name": "tests"}
    pipeline |= {"inputs": {"x": "hello"}, "jobs": jobs}
    path = engine.write("ml/pipelines/p.yml", pipeline)
    findings = run_checks(engine.root, [path], loaders=False)
    lines = path.read_text().splitlines()
    return [each.message for each in findings if lines[each.line - 1].strip().split(":")[0] in inputs]


@pytest.mark.parametrize(
    "inputs",
    [
        *({"count": "6"}, {"count": 6}, {"label": 3}),
        *({"label": "run-${{parent.inputs.x}}"}, {"label": "${{parent.inputs.x}}"}),
        {"label": "run-${{parent.inputs.x}}-${{parent.inputs.x}}"},
    ],
    ids=str,
)
def test_a_value_that_azure_takes_is_taken_by_check_and_engine(engine: Any, inputs: dict[str, Any]) -> None:
    assert checked(engine, inputs) == []
    engine.run("job", "create", "--file", "ml/pipelines/p.yml", "--stream", "--output", "none")


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"count": "six"}, "'six' is not an integer"),
        ({"count": "25"}, "25 is above the maximum 24"),
        ({"label": "run-${{parent.jobs.b.outputs.out}}"}, "in a text: only ${{parent.inputs.<name>}}"),
        ({"label": "${{parent.inputs.x}}-${{parent.inputs.x}}"}, "is taken for one binding by azure-ai-ml"),
        ({"label": "${{parent.inputs.x}}${{parent.inputs.x}}"}, "is taken for one binding by azure-ai-ml"),
    ],
    ids=str,
)
def test_a_value_that_azure_refuses_is_refused_by_check_and_engine_in_the_same_words(
    engine: Any, inputs: dict[str, Any], message: str
) -> None:
    (finding,) = checked(engine, inputs)
    assert message in finding
    done = engine.run("job", "create", "--file", "ml/pipelines/p.yml", "--stream", code=2)
    assert finding in done.stderr


def test_text_around_a_binding_reaches_the_command_filled_in(engine: Any) -> None:
    checked(engine, {"label": "run-${{parent.inputs.x}}"})
    engine.run("job", "create", "--file", "ml/pipelines/p.yml", "--stream", "--output", "none")
    (written,) = {path.read_text() for path in engine.home.glob("outputs/*/out/x") if "run" in path.read_text()}
    assert written == "6 run-hello\n"


@pytest.mark.parametrize(
    ("label", "is_refused"),
    [
        ("${{parent.inputs.x}}-${{parent.inputs.y}}", True),
        ("${{parent.inputs.x}}${{parent.inputs.y}}", True),
        ("${{parent.inputs.x}} ${{parent.inputs.y}}", True),
        ("run-${{parent.inputs.x}}-${{parent.inputs.y}}", False),
        ("${{parent.inputs.x}}-${{parent.inputs.y}}.csv", False),
    ],
)
def test_several_bindings_in_a_text_are_taken_and_refused_as_azure_ai_ml_does(
    engine: Any, label: str, is_refused: bool
) -> None:
    step = {"type": "command", "environment": "azureml:env:1", "command": "echo ${{inputs.label}} > outputs/x"}
    step |= {"inputs": {"label": label}}
    inputs = {"x": "hello", "y": "you"}
    path = engine.write(
        "p.yml", {"type": "pipeline", "experiment_name": "tests", "inputs": inputs, "jobs": {"a": step}}
    )
    refusals = {"engine": _engine_refuses(engine), "azure-ai-ml": _azure_refuses(path)}
    assert refusals == {"engine": is_refused, "azure-ai-ml": is_refused}


def _engine_refuses(engine: Any) -> bool:
    try:
        engine.run("job", "create", "--file", "p.yml", "--stream", "--output", "none")
    except AssertionError as error:
        assert "is taken for one binding" in str(error)
        return True
    return False


def _azure_refuses(path: Path) -> bool:
    try:
        load_job(path)._to_rest_object()
    except JobException:
        return True
    return False

"""Where engine and check once disagreed: one pipeline, asked of both, gives one answer."""

from typing import Any

import pytest

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
    ],
    ids=str,
)
def test_both_take_it(engine: Any, inputs: dict[str, Any]) -> None:
    assert checked(engine, inputs) == []
    engine.run("job", "create", "--file", "ml/pipelines/p.yml", "--stream", "--output", "none")


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"count": "six"}, "'six' is not an integer"),
        ({"count": "25"}, "25 is above the maximum 24"),
        ({"label": "run-${{parent.jobs.b.outputs.out}}"}, "in a text: only ${{parent.inputs.<name>}}"),
    ],
    ids=str,
)
def test_both_refuse_it_with_the_same_words(engine: Any, inputs: dict[str, Any], message: str) -> None:
    (found,) = checked(engine, inputs)
    assert message in found
    done = engine.run("job", "create", "--file", "ml/pipelines/p.yml", "--stream", code=2)
    assert found in done.stderr


def test_text_around_a_binding_reaches_the_command_filled_in(engine: Any) -> None:
    checked(engine, {"label": "run-${{parent.inputs.x}}"})
    engine.run("job", "create", "--file", "ml/pipelines/p.yml", "--stream", "--output", "none")
    (written,) = {path.read_text() for path in engine.home.glob("outputs/*/out/x") if "run" in path.read_text()}
    assert written == "6 run-hello\n"

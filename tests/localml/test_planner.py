"""A job that could not run is refused before its first step, with file and line."""

import pytest

COMPONENT = {
    "name": "step",
    "version": "1",
    "type": "command",
    "inputs": {
        "count": {"type": "integer", "min": 1, "max": 24, "default": 6},
        "kind": {"type": "string", "enum": ["store", "category"], "default": "store"},
        "folder": {"type": "uri_folder", "optional": True},
    },
    "outputs": {"out": {"type": "uri_folder"}},
    "environment": "azureml:env:1",
    "command": "echo ${{inputs.count}} > ${{outputs.out}}/x",
}


def refused(engine, jobs, *arguments, **more):
    engine.write("step.yml", COMPONENT)
    engine.pipeline(jobs, **more)
    done = engine.run("job", "create", "--file", "pipeline.yml", "--stream", *arguments, code=2)
    assert done.stderr.count("\n") == 1
    assert engine.jobs_left("jobs/*/*/log.txt") == []
    return done.stderr


def node(**inputs):
    return {"component": "step.yml", "inputs": inputs}


@pytest.mark.parametrize(
    ("jobs", "message"),
    [
        ({"a": node(size=1)}, "pipeline.yml:8: the component has no input size"),
        ({"a": node(count=0)}, "pipeline.yml:8: input 'count': 0 is below the minimum 1"),
        ({"a": node(count=25)}, "pipeline.yml:8: input 'count': 25 is above the maximum 24"),
        ({"a": node(count="many")}, "pipeline.yml:8: input 'count': 'many' is not an integer"),
        ({"a": node(count=1.5)}, "pipeline.yml:8: input 'count': 1.5 is not an integer"),
        (
            {"a": node(kind="shop")},
            "pipeline.yml:8: input 'kind': 'shop' is not in its enum",
        ),
        ({"a": node(folder="x")}, "pipeline.yml:8: input 'folder': a uri_folder takes a mapping with type and path"),
        ({"a": node(folder="${{parent.inputs.no}}")}, "pipeline.yml:8: the pipeline has no input no"),
        ({"a": node(folder="${{parent.jobs.b.outputs.out}}")}, "pipeline.yml:8: there is no step b"),
        ({"a": node(), "b": node(folder="${{parent.jobs.a.outputs.x}}")}, "pipeline.yml:12: step a has no output x"),
        ({"a": node(folder="${{inputs.x}}")}, "pipeline.yml:8: ${{inputs.x}} is not a binding"),
        ({"a": {"component": "no.yml"}}, "pipeline.yml:6: the component no.yml does not exist"),
        ({"a": {"component": "azureml:no:1"}}, "pipeline.yml:6: component no:1 is not registered here"),
        ({"a": {"component": "step.yml", "limit": 1}}, "pipeline.yml:7: jobs.a.limit: not a field here"),
        (
            {"a": {"type": "spark", "component": "step.yml"}},
            "pipeline.yml:5: step a is of type spark: the local engine",
        ),
    ],
)
def test_a_wrong_node_is_named_with_its_line(engine, jobs, message):
    jobs = {name: {"type": "command", **job} for name, job in jobs.items()}
    assert message in refused(engine, jobs)


def test_steps_that_wait_for_each_other_are_named(engine):
    jobs = {
        "a": node(folder="${{parent.jobs.b.outputs.out}}"),
        "b": node(folder="${{parent.jobs.a.outputs.out}}"),
    }
    assert "the steps a, b wait for each other" in refused(engine, jobs)


def test_an_environment_that_is_not_registered_is_named(engine):
    engine.write("other.yml", {**COMPONENT, "environment": "azureml:other:3"})
    message = refused(engine, {"a": {"component": "other.yml"}})
    assert "other.yml" in message
    assert "environment other:3 is not registered here" in message


def test_a_missing_required_input_is_named(engine):
    engine.write("needs.yml", {**COMPONENT, "inputs": {"count": {"type": "integer"}}})
    assert "step a needs the input count (needs.yml:5)" in refused(engine, {"a": {"component": "needs.yml"}})


def test_set_changes_a_value_and_keeps_its_checks(engine):
    jobs = {"a": node(count="${{parent.inputs.count}}")}
    message = refused(engine, jobs, "--set", "inputs.count=99", inputs={"count": 3})
    assert "input 'count': 99 is above the maximum 24" in message


def test_broken_yaml_is_named_with_its_line(engine):
    engine.write("pipeline.yml", "type: pipeline\njobs:\n  a: [1\n")
    done = engine.run("job", "create", "--file", "pipeline.yml", code=2)
    assert "pipeline.yml:4: not valid YAML" in done.stderr


def test_a_local_input_that_does_not_exist_is_named(engine):
    inputs = {"folder": {"type": "uri_folder", "path": "absent"}}
    message = refused(engine, {"a": node(folder="${{parent.inputs.folder}}")}, inputs=inputs)
    assert "pipeline.yml:" in message
    assert "absent does not exist" in message

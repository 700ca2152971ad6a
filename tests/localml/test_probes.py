"""Features of the CLI's YAML, one small job each: right as on Azure ML, or refused in one line that names the field."""

from pathlib import Path
from typing import Any

import pytest

from localml import registry

ENV = "azureml:env:1"
OUT = {"out": {"type": "uri_folder"}}
WRITE = "echo hello > ${{outputs.out}}/text"


def command(text: str = "true", **more: Any) -> dict[str, Any]:
    """A node, or a component, of one command."""
    return {"type": "command", "command": text, "environment": ENV, **more}


def submit(engine: Any, jobs: Any, code: int = 0, **more: Any) -> Any:
    engine.write("pipeline.yml", {"type": "pipeline", "experiment_name": "tests", **more, "jobs": jobs})
    done = engine.run(
        "job", "create", "--file", "pipeline.yml", "--stream", "--output", "none", "--name", "j1", code=code
    )
    return done.stderr


def component(**more: Any) -> dict[str, Any]:
    return {"name": "c", "version": "1", **command("true"), **more}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a name that climbs": ({"jobs": {"../../x": command()}}, "'../../x' is not a name of a step"),
    "an output that climbs": (
        {"jobs": {"a": command(outputs={"../x": {"type": "uri_folder"}})}},
        "'../x' is not a name of a component's output",
    ),
    "default_datastore": ({"settings": {"default_datastore": "azureml:other"}}, "settings.default_datastore"),
    "on_init": ({"settings": {"on_init": "a"}}, "settings.on_init: not imitated"),
    "on_finalize": ({"settings": {"on_finalize": "a"}}, "settings.on_finalize: not imitated"),
    "a mistyped setting": (
        {"settings": {"continue_on_step_failur": True}},
        "settings.continue_on_step_failur: not a field",
    ),
    "direct input": (
        {"jobs": {"a": command(inputs={"x": {"type": "uri_file", "path": "a.csv", "mode": "direct"}})}},
        "mode direct is not imitated",
    ),
    "direct output": ({"jobs": {"a": command(outputs={"o": {"type": "uri_folder", "mode": "direct"}})}}, "mode direct"),
    "a primitive output": ({"jobs": {"a": command(outputs={"o": {"type": "integer"}})}}, "output o is of type integer"),
    "two machines": (
        {"jobs": {"a": command(resources={"instance_count": 2})}},
        "instance_count 2: the local engine is one",
    ),
    "a mistyped resource": ({"jobs": {"a": command(resources={"instance_cnt": 2})}}, "instance_cnt: not a field here"),
    "distribution": ({"jobs": {"a": command(distribution={"type": "pytorch"})}}, "distribution is not imitated"),
    "an output that lies elsewhere": (
        {"jobs": {"a": command(outputs={"o": {"type": "uri_folder", "path": "here"}})}},
        "an output lies at azureml://datastores/",
    ),
    "https": (
        {"jobs": {"a": command(inputs={"x": {"type": "uri_file", "path": "https://example.com/a.csv"}})}},
        "https: is not imitated by the local engine",
    ),
    "code in git": ({"jobs": {"a": command(code="git+https://example.com/b")}}, "git+https: is not imitated"),
    "an unknown input in the command": ({"jobs": {"a": command("echo ${{inputs.no}}")}}, "declares no input no"),
    "an expression of no kind": ({"jobs": {"a": command("echo ${{foo}}")}}, "${{foo}}: write ${{inputs.<name>}}"),
    "a table without MLTable": (
        {"jobs": {"a": command(inputs={"x": {"type": "mltable", "path": "data"}})}},
        "holds no file MLTable",
    ),
    "no name of a variable": (
        {"jobs": {"a": command(environment_variables={"": "x"})}},
        "not a name of an environment var",
    ),
    "an output inside of a text": (
        {"jobs": {"b": command(WRITE, outputs=OUT), "a": command(inputs={"x": "pre-${{parent.jobs.b.outputs.out}}"})}},
        "in a text: only ${{parent.inputs.<name>}}",
    ),
    "a variable with NUL": ({"jobs": {"a": command(environment_variables={"A": "\0"})}}, "no process can be given"),
    "a command with NUL": ({"jobs": {"a": command("echo \0")}}, "no process can be given"),
    "a pipeline of a component": ({"jobs": None, "component": "c.yml"}, "a pipeline component in the place of `jobs:`"),
    "a build without its folder": (
        {"jobs": {"a": {**command(), "environment": {"build": {"dockerfile_path": "D"}}}}},
        "build: path is missing",
    ),
} | {
    f"a step of type {kind}": ({"jobs": {"a": {"type": kind}}}, f"step a is of type {kind}: the local engine runs")
    for kind in ("sweep", "parallel", "spark", "automl", "import", "data_transfer", "pipeline")
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_what_is_not_imitated_is_refused_by_name(engine: Any, case: str) -> None:
    more, message = REFUSED[case]
    engine.write("a.csv", "x")
    engine.write("data/a.csv", "x")
    spec = {"jobs": {"a": command()}, **more}
    jobs = spec.pop("jobs")
    if jobs is None:
        engine.write("pipeline.yml", {"type": "pipeline", "experiment_name": "tests", **spec})
        said = engine.run("job", "create", "--file", "pipeline.yml", "--stream", code=2).stderr
    else:
        said = submit(engine, jobs, code=2, **spec)
    assert message in said and "Traceback" not in said
    assert engine.jobs_left("jobs/*/*/log.txt") == []
    assert [path for path in engine.home.parent.iterdir() if path not in (engine.home, engine.root)] == []


def test_a_component_of_another_kind_is_refused_by_name(engine: Any) -> None:
    engine.write("c.yml", {"name": "c", "version": "1", "type": "parallel"})
    said = engine.run("component", "create", "--file", "c.yml", code=2).stderr
    assert "c.yml:3: a component of type parallel: the local engine runs components of type command only" in said
    engine.write("c.yml", component(command="echo ${{inputs.nope}}"))
    assert "the component declares no input nope" in engine.run("component", "create", "--file", "c.yml", code=2).stderr


def log_of(engine: Any, step: str = "a") -> str:
    return (engine.home / "jobs" / "j1" / step / "log.txt").read_text()


def test_a_number_is_the_text_of_a_variable(engine: Any) -> None:
    submit(engine, {"a": command('echo "$A $B"', environment_variables={"A": 1, "B": True})})
    assert log_of(engine) == "1 true\n"


def test_a_variable_takes_an_input_of_the_pipeline(engine: Any) -> None:
    node = command('echo "$A"', environment_variables={"A": "${{parent.inputs.word}}"})
    submit(engine, {"a": node}, inputs={"word": "hello"})
    assert log_of(engine) == "hello\n"


def test_a_binding_inside_of_a_text_is_filled_in(engine: Any) -> None:
    node = command("echo ${{inputs.x}}", inputs={"x": "pre-${{parent.inputs.word}}-post"})
    submit(engine, {"a": node}, inputs={"word": "hello"})
    assert log_of(engine) == "pre-hello-post\n"


def test_a_path_without_a_type_is_a_folder_and_file_may_stand_before_it(engine: Any) -> None:
    engine.write("data/text", "hello")
    engine.write("c.yml", component(command="cat ${{inputs.x}}/text", inputs={"x": {"type": "uri_folder"}}))
    submit(engine, {"a": {"type": "command", "component": "file:./c.yml", "inputs": {"x": {"path": "file:./data"}}}})
    assert log_of(engine) == "hello"


def test_the_long_form_of_a_datastore_path_is_the_short_one(engine: Any) -> None:
    path = engine.home / "datastores/workspaceblobstore/p.csv"
    path.parent.mkdir(parents=True)
    path.write_text("hello")
    uri = "azureml://subscriptions/0/resourcegroups/g/workspaces/w/datastores/workspaceblobstore/paths/p.csv"
    submit(engine, {"a": command("cat ${{inputs.x}}", inputs={"x": {"type": "uri_file", "path": uri}})})
    assert log_of(engine) == "hello"


def test_the_name_of_the_job_and_the_default_datastore_stand_in_an_outputs_path(engine: Any) -> None:
    path = "azureml://datastores/${{default_datastore}}/paths/runs/${{name}}/${{output_name}}"
    submit(engine, {"a": command(WRITE, outputs={"out": {"type": "uri_folder", "path": path}})})
    assert (engine.home / "datastores/workspaceblobstore/runs/j1_a/out/text").read_text() == "hello\n"


def test_a_named_output_of_a_step_becomes_a_data_asset(engine: Any) -> None:
    submit(engine, {"a": command(WRITE, outputs={"out": {"type": "uri_folder", "name": "greeting"}})})
    assert engine.json("data", "show", "--name", "greeting", "--label", "latest")["version"] == "1"


@pytest.mark.slow
def test_a_named_output_of_a_models_type_becomes_a_model(tracked_engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "echo 'flavors: {}' > ${{outputs.out}}/MLmodel"
    node = command(text, outputs={"out": "${{parent.outputs.out}}"})
    engine = tracked_engine
    engine.write("c.yml", component(command=text, outputs={"out": {"type": "mlflow_model"}}))
    node = {"type": "command", "component": "c.yml", "outputs": {"out": "${{parent.outputs.out}}"}}
    submit(engine, {"a": node}, outputs={"out": {"type": "mlflow_model", "name": "mine"}})
    monkeypatch.setenv("LOCALML_HOME", str(engine.home))
    (version,) = registry.versions("mine")
    assert version["version"] == "1" and (Path(version["path"]) / "MLmodel").is_file()


def test_the_log_of_a_reused_step_is_that_of_the_run_that_made_it(engine: Any) -> None:
    engine.pipeline({"a": command("echo once")})
    first, second = engine.job(), engine.job()
    assert second["jobs"]["a"]["reused_from"] == first["name"]
    assert Path(second["jobs"]["a"]["log"]).read_text() == "once\n"


def test_the_engines_own_state_is_no_part_of_a_snapshot(engine: Any) -> None:
    engine.home.rename(engine.root / ".localml")
    engine.home = engine.root / ".localml"
    submit(engine, {"a": command("ls -A", code=".")})
    assert log_of(engine).split() == ["env.yml", "outputs", "pipeline.yml"]


def test_what_a_step_writes_to_outputs_is_its_artifacts_which_the_next_step_may_read(engine: Any) -> None:
    read = command("cat ${{inputs.x}}/text", inputs={"x": "${{parent.jobs.a.outputs.artifacts}}"})
    jobs = {"a": command("echo hello > outputs/text"), "b": read}
    engine.pipeline(jobs)
    for _ in range(2):  # reused the second time
        job = engine.job()
        assert (Path(job["jobs"]["a"]["outputs"]["artifacts"]) / "text").read_text() == "hello\n"
        assert Path(job["jobs"]["b"]["log"]).read_text() == "hello\n"


def test_artifacts_that_were_never_written_are_missed_by_name(engine: Any) -> None:
    read = command("true", inputs={"x": "${{parent.jobs.a.outputs.artifacts}}"})
    assert "step a wrote nothing to ./outputs" in submit(engine, {"a": command("true"), "b": read}, code=1)

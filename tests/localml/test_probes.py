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
    "a pipeline of no component": ({"jobs": None, "component": "c.yml"}, "the component c.yml does not exist"),
    "a door into the step": ({"jobs": {"a": command(services={"ssh": {"type": "ssh"}})}}, "services: not imitated"),
    "a component of another kind in its node": (
        {"jobs": {"a": {"component": {"type": "spark", "command": "x"}}}},
        "a component of type spark: the local engine runs",
    ),
    "a mistyped field of a component in its node": (
        {"jobs": {"a": {"component": component(comand="x")}}},
        "comand: not a field here",
    ),
    "a build without its folder": (
        {"jobs": {"a": {**command(), "environment": {"build": {"dockerfile_path": "D"}}}}},
        "build: path is missing",
    ),
} | {
    f"a step of type {kind}": ({"jobs": {"a": {"type": kind}}}, f"step a is of type {kind}: the local engine runs")
    for kind in ("spark", "automl", "import", "data_transfer")
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
    engine.write("c.yml", {"name": "c", "version": "1", "type": "spark"})
    said = engine.run("component", "create", "--file", "c.yml", code=2).stderr
    assert "c.yml:3: a component of type spark: the local engine runs components of type command, pipeline," in said
    engine.write("c.yml", component(command="echo ${{inputs.nope}}"))
    assert "the component declares no input nope" in engine.run("component", "create", "--file", "c.yml", code=2).stderr


def test_a_component_may_stand_in_its_node(engine: Any) -> None:
    engine.write("code/x.txt", "of the code")
    embedded = component(command="cat x.txt; echo ${{inputs.x}}", code="code", inputs={"x": {"type": "integer"}})
    submit(engine, {"a": {"component": embedded, "inputs": {"x": 3}}})
    assert log_of(engine).split("\n") == ["of the code3", ""]


def test_a_door_into_a_job_of_one_command_is_refused_by_name(engine: Any) -> None:
    engine.write("job.yml", {**command(), "services": {"ssh": {"type": "ssh"}}})
    said = engine.run("job", "create", "--file", "job.yml", "--stream", code=2).stderr
    assert "services: not imitated by the local engine" in said


def log_of(engine: Any, step: str = "a") -> str:
    return (engine.home / "jobs" / "j1" / step / "log.txt").read_text()


def test_a_number_in_environment_variables_reaches_the_step_as_text(engine: Any) -> None:
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
    read = command("cat ${{inputs.x}}/outputs/text", inputs={"x": "${{parent.jobs.a.outputs.artifacts}}"})
    jobs = {"a": command("echo hello > outputs/text"), "b": read}
    engine.pipeline(jobs)
    for _ in range(2):  # reused the second time
        job = engine.job()
        assert (Path(job["jobs"]["a"]["outputs"]["artifacts"]) / "outputs/text").read_text() == "hello\n"
        assert Path(job["jobs"]["b"]["log"]).read_text() == "hello\n"


def test_artifacts_that_a_step_declares_are_what_it_wrote_to_outputs(engine: Any) -> None:
    read = command("cat ${{inputs.x}}/outputs/text", inputs={"x": "${{parent.jobs.a.outputs.artifacts}}"})
    engine.pipeline({"a": command("echo hello > outputs/text", outputs={"artifacts": None}), "b": read})
    assert Path(engine.job()["jobs"]["b"]["log"]).read_text() == "hello\n"


def test_artifacts_that_were_never_written_are_missed_by_name(engine: Any) -> None:
    read = command("true", inputs={"x": "${{parent.jobs.a.outputs.artifacts}}"})
    assert "step a wrote nothing to ./outputs" in submit(engine, {"a": command("true"), "b": read}, code=1)


def test_the_output_of_an_earlier_job_is_an_input_by_its_address(engine: Any) -> None:
    submit(engine, {"a": command(WRITE, outputs=OUT)})
    uri = "azureml://jobs/j1/outputs/out/paths/text"
    engine.pipeline({"a": command("cat ${{inputs.x}}", inputs={"x": {"type": "uri_file", "path": uri}})})
    assert Path(engine.job()["jobs"]["a"]["log"]).read_text() == "hello\n"
    engine.pipeline({"a": command(inputs={"x": {"type": "uri_file", "path": uri.replace("out/", "no/")}})})
    said = engine.run("job", "create", "--file", "pipeline.yml", "--stream", code=2).stderr
    assert "job j1 has no output no: it has out" in said


def test_an_environment_may_stand_in_a_file(engine: Any) -> None:
    engine.write("envs/e.yml", {"name": "e", "version": "1", "image": "example.com/python:1"})
    submit(engine, {"a": command("echo hello", environment="file:./envs/e.yml")})
    assert log_of(engine) == "hello\n"


def test_a_job_shows_its_tags_and_its_description_whatever_set_them(engine: Any) -> None:
    engine.pipeline({"a": command()}, tags={"k": "v"}, description="about")
    job = engine.job("--set", "display_name=my run", "tags.team=x")
    shown = engine.json("job", "show", "--name", job["name"])
    assert shown["tags"] == {"k": "v", "team": "x"}
    assert (shown["description"], shown["display_name"]) == ("about", "my run")


@pytest.mark.parametrize("group", ["batch-endpoint", "datastore", "workspace"])
def test_a_group_of_verbs_that_is_not_imitated_is_named_with_those_that_are(engine: Any, group: str) -> None:
    said = engine.run(group, "create", code=2).stderr
    assert said.startswith(f"error: localml has no group '{group}': it has connection, data, ")
    assert said.count("\n") == 1


# What azure-ai-ml 1.35's loader refuses of what YAML can write.
UNLOADABLE: dict[str, tuple[str, str]] = {
    "not a number": ("inputs: {x: .nan}", "input x: nan is not a number"),
    "infinity": ("inputs: {x: .inf}", "input x: inf is not a number"),
    "an input without a value": ("inputs: {x: }", "input x has no value"),
    "a tag that is a number": ("tags: {a: 1}", "tags.a: 1 is not a text"),
    "a date": ("inputs: {x: 2024-01-01}", "pipeline.yml:1: inputs.x"),
    "an alias inside of its anchor": ("tags: &t {a: *t}", "an alias (*name) stands inside"),
    "two documents": ("tags: {}\n---\ntags: {}", "not valid YAML: but found another document"),
    "a surrogate": ('environment_variables: {A: "\\ud800"}', "not valid YAML: found invalid Unicode character"),
}


@pytest.mark.parametrize("case", list(UNLOADABLE))
def test_what_azures_loader_refuses_of_yaml_is_refused_in_one_line(engine: Any, case: str) -> None:
    text, message = UNLOADABLE[case]
    engine.write(
        "pipeline.yml", f"{text}\ntype: command\nexperiment_name: tests\ncommand: 'true'\nenvironment: {ENV}\n"
    )
    said = engine.run("job", "create", "--file", "pipeline.yml", "--stream", code=2).stderr
    assert message in said.splitlines()[-1] and "Traceback" not in said


@pytest.mark.parametrize("name", ["a/b", "a-b", "Ab", "1a"])
def test_the_name_of_a_step_is_one_that_azures_loader_takes(engine: Any, name: str) -> None:
    assert f"'{name}' is not a name of a step: lower letters" in submit(engine, {name: command()}, code=2)


LOADABLE = {
    "a repeated key, the last counts": "command: echo first\ncommand: echo hello\n",
    "a byte order mark": "\ufeffcommand: echo hello\n",
    "lines that end as on Windows": "command: echo hello\r\n",
    "another schema": "$schema: https://example.com/x.json\ncommand: echo hello\n",
    "a number of many digits": "command: echo hello\ninputs: {x: 123456789012345678901234567890}\n",
}


@pytest.mark.parametrize("case", list(LOADABLE))
def test_what_azures_loader_takes_of_yaml_runs(engine: Any, case: str) -> None:
    engine.write("pipeline.yml", f"{LOADABLE[case]}type: command\nexperiment_name: tests\nenvironment: {ENV}\n")
    assert Path(engine.job()["jobs"]["main"]["log"]).read_text() == "hello\n"


def test_a_node_may_be_a_merged_yaml_mapping(engine: Any) -> None:
    node = f"  a: &a {{type: command, command: echo hello, environment: '{ENV}'}}\n  b: {{<<: *a}}\n"
    engine.write("pipeline.yml", f"type: pipeline\nexperiment_name: tests\njobs:\n{node}")
    assert Path(engine.job()["jobs"]["b"]["log"]).read_text() == "hello\n"


def test_data_elsewhere_and_a_table_without_mltable_are_not_registered(engine: Any) -> None:
    engine.write("d.yml", {"name": "d", "version": "1", "type": "uri_file", "path": "https://example.com/a.csv"})
    assert "https: is not imitated" in engine.run("data", "create", "--file", "d.yml", code=2).stderr
    engine.write("folder/a.csv", "x")
    engine.write("d.yml", {"name": "d", "version": "1", "type": "mltable", "path": "folder"})
    assert "holds no file MLTable" in engine.run("data", "create", "--file", "d.yml", code=2).stderr


@pytest.mark.slow
def test_a_model_is_one_file_and_its_first_version_any_number(tracked_engine: Any) -> None:
    tracked_engine.write("m.pkl", "x")
    spec = {"name": "m7", "version": 7, "type": "custom_model", "path": "m.pkl", "tags": {"a": "b"}}
    tracked_engine.write("m.yml", spec)
    made = tracked_engine.json("model", "create", "--file", "m.yml")
    assert (made["version"], made["tags"]) == ("7", {"a": "b"})
    assert "7 is not a number above 7" in tracked_engine.run("model", "create", "--file", "m.yml", code=2).stderr
    tracked_engine.write("m.yml", {key: value for key, value in spec.items() if key != "version"})
    assert tracked_engine.json("model", "create", "--file", "m.yml")["version"] == "8"


def test_an_output_lies_at_the_long_form_of_a_datastore_path(engine: Any) -> None:
    path = "azureml://subscriptions/0/resourcegroups/g/workspaces/w/datastores/workspaceblobstore/paths/here"
    submit(engine, {"a": command(WRITE, outputs={"out": {"type": "uri_folder", "path": path}})})
    assert (engine.home / "datastores/workspaceblobstore/here/text").read_text() == "hello\n"


def test_an_inline_step_writes_a_file_where_the_pipelines_output_is_one(engine: Any) -> None:
    node = command("echo hello > ${{outputs.out}}", outputs={"out": "${{parent.outputs.final}}"})
    engine.pipeline({"a": node}, outputs={"final": {"type": "uri_file"}})
    assert Path(engine.job()["outputs"]["final"]["path"]).read_text() == "hello\n"

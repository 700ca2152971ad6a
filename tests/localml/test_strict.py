"""LOCALML_STRICT=1: the engine answers as the service does; without it, as a person on a laptop wants it."""

import json

import pytest

from localml import strict
from pipeline import answers

WRITE = """
import argparse, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("--out")
(pathlib.Path(parser.parse_args().out) / "text").write_text("x")
"""


@pytest.fixture
def finished(engine):
    """A job that ran, and its name."""
    engine.component("one", WRITE, outputs={"out": {"type": "uri_folder"}})
    step = {"component": "one.yml", "outputs": {"out": "${{parent.outputs.result}}"}}
    engine.pipeline({"one": step}, outputs={"result": {"type": "uri_folder"}})
    engine.run("job", "create", "--file", "pipeline.yml", "--name", "job-1", "--stream", "--output", "none")
    engine.strict = "1"
    return engine


def test_a_job_has_the_states_of_the_newer_extension_no_seconds_and_no_local_path(finished):
    shown = finished.json("job", "show", "--name", "job-1")
    assert shown["status"] == "JobStatus.COMPLETED"
    assert "seconds" not in shown
    assert shown["jobs"] == {"one": {"type": "command"}}
    assert shown["outputs"]["result"]["path"].startswith("azureml://")
    assert str(finished.home) not in json.dumps(shown)


def test_the_steps_are_child_jobs_with_the_fields_that_the_service_gives(finished):
    (child,) = finished.json("job", "list", "--parent-job-name", "job-1")
    assert (child["display_name"], child["status"], child["type"]) == ("one", "JobStatus.COMPLETED", "base")
    assert not {"seconds", "log", "error", "reused_from"} & child.keys()
    finished.strict = "0"
    (child,) = finished.json("job", "list", "--parent-job-name", "job-1")
    assert {"seconds", "log", "error", "reused_from"} <= child.keys()


def test_an_output_belongs_to_the_step_that_wrote_it_and_not_to_the_pipeline(finished):
    (child,) = finished.json("job", "list", "--parent-job-name", "job-1")
    for name, output, files in (("job-1", "result", []), (child["name"], "out", ["text"])):
        place = finished.root / name.replace("/", ".")
        place.mkdir()
        finished.run("job", "download", "--name", name, "--output-name", output, "--download-path", str(place))
        assert [path.name for path in place.rglob("*") if path.is_file()] == files


def test_a_steps_log_is_the_artifact_of_its_child_job(finished):
    (child,) = finished.json("job", "list", "--parent-job-name", "job-1")
    finished.run("job", "download", "--name", child["name"], "--download-path", str(finished.root / "logs"))
    assert (finished.root / "logs/artifacts/user_logs/std_log.txt").is_file()


@pytest.mark.parametrize("group", ["data", "model", "component", "environment"])
def test_versions_of_an_unknown_name_are_an_error_and_an_empty_list_without_it(engine, group):
    assert engine.json(group, "list", "--name", "nothing") == []
    engine.strict = "1"
    done = engine.run(group, "list", "--name", "nothing", code=1)
    assert answers.is_not_found(done.stderr)


def test_a_verb_that_waits_prints_dots_before_its_answer(engine):
    engine.strict = "1"
    flags = ("--name", "aks", "--type", "Kubernetes", "--resource-id", "/subscriptions/0/c", "--namespace", "demand")
    printed = engine.run("compute", "attach", *flags).stdout
    assert printed.startswith("...{")
    assert answers.parse(printed)["provisioning_state"] == "EndpointProvisioningState.SUCCEEDED"


@pytest.mark.parametrize(
    ("word", "spelled"), [("Completed", "COMPLETED"), ("NotStarted", "NOT_STARTED"), ("Running", "RUNNING")]
)
def test_a_state_is_spelled_as_an_enum(word, spelled):
    assert strict._enum(word) == spelled

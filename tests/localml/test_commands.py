"""Verbs as functions: what a caller in this process gives and gets, and the command line that is made of them."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from amlspec.errors import UserError
from host import process
from localml import cli, commands, records, specs, verbs_assets, verbs_jobs

SCRIPTS = Path(__file__).parents[2] / "scripts"
COMMANDS = [command for group in commands.groups() for command in commands.of_group(group)]
CALLERS = ("pipeline", "rollout", "predict", "drift")
RUN = {"type": "pipeline", "experiment_name": "tests", "jobs": {}}


@pytest.fixture
def here(engine: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """This process works on the engine's state."""
    monkeypatch.setenv("LOCALML_HOME", str(engine.home))
    monkeypatch.setenv("LOCALML_STRICT", "0")
    return engine


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: f"{each.group} {each.verb}")
def test_every_parameter_of_a_verb_has_a_flag_and_every_verb_says_what_it_does(command: commands.Command) -> None:
    assert command.parameters().keys() <= cli._FLAGS.keys()
    assert command.progress() <= cli._ON_SCREEN.keys()
    assert command.help and "functools.partial" not in command.help


def test_a_flag_that_no_verb_takes_is_not_kept() -> None:
    assert {name for command in COMMANDS for name in command.parameters()} == cli._FLAGS.keys()


def test_what_is_not_given_has_the_functions_own_default() -> None:
    given = vars(cli.parser().parse_args(["job", "download", "--name", "job-1"]))
    assert {"all", "output_name", "download_path"}.isdisjoint(given)


def calls(tree: ast.AST) -> Iterator[tuple[list[str], set[str]]]:
    """(group and verb, parameters) of each call of azml in a module, and of the rollout's own that stand on them."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr in ("call", "run", "listed", "optional", "do") and len(node.args) == 2:
            words = [each.value for each in node.args if isinstance(each, ast.Constant)]
            yield words, {each.arg for each in node.keywords if each.arg}


def test_callers_in_this_process_name_verbs_and_parameters_that_there_are() -> None:
    """A wrong name would be found only when ENV=local runs that line."""
    seen = 0
    for path in [
        each for folder in ("pipeline", "rollout", "predict", "drift") for each in (SCRIPTS / folder).rglob("*.py")
    ]:
        for words, parameters in calls(ast.parse(path.read_text())):
            if len(words) == 2:
                seen += 1
                assert parameters <= commands.find(*words).parameters().keys(), (path.name, words)
    assert seen > 15


def test_a_verb_or_group_that_is_not_imitated_is_named_with_those_that_are() -> None:
    with pytest.raises(UserError, match=r"no group 'workspace': it has connection, data"):
        commands.run("workspace", "list")
    with pytest.raises(UserError, match=r"localml job has no verb 'archive': it has create, show"):
        commands.run("job", "archive", name="x")


def test_a_verb_prints_nothing_and_gives_its_record(here: Any, capfd: pytest.CaptureFixture[str]) -> None:
    spec = here.write("more.yml", {"name": "more", "version": "1", "image": "example.com/python:1"})
    made = verbs_assets.environment_create(spec, version="2")
    assert (made["name"], made["version"]) == ("more", "2")
    assert commands.run("environment", "show", name="more", label="latest") == made
    assert capfd.readouterr() == ("", "")


def test_a_spec_may_be_parsed_already_and_is_not_changed(here: Any) -> None:
    """As a server gets it: data, and a folder that its paths begin in."""
    here.write("text/rows.txt", "1")
    data = {"name": "rows", "path": "text/rows.txt", "type": "uri_file", "tags": {"a": "b"}}
    document = specs.of_data(data, here.root, "request")
    made = verbs_assets.data_create(document, version="7", settings=["tags.a=c"])
    assert (made["version"], made["tags"]) == ("7", {"a": "c"})
    assert data == {"name": "rows", "path": "text/rows.txt", "type": "uri_file", "tags": {"a": "b"}}
    absent = specs.of_data({**data, "path": "none.txt"}, here.root, "request")
    with pytest.raises(UserError, match=r"request:1: none.txt does not exist"):
        verbs_assets.data_create(absent)


def test_an_answer_looks_like_the_services_in_this_process_too(here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALML_STRICT", "1")
    attached = commands.run("compute", "attach", name="aks", type="Kubernetes", resource_id="/x", namespace="demand")
    assert attached["provisioning_state"] == "EndpointProvisioningState.SUCCEEDED"
    with pytest.raises(UserError, match="container with name: nothing not found"):
        commands.run("environment", "list", name="nothing")


@pytest.mark.slow
def test_a_job_in_the_background_runs_the_spec_that_was_handed_over(here: Any, eventually: Any) -> None:
    """From data without a file, with its settings; an edit of a file afterwards would change nothing."""
    here.component("one", "import sys; print(*sys.argv[1:])", inputs={"text": {"type": "string"}})
    jobs = {"one": {"type": "command", "component": "file:one.yml", "inputs": {"text": "${{parent.inputs.text}}"}}}
    document = specs.of_data({**RUN, "inputs": {"text": "a"}, "jobs": jobs}, here.root, "request")
    begun = verbs_jobs.create(document, name="job-1", settings=["inputs.text=2024-01-01"])
    assert begun["status"] == "Running"
    record = eventually(lambda: (job := records.load("job-1"))["status"] in records.FINAL and job)
    assert record["status"] == "Completed", (here.home / "jobs/job-1/engine.log").read_text()
    assert process.tail(Path(record["jobs"]["one"]["log"])) == ["--text 2024-01-01"]


def test_ways_to_show_progress_have_no_flag() -> None:
    assert {"screen", "say"}.isdisjoint(cli._FLAGS)
    assert "say" in inspect.signature(verbs_jobs.stream).parameters

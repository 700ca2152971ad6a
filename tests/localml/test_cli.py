"""The command line: shapes of output, and errors that name what is wrong."""

import json

import pytest


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (["job", "frobnicate"], "'frobnicate'"),
        (["workspace", "show"], "'workspace'"),
        (["job", "list", "--frob"], "--frob"),
        (["job", "create"], "--file"),
        (["job", "create", "--fil", "x.yml"], "--fil"),
        (["environment", "list", "--output", "xml"], "'xml'"),
        (["environment", "list", "--query", "[?"], "not valid JMESPath"),
        (["job", "show", "--name", "../../etc"], "is not a name of a job"),
        (["job", "create", "--file", "absent.yml"], "absent.yml: no such file"),
    ],
)
def test_a_wrong_call_ends_with_one_line_that_names_it(engine, call, named):
    done = engine.run(*call, code=2)
    assert named in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_the_flags_of_the_cli_that_mean_nothing_here_are_taken(engine):
    engine.run("environment", "list", "-g", "group", "-w", "workspace", "--subscription", "0")


def test_output_has_the_shapes_of_the_cli(engine):
    listed = ("environment", "list", "--query", "[].{name: name, version: version}")
    assert json.loads(engine.run(*listed).stdout) == [{"name": "env", "version": "1"}]
    assert engine.run(*listed, "--output", "tsv").stdout == "env\t1\n"
    assert engine.run(*listed, "--output", "table").stdout == "Name    Version\n------  ---------\nenv     1\n"
    assert engine.run(*listed, "--output", "yaml").stdout == "- name: env\n  version: '1'\n"
    assert engine.run(*listed, "--output", "none").stdout == ""
    one = ("environment", "show", "--name", "env", "--version", "1", "--query", "version", "-o", "tsv")
    assert engine.run(*one).stdout == "1\n"


def test_a_warning_of_a_verb_is_one_line_on_stderr_before_its_end(engine):
    """By a process of its own: pytest takes what is logged in this one."""
    code = {"code": ".", "scoring_script": "score.py"}
    spec = {"name": "blue", "endpoint_name": "shop", "type": "kubernetes", "model": "azureml:m:1"}
    engine.write(
        "d.yml", {**spec, "environment": "azureml:env:1", "code_configuration": code, "model_mount_path": "/m"}
    )
    _, err = engine.start("online-deployment", "create", "--file", "d.yml").communicate(timeout=60)
    warning, error = err.splitlines()
    assert warning == "warning: d.yml:9: model_mount_path: here the model lies at $AZUREML_MODEL_DIR only"
    assert error.startswith("error: online endpoint shop does not exist here")

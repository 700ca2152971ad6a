"""Versioned assets: immutable, numbered, found by version or label."""

import pytest


@pytest.fixture
def data(engine):
    engine.write("sales/a.csv", "1\n")
    engine.write("data.yml", {"name": "sales", "version": "1", "type": "uri_folder", "path": "sales"})
    return engine


def test_the_same_content_again_is_no_change(data):
    first = data.json("data", "create", "--file", "data.yml")
    assert data.json("data", "create", "--file", "data.yml") == first


def test_other_content_under_the_same_version_is_an_error(data):
    data.run("data", "create", "--file", "data.yml")
    data.write("sales/a.csv", "2\n")
    done = data.run("data", "create", "--file", "data.yml", code=2)
    assert "data sales:1 is registered with other content" in done.stderr
    assert "raise `version`" in done.stderr


def test_a_registered_version_does_not_change_with_its_source(data):
    data.run("data", "create", "--file", "data.yml")
    data.write("sales/a.csv", "2\n")
    kept = data.jobs_left("assets/data/sales/1/content/sales/a.csv")
    assert [path.read_text() for path in kept] == ["1\n"]


def test_without_a_version_the_next_number_is_taken_and_ten_follows_nine(data):
    for _ in range(11):
        data.run("data", "create", "--name", "sales", "--path", "sales", "--output", "none")
    shown = data.json("data", "list", "--name", "sales", "--query", "[].version")
    assert shown == [str(number) for number in range(11, 0, -1)]
    assert data.json("data", "show", "--name", "sales", "--label", "latest")["version"] == "11"


def test_a_component_version_is_immutable_in_spec_and_code(engine):
    engine.component("step", "print(1)\n")
    engine.run("component", "create", "--file", "step.yml")
    engine.run("component", "create", "--file", "step.yml")
    engine.write("src/step/step.py", "print(2)\n")
    assert "component step:1" in engine.run("component", "create", "--file", "step.yml", code=2).stderr
    assert engine.json("component", "create", "--file", "step.yml", "--version", "2")["version"] == "2"


def test_a_registered_component_runs_as_it_was_registered(engine):
    engine.component("step", "print('as registered')\n")
    engine.run("component", "create", "--file", "step.yml")
    engine.write("src/step/step.py", "raise SystemExit(1)\n")
    engine.pipeline({"only": {"component": "azureml:step:1"}})
    assert engine.job()["status"] == "Completed"


def test_an_environment_version_is_immutable_in_its_build_context(engine):
    engine.write("image/Dockerfile", "FROM example.com/a:1\n")
    engine.write("built.yml", {"name": "built", "version": "1", "build": {"path": "image"}})
    engine.run("environment", "create", "--file", "built.yml")
    engine.write("image/Dockerfile", "FROM example.com/a:2\n")
    assert "environment built:1" in engine.run("environment", "create", "--file", "built.yml", code=2).stderr


def test_a_connection_with_a_password_is_refused_and_kept_nowhere(engine):
    spec = {"name": "warehouse", "type": "snowflake", "target": "jdbc:snowflake://x.snowflakecomputing.com"}
    engine.write("c.yml", {**spec, "credentials": {"type": "username_password", "username": "u", "password": "s3cret"}})
    done = engine.run("connection", "create", "--file", "c.yml", code=2)
    assert "c.yml:7: a secret does not belong into a spec" in done.stderr
    assert not any(b"s3cret" in path.read_bytes() for path in engine.home.rglob("*") if path.is_file())
    engine.write("c.yml", spec)
    engine.run("connection", "create", "--file", "c.yml")
    assert engine.json("connection", "show", "--name", "warehouse")["target"] == spec["target"]
    assert [each["name"] for each in engine.json("connection", "list")] == ["warehouse"]


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden"])
def test_a_name_cannot_leave_the_state_folder(data, name):
    done = data.run("data", "create", "--name", name, "--path", "sales", code=2)
    assert done.stderr.startswith("error: ")


def test_an_asset_that_is_not_registered_is_an_error_that_names_the_list_verb(engine):
    done = engine.run("data", "show", "--name", "nothing", "--version", "1", code=2)
    assert done.stderr == "error: data nothing:1 is not registered here: `localml data list` shows what is\n"

"""A component that names what it carries by additional_includes, as azure-ai-ml merges it."""

import pytest

COMPONENT = {
    "name": "step",
    "version": "1",
    "type": "command",
    "inputs": {},
    "outputs": {"out": {"type": "uri_folder"}},
    "additional_includes": ["lib/one", "lib/two", "lib/extra.py"],
    "environment": "azureml:env:1",
    "command": "python -m one.main ${{outputs.out}}",
}
MAIN = "import sys, pathlib, two.answer, extra\npathlib.Path(sys.argv[1], 'x').write_text(two.answer.TEXT)\n"


@pytest.fixture
def project(engine):
    engine.write("lib/one/main.py", MAIN)
    engine.write("lib/two/answer.py", "TEXT = 'forty-two'\n")
    engine.write("lib/three/other.py", "")
    engine.write("lib/extra.py", "")
    engine.write("step.yml", COMPONENT)
    engine.pipeline({"a": {"component": "step.yml"}})
    return engine


def test_a_component_without_code_runs_with_its_includes_beside_each_other(project):
    project.job()
    assert [path.read_text() for path in project.jobs_left("outputs/*/out/x")] == ["forty-two"]


def test_what_is_not_included_is_missing_as_on_azure(project):
    project.write("lib/one/main.py", "import three.other\n")
    project.run("job", "create", "--file", "pipeline.yml", "--stream", code=1)


def test_an_edit_beside_the_includes_reuses_the_step_and_one_in_them_does_not(project):
    project.job()
    project.write("lib/three/other.py", "# edited\n")
    project.job()
    assert len(project.jobs_left("outputs/*")) == 1
    project.write("lib/two/answer.py", "TEXT = 'changed'\n")
    project.job()
    assert len(project.jobs_left("outputs/*")) == 2


def test_a_registered_component_keeps_what_it_carried(project):
    project.run("component", "create", "--file", "step.yml")
    project.run("component", "create", "--file", "step.yml")
    project.write("lib/two/answer.py", "TEXT = 'changed'\n")
    assert "step" in project.run("component", "create", "--file", "step.yml", code=2).stderr
    project.pipeline({"a": {"component": "azureml:step:1"}})
    project.job()
    assert [path.read_text() for path in project.jobs_left("outputs/*/out/x")] == ["forty-two"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"additional_includes": ["lib/no"]}, "step.yml:9: unable to find additional include lib/no"),
        ({"code": "lib"}, "step.yml:9: a file already exists for additional include lib/one in lib"),
    ],
)
def test_what_azure_refuses_is_refused_with_its_line(project, change, message):
    project.write("step.yml", {**COMPONENT, **change})
    stderr = project.run("job", "create", "--file", "pipeline.yml", "--stream", code=2).stderr
    assert message in stderr
    assert stderr.count("\n") == 1

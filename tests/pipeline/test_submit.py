"""What is refused before a job is submitted, and which component each node of it runs."""

from pathlib import Path

import pytest
import yaml

from amlspec.errors import UserError
from pipeline import components, submit

ROOT = Path(__file__).parents[2]
PIPELINES = sorted((ROOT / "ml/pipelines").glob("*.yml"))
VAULT = "jobs.import.inputs.vault_url=https://v.vault.azure.net"


@pytest.mark.parametrize(
    ("sign_in", "settings", "refused"),
    [
        ("workload_identity", [], False),
        ("key_pair", [], True),
        ("key_pair", [VAULT], False),
        ("key_pair", ["jobs.import.inputs.vault_url="], True),
        ("workload_identity", ["inputs.sign_in=key_pair"], True),
        ("key_pair", ["inputs.sign_in=workload_identity"], False),
    ],
)
def test_a_key_without_its_vault_is_refused_with_the_line_that_asks_for_it(tmp_path, sign_in, settings, refused):
    spec = tmp_path / "import.yml"
    spec.write_text(f"type: pipeline\ninputs:\n  sign_in: {sign_in}\njobs: {{}}\n")
    if not refused:
        return submit.check_vault(spec, settings)
    with pytest.raises(UserError, match=r"import.yml:3: key_pair, .* make outputs-infra ENV=.*VAULT_URI=") as error:
        submit.check_vault(spec, settings)
    assert error.value.exit_code == 2
    return None


@pytest.mark.parametrize("spec", PIPELINES, ids=lambda path: path.stem)
def test_every_node_is_set_to_its_components_name_and_version(spec):
    settings = dict(each.split("=") for each in components.settings(spec))
    for node, job in yaml.safe_load(spec.read_text())["jobs"].items():
        field = "trial" if job["type"] == "sweep" else "component"
        component = yaml.safe_load((spec.parent / job[field]).read_text())
        assert settings[f"jobs.{node}.{field}"] == f"azureml:{component['name']}:{component['version']}"


def test_a_node_that_is_registered_already_or_has_its_command_stays(tmp_path):
    jobs = {"a": {"component": "azureml:x:1"}, "b": {"command": "true"}}
    (tmp_path / "p.yml").write_text(yaml.safe_dump({"type": "pipeline", "jobs": jobs}))
    assert components.settings(tmp_path / "p.yml") == []


def test_a_component_without_a_version_cannot_be_named(tmp_path):
    (tmp_path / "c.yml").write_text("name: c\n")
    (tmp_path / "p.yml").write_text(yaml.safe_dump({"jobs": {"a": {"component": "c.yml"}}}))
    with pytest.raises(UserError, match=r"c.yml:1: a component that is registered needs `version`"):
        components.settings(tmp_path / "p.yml")


@pytest.mark.slow
@pytest.mark.parametrize("spec", PIPELINES, ids=lambda path: path.stem)
def test_the_submitted_body_names_the_registered_components_and_keeps_limits_and_identity(spec):
    """azure-ai-ml makes the body; a component from a file would stand there under a name of its own making."""
    from azure.ai.ml import load_job  # noqa: PLC0415 - takes seconds

    settings = components.settings(spec)
    job = load_job(spec, params_override=[dict([each.split("=", 1)]) for each in settings])
    nodes = job._to_rest_object().properties.jobs
    assert {_named(name, node) for name, node in nodes.items()} == set(settings)
    # The SDK writes a sweep's limits as they stand in the YAML, in seconds.
    timed = [node for node in nodes.values() if node["type"] != "parallel"]  # that has a time for each mini-batch
    assert all(str(node["limits"]["timeout"]).startswith(("PT", "7200")) for node in timed)
    for name, job in yaml.safe_load(spec.read_text())["jobs"].items():
        assert ("identity" in job) == ("identity" in nodes[name])


def _named(node, body):
    """The setting that names a node's component, from the submitted body."""
    if body["type"] == "sweep":
        return f"jobs.{node}.trial=azureml:{body['trial']['componentId']}"
    return f"jobs.{node}.component=azureml:{body['componentId']}"

"""References to assets of the workspace are parsed in one place."""

import pytest

from amlspec.references import Reference, is_named


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("azureml:demand:2", Reference("demand", "2")),
        ("azureml:demand@latest", Reference("demand", label="latest")),
        ("azureml:cpu-cluster", Reference("cpu-cluster")),
        ("azureml:demand:1.0-rc1", Reference("demand", "1.0-rc1")),
    ],
)
def test_a_reference_has_a_name_and_a_version_or_a_label(text: str, parsed: Reference) -> None:
    assert Reference.parse(text) == parsed
    assert str(parsed) == text


@pytest.mark.parametrize(
    "text",
    [
        "./train.yml",
        "azureml://datastores/workspaceblobstore/paths/sales",
        "azureml://registries/azureml/environments/x/versions/1",
        "azureml:demand:1:2",
        "azureml:demand:1@latest",
        "azureml:",
        "azureml:demand:",
        None,
        3,
    ],
)
def test_anything_else_is_not_a_reference(text: object) -> None:
    assert Reference.parse(text) is None


def test_only_a_version_or_latest_leads_to_one_version() -> None:
    assert Reference("a", "1").is_resolvable
    assert Reference("a", label="latest").is_resolvable
    assert not Reference("a", label="champion").is_resolvable
    assert not Reference("a").is_resolvable


def test_a_resource_id_names_the_same_asset() -> None:
    resource = "/subscriptions/0/resourceGroups/g/providers/M/workspaces/w/environments/demand/versions/2"
    assert Reference.of_resource(resource) == Reference.parse("azureml:demand:2")
    assert Reference.of_resource("azureml:demand:2") == Reference("demand", "2")
    assert Reference.of_resource("mcr.microsoft.com/azureml/x:20260901.v1") is None


def test_a_uri_is_not_an_asset_by_name() -> None:
    assert is_named("azureml:demand:2")
    assert not is_named("azureml://datastores/x/paths/y")

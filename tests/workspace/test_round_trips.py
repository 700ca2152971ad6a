"""Every kind of asset by the real SDK: made, shown, listed, archived and restored, made again, and made otherwise."""

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that the assets are made of."""
    folder = tmp_path_factory.mktemp("files")
    for name, text in {"code/go.py": "print(1)\n", "table/MLTable": "paths: []\n", "one.csv": "a\n"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "context").mkdir()
    (folder / "context" / "Dockerfile").write_text("FROM scratch\n")
    (folder / "model").mkdir()
    (folder / "model" / "weights.bin").write_bytes(bytes(range(256)))
    return folder


def made(kind: str, folder: Path, version: str, text: str = "first", name: str = "round") -> Any:
    """An asset to be made; `text` is its description."""
    from azure.ai.ml import load_component  # noqa: PLC0415 - takes seconds
    from azure.ai.ml.entities import BuildContext, Data, Environment, Model  # noqa: PLC0415 - takes seconds

    if kind == "environments":
        return Environment(name=name, version=version, description=text, build=BuildContext(path=folder / "context"))
    if kind == "data":
        return Data(name=name, version=version, description=text, type="uri_file", path=str(folder / "one.csv"))
    if kind == "models":
        return Model(name=name, version=version, description=text, type="custom_model", path=str(folder / "model"))
    spec = folder / "component.yml"
    spec.write_text(
        f'name: {name}\nversion: "{version}"\ndescription: {text}\ntype: command\ncode: code\n'
        "environment: azureml:plain:1\ninputs:\n  n: {type: integer, default: 3, min: 1}\n"
        "command: python go.py ${{inputs.n}}\n"
    )
    return load_component(spec)


KINDS = ("environments", "data", "models", "components")


@pytest.fixture(scope="module", autouse=True)
def environment(client: Any) -> None:
    """The environment that the component names."""
    from azure.ai.ml.entities import Environment  # noqa: PLC0415 - takes seconds

    client.environments.create_or_update(Environment(name="plain", version="1", image="ubuntu:24.04"))


@pytest.fixture(scope="module", autouse=True)
def first_versions(client: Any, files: Path, environment: None) -> None:
    """Version 1 of every kind, so that each test stands alone on whichever worker runs it."""
    for kind in KINDS:
        getattr(client, kind).create_or_update(made(kind, files, "1"))


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_made_is_shown_and_listed(client: Any, files: Path, kind: str) -> None:
    operations = getattr(client, kind)
    created = operations.create_or_update(made(kind, files, "1"))
    shown = operations.get("round", version="1")
    assert (shown.name, shown.version, shown.description, shown.id) == ("round", "1", "first", created.id)
    assert [each.version for each in operations.list("round")] == ["1"]
    assert "round" in [each.name for each in operations.list()]
    assert operations.get("round", label="latest").version == "1"


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_again_is_no_change(client: Any, files: Path, kind: str) -> None:
    operations = getattr(client, kind)
    first = operations.get("round", version="1")
    again = operations.create_or_update(made(kind, files, "1"))
    assert again.id == first.id
    assert [each.version for each in operations.list("round")] == ["1"]


def test_another_content_under_a_version_is_a_conflict(client: Any, files: Path) -> None:
    from azure.core.exceptions import ResourceExistsError  # noqa: PLC0415 - takes seconds

    (files / "one.csv").write_text("b\n")
    with pytest.raises(ResourceExistsError, match="versions do not change"):
        client.data.create_or_update(made("data", files, "1"))
    (files / "one.csv").write_text("a\n")


@pytest.mark.parametrize("kind", KINDS)
def test_an_archived_version_is_not_listed_until_it_is_restored(client: Any, files: Path, kind: str) -> None:
    operations = getattr(client, kind)
    for version, text in (("1", "first"), ("2", "second")):
        operations.create_or_update(made(kind, files, version, text, "archived"))
    operations.archive("archived", version="2")
    assert [each.version for each in operations.list("archived")] == ["1"]
    assert operations.get("archived", version="2").description == "second"
    operations.restore("archived", version="2")
    assert [each.version for each in operations.list("archived")] == ["2", "1"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_that_nobody_made_is_not_found(client: Any, kind: str) -> None:
    from azure.core.exceptions import ResourceNotFoundError  # noqa: PLC0415 - takes seconds

    with pytest.raises(ResourceNotFoundError):
        getattr(client, kind).get("nobody", version="1")
    with pytest.raises(ResourceNotFoundError):
        list(getattr(client, kind).list("nobody"))


def test_a_model_is_downloaded_as_it_was(client: Any, files: Path, tmp_path: Path) -> None:
    client.models.download("round", version="1", download_path=tmp_path)
    assert (tmp_path / "round" / "model" / "weights.bin").read_bytes() == bytes(range(256))


def test_tags_of_a_model_change_and_its_content_stays(client: Any) -> None:
    model = client.models.get("round", version="1")
    model.tags = {"champion": "2026-11-25"}
    client.models.create_or_update(model)
    assert client.models.get("round", version="1").tags == {"champion": "2026-11-25"}


def test_data_is_given_the_next_version_where_none_is_named(client: Any, files: Path) -> None:
    from azure.ai.ml.entities import Data  # noqa: PLC0415 - takes seconds

    for version, text in (("1", "x"), ("2", "y")):
        (files / "table" / "rows.csv").write_text(text)
        made_data = client.data.create_or_update(Data(name="counted", type="uri_folder", path=str(files / "table")))
        assert made_data.version == version


def test_a_large_file_goes_up_in_blocks_and_is_kept_whole(client: Any, files: Path, workspace: Any) -> None:
    from azure.ai.ml.entities import Data  # noqa: PLC0415 - takes seconds

    content = bytes(range(256)) * (70 << 12)  # 70 MiB; above 64 MiB azure-storage-blob sends blocks
    (files / "large.bin").write_bytes(content)
    made_data = client.data.create_or_update(Data(name="large", type="uri_file", path=str(files / "large.bin")))
    assert "/large.bin" in made_data.path
    assert next((workspace.home / "datastores").rglob("large.bin")).read_bytes() == content


def test_a_compute_is_attached_shown_and_listed(client: Any) -> None:
    from azure.ai.ml.entities import KubernetesCompute  # noqa: PLC0415 - takes seconds

    cluster = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/aks"
    spec = KubernetesCompute(name="cluster", resource_id=cluster, namespace="demand")
    client.compute.begin_attach(spec).result()
    shown = client.compute.get("cluster")
    assert (shown.type, shown.resource_id, shown.namespace) == ("kubernetes", cluster, "demand")
    assert [each.name for each in client.compute.list()] == ["cluster"]


def test_both_datastores_are_there(client: Any) -> None:
    assert [each.name for each in client.datastores.list()] == ["workspaceblobstore", "workspaceartifactstore"]
    assert client.datastores.get_default().name == "workspaceblobstore"


def test_a_connection_is_made_shown_listed_and_removed(client: Any) -> None:
    from azure.ai.ml.entities import WorkspaceConnection  # noqa: PLC0415 - takes seconds

    made_connection = WorkspaceConnection(
        name="snow", type="snowflake", target="jdbc:snowflake://x.snowflakecomputing.com", credentials=None
    )
    client.connections.create_or_update(made_connection)
    shown = client.connections.get("snow")
    assert (shown.name, shown.target) == ("snow", "jdbc:snowflake://x.snowflakecomputing.com")
    assert [each.name for each in client.connections.list()] == ["snow"]
    client.connections.delete("snow")
    assert list(client.connections.list()) == []


def test_schedules_are_listed_and_there_are_none(client: Any) -> None:
    assert list(client.schedules.list()) == []

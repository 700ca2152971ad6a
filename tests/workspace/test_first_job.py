"""The thin path, with the real SDK: environment, data, component, a job that really runs, its log and its output."""

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

SCRIPT = """\
import pathlib, sys
print("hello from the step")
text = pathlib.Path(sys.argv[1]).read_text()
pathlib.Path(sys.argv[2], "twice.txt").write_text(text * 2)
"""


@pytest.fixture(scope="module")
def job(client: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A job of one command that has ended."""
    from azure.ai.ml import Input, Output, command  # noqa: PLC0415 - takes seconds
    from azure.ai.ml.entities import Data, Environment  # noqa: PLC0415 - takes seconds

    folder = tmp_path_factory.mktemp("project")
    (folder / "code").mkdir()
    (folder / "code" / "twice.py").write_text(SCRIPT)
    (folder / "sales.csv").write_text("a,b\n")
    client.environments.create_or_update(Environment(name="plain", version="1", image="ubuntu:24.04"))
    data = Data(name="sales", version="1", type="uri_file", path=str(folder / "sales.csv"))
    client.data.create_or_update(data)
    made = command(
        code=str(folder / "code"),
        command="python twice.py ${{inputs.sales}} ${{outputs.result}}",
        environment="plain:1",
        inputs={"sales": Input(type="uri_file", path="azureml:sales:1")},
        outputs={"result": Output(type="uri_folder")},
        display_name="twice",
        experiment_name="workspace-tests",
    )
    submitted = client.jobs.create_or_update(made)
    client.jobs.stream(submitted.name)
    return client.jobs.get(submitted.name)


def test_a_submitted_job_really_runs(job: Any) -> None:
    assert (str(job.status.value), job.display_name, job.experiment_name) == ("Completed", "twice", "workspace-tests")


def test_its_output_is_downloaded(client: Any, job: Any, tmp_path: Path) -> None:
    client.jobs.download(job.name, download_path=tmp_path, output_name="result")
    assert (tmp_path / "named-outputs/result/twice.txt").read_text() == "a,b\na,b\n"


def test_its_log_is_downloaded(client: Any, job: Any, tmp_path: Path) -> None:
    client.jobs.download(job.name, download_path=tmp_path)
    assert (tmp_path / "artifacts/user_logs/std_log.txt").read_text() == "hello from the step\n"


def test_it_is_listed(client: Any, job: Any) -> None:
    assert job.name in [each.name for each in client.jobs.list()]


def test_the_same_name_is_not_run_again(client: Any, job: Any, workspace: Any) -> None:
    record = workspace.home / "jobs" / job.name / "job.json"
    before = record.read_bytes()
    client.jobs.create_or_update(job)
    assert record.read_bytes() == before


def test_an_output_is_the_input_of_the_next_job_and_a_model_by_its_address(client: Any, job: Any) -> None:
    from azure.ai.ml import Input, command  # noqa: PLC0415 - takes seconds
    from azure.ai.ml.entities import Model  # noqa: PLC0415 - takes seconds

    address = f"azureml://datastores/workspaceblobstore/paths/azureml/{job.name}/result"
    read = Input(type="uri_folder", path=f"{address}/")
    step = command(command="cat ${{inputs.made}}/twice.txt", environment="plain:1", inputs={"made": read})
    submitted = client.jobs.create_or_update(step)
    client.jobs.stream(submitted.name)
    assert client.jobs.get(submitted.name).status == "Completed"
    first = client.models.create_or_update(Model(name="twice", version="1", type="custom_model", path=address))
    client.models.create_or_update(Model(name="twice", version="2", type="custom_model", path=first.path))
    assert sorted(each.version for each in client.models.list("twice")) == ["1", "2"]


def test_an_address_does_not_climb_out_of_its_store(client: Any, job: Any) -> None:
    from azure.ai.ml.entities import Model  # noqa: PLC0415 - takes seconds
    from azure.core.exceptions import HttpResponseError  # noqa: PLC0415 - takes seconds

    path = f"azureml://datastores/workspaceblobstore/paths/azureml/{job.name}/result/../../.."
    with pytest.raises(HttpResponseError, match="climb out"):
        client.models.create_or_update(Model(name="climber", version="1", type="custom_model", path=path))

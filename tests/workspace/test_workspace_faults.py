"""Faults of the network and the service under the real SDK: nothing lost, nothing doubled, the next call goes on."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import workspace_kit

pytestmark = pytest.mark.slow

# A client of its own, that can be killed.
SUBMIT = """\
import os, sys
from azure.ai.ml import MLClient, command
from azure.identity import DefaultAzureCredential
names = [os.environ[key] for key in ("AZURE_SUBSCRIPTION_ID", "AZURE_DEFAULTS_GROUP", "AZURE_DEFAULTS_WORKSPACE")]
ml = MLClient(DefaultAzureCredential(), *names)
job = command(name=sys.argv[1], command="echo once", code=sys.argv[2], environment="plain:1")
print(ml.jobs.create_or_update(job).name)
"""


@pytest.fixture(autouse=True)
def no_faults_are_left(workspace: Any) -> Any:
    yield
    workspace.faults()


@pytest.fixture(scope="module", autouse=True)
def environment(client: Any) -> None:
    """The environment of every job here."""
    from azure.ai.ml.entities import Environment  # noqa: PLC0415 - takes seconds

    client.environments.create_or_update(Environment(name="plain", version="1", image="ubuntu:24.04"))


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A snapshot that no test before had."""
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "note.txt").write_text(str(tmp_path))
    (folder / "large.bin").write_bytes(os.urandom(300_000))
    return folder


def job(name: str, code: Path) -> Any:
    """A job of one command."""
    from azure.ai.ml import command  # noqa: PLC0415

    return command(name=name, command="cat note.txt", code=str(code), environment="plain:1")


def jobs(workspace: Any) -> list[str]:
    return sorted(path.parent.name for path in (workspace.home / "jobs").glob("*/job.json"))


def calls(workspace: Any, method: str, part: str) -> list[str]:
    """Lines of the access log."""
    lines = (workspace.home / "workspace" / "access.log").read_text().splitlines()
    return [line for line in lines if f'"method": "{method}"' in line and part in line]


def test_a_submission_whose_answer_got_lost_runs_once(client: Any, workspace: Any, code: Path) -> None:
    workspace.faults({"method": "PUT", "path": "/jobs/lost$", "cut": True, "after": True})
    assert client.jobs.create_or_update(job("lost", code)).name == "lost"
    assert len(calls(workspace, "PUT", "/jobs/lost")) == 2
    assert jobs(workspace).count("lost") == 1


def test_a_refusal_before_the_effect_is_tried_again(client: Any, workspace: Any, code: Path) -> None:
    workspace.faults(
        {"method": "PUT", "path": "/jobs/refused$", "status": 503}, {"path": "/discovery/", "status": 429, "at": 1}
    )
    assert client.jobs.create_or_update(job("refused", code)).name == "refused"
    assert "refused" in jobs(workspace)


def test_an_upload_that_is_cut_off_arrives_whole(client: Any, workspace: Any, code: Path) -> None:
    workspace.faults({"method": "PUT", "path": "/large.bin$", "cut": True})
    client.jobs.create_or_update(job("uploaded", code))
    kept = {path.read_bytes() for path in (workspace.home / "workspace/code").rglob("large.bin")}
    assert (code / "large.bin").read_bytes() in kept
    assert len(calls(workspace, "PUT", "/large.bin")) >= 2


def test_a_fault_that_stays_is_an_error_and_leaves_no_job(client: Any, workspace: Any, code: Path) -> None:
    from azure.core.exceptions import HttpResponseError  # noqa: PLC0415

    workspace.faults({"method": "PUT", "path": "/jobs/never$", "status": 400, "at": None})
    with pytest.raises(HttpResponseError, match="InjectedFault"):
        client.jobs.create_or_update(job("never", code))
    assert "never" not in jobs(workspace)
    workspace.faults()
    assert client.jobs.create_or_update(job("never", code)).name == "never"


def test_a_client_that_was_killed_in_the_middle_submits_the_same_again(workspace: Any, code: Path) -> None:
    variables = {**os.environ, **workspace.variables}
    command = [sys.executable, "-c", SUBMIT, "killed", str(code)]
    workspace.faults({"method": "PUT", "path": "/jobs/killed$", "seconds": 60})
    before = len(calls(workspace, "POST", "startPendingUpload"))
    first = subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(calls(workspace, "POST", "startPendingUpload")) == before and time.monotonic() < deadline:
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert "killed" not in jobs(workspace)
    workspace.faults()
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert jobs(workspace).count("killed") == 1


def test_two_clients_that_submit_the_same_name_run_one_job(workspace: Any, client: Any, code: Path) -> None:
    body = {
        "properties": {
            "jobType": "Command",
            "command": "echo one",
            "environmentId": f"{workspace.id}/environments/plain/versions/1",
        }
    }

    def put(_: int) -> int:
        return int(workspace.arm("PUT", "/jobs/shared", body, "2025-01-01-preview").status_code)

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(put, range(4))) <= {200, 201}
    assert jobs(workspace).count("shared") == 1


def test_a_server_that_was_started_anew_knows_everything(workspace: Any, client: Any) -> None:
    before = [each.name for each in client.jobs.list()]
    workspace_kit.run(workspace.home, "stop")
    again = workspace_kit.start(workspace.home, "--port", workspace.url.rpartition(":")[2])
    assert again.url == workspace.url
    assert [each.name for each in client.jobs.list()] == before

"""`python -m workspace`, as a user calls it."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import workspace_kit

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A state folder whose name has a blank."""
    folder = tmp_path / "state of mine"
    folder.mkdir()
    return folder


def test_a_second_start_finds_the_first_and_a_stop_ends_it(home: Path) -> None:
    first = workspace_kit.start(home)
    assert workspace_kit.start(home).url == first.url
    assert workspace_kit.run(home, "stop") == "Ended: the workspace\n"
    assert workspace_kit.run(home, "stop") == "Nothing was running\n"


def test_other_names_are_taken_by_a_server_that_runs(home: Path) -> None:
    workspace_kit.start(home)
    renamed = workspace_kit.start(home, "--group", "dev-rg", "--name", "dev-mlw")
    assert renamed.variables["AZURE_DEFAULTS_GROUP"] == "dev-rg"
    path = renamed.id.replace("resourceGroups/local", "resourceGroups/dev-rg").replace(
        "workspaces/local", "workspaces/dev-mlw"
    )
    assert renamed.request("GET", f"{path}?api-version=2024-10-01-preview").json()["name"] == "dev-mlw"
    workspace_kit.run(home, "stop")


def test_a_port_that_is_in_use_is_one_line(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = workspace_kit.run(home, "start", "--port", str(taken.getsockname()[1]), code=1)
    assert "is in use: give another, make workspace PORT=<port>" in said
    assert len(said.splitlines()) == 1


def test_localml_serve_is_the_same(home: Path) -> None:
    env = {**os.environ, "LOCALML_HOME": str(home)}
    command = [sys.executable, "-m", "localml", "serve"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Workspace local in group local: https://127.0.0.1:")
    workspace_kit.run(home, "stop")

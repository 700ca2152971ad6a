"""A workspace of its own for each module of tests, and the real SDK in front of it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

ROOT = Path(__file__).parents[2]
# What the SDK notes in the environment, and would ask for after the server is gone.
_LEFT = ("AZUREML_CURRENT_CLOUD_NAME",)


@dataclass(frozen=True)
class Workspace:
    """A server that runs, its state folder, and the variables by which a client comes to it."""

    home: Path
    variables: dict[str, str]

    @property
    def url(self) -> str:
        return self.variables["ARM_CLOUD_METADATA_URL"].removesuffix("/metadata/endpoints")

    @property
    def ca(self) -> str:
        return self.variables["REQUESTS_CA_BUNDLE"]

    @property
    def id(self) -> str:
        subscription = self.variables["AZURE_SUBSCRIPTION_ID"]
        provider = "providers/Microsoft.MachineLearningServices"
        return f"/subscriptions/{subscription}/resourceGroups/local/{provider}/workspaces/local"

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        """A call by hand: `path` below the server's address, a token unless `headers` say otherwise."""
        given = {"Authorization": f"Bearer {self.token}"} | {
            key.replace("_", "-"): text for key, text in headers.items()
        }
        with requests.Session() as session:
            session.trust_env = False
            data = body if isinstance(body, bytes) else None
            prepared = session.prepare_request(
                requests.Request(method, self.url, headers=given, data=data, json=None if data is not None else body)
            )
            prepared.url = self.url + path  # requests would tidy up dots and slashes
            return session.send(prepared, verify=self.ca, timeout=30)

    def arm(self, method: str, path: str, body: Any = None, version: str = "2023-04-01-preview") -> requests.Response:
        """A call of Resource Manager below the workspace."""
        return self.request(method, f"{self.id}{path}?api-version={version}", body)

    @property
    def token(self) -> str:
        """A token, come by as azure-identity does."""
        given = {"X-IDENTITY-HEADER": self.variables["IDENTITY_HEADER"]}
        address = f"{self.url}/identity/token?api-version=2019-08-01&resource=https://management"
        return str(requests.get(address, headers=given, verify=self.ca, timeout=30).json()["access_token"])

    def faults(self, *rules: dict[str, Any]) -> None:
        """Let these faults happen, counted from now on; none without rules."""
        (self.home / "workspace" / "held.json").unlink(missing_ok=True)
        (self.home / "workspace" / "faults.json").write_text(json.dumps(rules))

    def log(self) -> str:
        """What the server said."""
        return (self.home / "workspace" / "server.log").read_text()


def start(home: Path, *words: str, **variables: str) -> Workspace:
    """Start the server of a state folder."""
    run(home, "start", *words, **variables)
    lines = (home / "workspace" / "env.sh").read_text().splitlines()
    pairs = (line.removeprefix("export ").partition("=") for line in lines)
    return Workspace(home, {key: value.strip("'") for key, _, value in pairs})


def run(home: Path, *words: str, code: int = 0, **variables: str) -> str:
    """`python -m workspace` as a user calls it; its output."""
    env = {key: value for key, value in os.environ.items() if key != "LOCALML_STRICT"}
    env |= {"LOCALML_HOME": str(home), **variables}
    command = [sys.executable, "-m", "workspace", *words]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace for the tests of one module."""
    home = tmp_path_factory.mktemp("home")
    yield start(home)
    run(home, "stop")


@pytest.fixture(scope="module")
def client(workspace: Workspace) -> Iterator[Any]:
    """The real MLClient, signed in as its documentation says."""
    with as_client_of(workspace):
        yield connect(workspace)


@contextmanager
def as_client_of(workspace: Workspace) -> Iterator[None]:
    """The variables by which the SDK comes to a workspace, and no others."""
    with pytest.MonkeyPatch.context() as patch:
        for key in (*_LEFT, "HTTPS_PROXY", "https_proxy"):
            patch.delenv(key, raising=False)
        for key, value in workspace.variables.items():
            patch.setenv(key, value)
        yield
        for key in _LEFT:
            os.environ.pop(key, None)


def connect(workspace: Workspace) -> Any:
    """A client; the variables are set."""
    from azure.ai.ml import MLClient  # noqa: PLC0415 - takes seconds
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - takes seconds

    names = ("AZURE_SUBSCRIPTION_ID", "AZURE_DEFAULTS_GROUP", "AZURE_DEFAULTS_WORKSPACE")
    given = [workspace.variables[name] for name in names]
    return MLClient(DefaultAzureCredential(), *given, show_progress=False, enable_telemetry=False)


@dataclass(frozen=True)
class Shell:
    """A shell in which the workspace's file for `az` was sourced, in this checkout."""

    home: Path

    def run(self, command: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """What a command prints; its exit code must be `code`, or may be any (None)."""
        done = self.begin(command)
        out, err = done.communicate()
        assert code is None or done.returncode == code, out + err
        return subprocess.CompletedProcess(command, done.returncode, out, err)

    def begin(self, command: str) -> "subprocess.Popen[str]":
        """The command, which runs."""
        script = f"source {self.home}/workspace/az.sh; {command}"
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        command, env = ["bash", "-c", script], variables_of_make(self.home)
        return subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True, **pipes)  # type: ignore[call-overload]


@contextmanager
def shell(home: Path, version: str) -> Iterator[Shell]:
    """`make workspace ENV=dev` with the azure-ai-ml of an extension, until `make stop`."""
    make(home, "workspace", "ENV=dev", f"AZ_VERSION={version}")
    try:
        yield Shell(home)
    finally:
        make(home, "stop")


def make(home: Path, *words: str) -> str:
    """A recipe of this checkout on a state folder; what it prints."""
    command = ["make", *words]
    done = subprocess.run(command, cwd=ROOT, env=variables_of_make(home), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def variables_of_make(home: Path) -> dict[str, str]:
    """Those of this process, but for what a make above it has left."""
    dropped = ("LOCALML_STRICT", "MAKEFLAGS", "MAKELEVEL", "AZ_ML", "ENV")
    return {key: value for key, value in os.environ.items() if key not in dropped} | {"LOCALML_HOME": str(home)}

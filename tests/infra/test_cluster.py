"""kubectl through `az aks command invoke`: what counts as done, what is tried again, what is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from amlspec.errors import UserError
from infra import cluster
from infra.cluster import Cluster, kubectl

AZ = """#!/usr/bin/env python3
import json, pathlib, sys
path = pathlib.Path({answers!r})
answers = json.loads(path.read_text())
answer = answers.pop(0) if len(answers) > 1 else answers[0]
path.write_text(json.dumps(answers))
sys.stderr.write(answer.get("stderr", ""))
sys.stdout.write(answer["stdout"] if "stdout" in answer else json.dumps(answer))
sys.exit(answer.get("exit", 0))
"""
FORBIDDEN = {"exitCode": 1, "logs": 'Error from server (Forbidden): namespaces is forbidden: User "x" cannot get'}


class Az:
    """An az with answers of its own; `waits` counts the pauses between tries."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path, self.waits = folder / "answers.json", list[float]()
        (folder / "az").write_text(AZ.format(answers=str(self.path)))
        (folder / "az").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
        monkeypatch.setattr(cluster.time, "sleep", self.waits.append)

    def will(self, *answers: dict[str, Any]) -> None:
        self.path.write_text(json.dumps(answers))


@pytest.fixture
def az(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Az:
    return Az(tmp_path, monkeypatch)


def run() -> str:
    return kubectl(Cluster("c", "g"), "kubectl get pods --namespace demand")


def test_the_output_of_a_command_that_ended_well_is_returned(az: Az) -> None:
    az.will({"exitCode": 0, "logs": "namespace/demand created\n"})
    assert run() == "namespace/demand created\n"
    assert az.waits == []


@pytest.mark.parametrize(
    "refusal",
    [FORBIDDEN, {"exit": 1, "stdout": "", "stderr": "ERROR: (AuthorizationFailed) The client\nCode: x"}],
)
def test_a_role_that_has_not_reached_the_cluster_is_waited_for(
    refusal: dict[str, Any], az: Az, capsys: pytest.CaptureFixture[str]
) -> None:
    az.will(refusal, refusal, {"exitCode": 0, "logs": "made"})
    assert run() == "made"
    assert len(az.waits) == 2
    assert capsys.readouterr().out.count("waiting up to 5 minutes") == 1


def test_the_wait_ends_after_five_minutes_with_the_missing_role(az: Az) -> None:
    az.will(FORBIDDEN)
    with pytest.raises(UserError, match="Azure Kubernetes Service RBAC Cluster Admin"):
        run()
    assert sum(az.waits) == 300


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"exitCode": 1, "logs": "error: the server has no such type\n"}, "ended with 1: error: the server has"),
        ({"exitCode": None, "logs": None, "reason": "no node fits"}, "did not run: no node fits"),
        ({"stdout": ""}, "did not run: no message"),
        ({"stdout": "0"}, "did not run: unexpected answer: 0"),
        ({"exit": 3, "stdout": "", "stderr": "WARNING: x\nERROR: the cluster is stopped\nTrace id 1"}, "is stopped"),
    ],
)
def test_any_other_failure_is_one_line_at_once(answer: dict[str, Any], says: str, az: Az) -> None:
    az.will(answer)
    with pytest.raises(UserError, match=says) as error:
        run()
    assert "\n" not in str(error.value)
    assert az.waits == []

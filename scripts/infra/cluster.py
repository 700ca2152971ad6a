"""kubectl on a cluster through Azure's control plane (`az aks command invoke`), which reaches a private one too."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from amlspec.errors import UserError
from infra.common import error_line, say

# A role assignment reaches the API server some minutes after it was made; the first deployment asks within seconds.
TRIES = 11
PAUSE_SECONDS = 30.0


class Cluster(NamedTuple):
    """An AKS cluster by name and resource group."""

    name: str
    group: str


class Answer(NamedTuple):
    """What a command in the cluster ended with; `code` is None where it did not run at all."""

    code: int | None
    text: str

    @property
    def is_forbidden(self) -> bool:
        """Whether the caller lacks a role on the cluster, as kubectl or Resource Manager says it."""
        return self.code != 0 and ("Forbidden" in self.text or "AuthorizationFailed" in self.text)


def kubectl(cluster: Cluster, command: str, files: Sequence[Path] = ()) -> str:
    """Run `command` in the cluster and return its output; `files` lie beside it by their names.

    A refusal is tried again for five minutes, because the role that allows it may be minutes old.

    Raises:
        UserError: the command failed or did not run.
    """
    for number in range(1, TRIES + 1):
        answer = _invoke(cluster, command, files)
        if answer.code == 0:
            return answer.text
        if not answer.is_forbidden or number == TRIES:
            break
        if number == 1:
            say(f"cluster {cluster.name} refuses: waiting up to 5 minutes for the role assignment to reach it")
        time.sleep(PAUSE_SECONDS)
    raise UserError(f"on cluster {cluster.name}: {command.partition(' --')[0]}: {_reason(answer)}", 1)


def _reason(answer: Answer) -> str:
    if answer.is_forbidden:
        return "forbidden: you need the role Azure Kubernetes Service RBAC Cluster Admin on it"
    ended = "did not run" if answer.code is None else f"ended with {answer.code}"
    return f"{ended}: {error_line(answer.text) or 'no message'}"


def _invoke(cluster: Cluster, command: str, files: Sequence[Path]) -> Answer:
    # `--output` makes the CLI return the answer as it is, and end with 0 whatever the command ended with.
    words = ["az", "aks", "command", "invoke", "--name", cluster.name, "--resource-group", cluster.group]
    attached = [word for file in files for word in ("--file", str(file))]
    done = subprocess.run(
        [*words, "--command", command, *attached, "--output", "json"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        return Answer(None, done.stderr)
    return _answer(done.stdout)


def _answer(text: str) -> Answer:
    try:
        answer: Any = json.loads(text)
    except json.JSONDecodeError:
        return Answer(None, text)
    if not isinstance(answer, dict):
        return Answer(None, f"unexpected answer: {text.strip()[:200]}")
    logs = str(answer.get("logs") or answer.get("reason") or "")
    code = answer.get("exitCode")
    return Answer(code if isinstance(code, int) else None, logs)

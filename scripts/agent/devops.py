"""Azure DevOps through the Azure CLI: `az devops|pipelines|repos`, and `az rest` for what these have no verb for."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from agent import screen
from amlspec.errors import UserError

# Azure DevOps as a resource of Entra ID: what `az rest` asks a token for.
RESOURCE = "499b84ac-1321-427f-aa17-267ca6975798"
VERSION, PREVIEW = "7.1", "7.1-preview.1"


class Devops:
    """One project; what changes it is only said in a dry run."""

    def __init__(self, organisation: str, project: str, is_dry: bool) -> None:
        self.organisation, self.project, self.is_dry = organisation.rstrip("/"), project, is_dry
        self.made = 0

    def read(self, *words: str, in_project: bool = True) -> Any:
        """The answer of a verb that changes nothing."""
        return _az([*words, *(self._where() if in_project else [])])

    def make(self, what: str, *words: str, in_project: bool = True) -> Any:
        """Say what is made, and make it; None in a dry run."""
        self.made += 1
        screen.say(f"{'would make' if self.is_dry else 'makes'} {what}")
        return None if self.is_dry else _az([*words, *(self._where() if in_project else [])])

    def make_with_file(self, what: str, body: Any, flag: str, *words: str) -> Any:
        """The same with a body in a file, so that nothing of it is quoted by a shell."""
        if self.is_dry:
            return self.make(what)
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / "body.json"
            path.write_text(json.dumps(body), encoding="utf-8")
            return self.make(what, *words, flag, str(path))

    def get(self, path: str, version: str = VERSION, host: str | None = None, **query: str) -> Any:
        """GET of the REST API."""
        return _az(self._rest("get", path, version, host, query))

    def send(self, what: str, method: str, path: str, body: Any, version: str = VERSION) -> Any:
        """POST or PATCH of the REST API; only said in a dry run."""
        self.made += 1
        screen.say(f"{'would make' if self.is_dry else 'makes'} {what}")
        if self.is_dry:
            return None
        with tempfile.TemporaryDirectory() as place:
            file = Path(place) / "body.json"
            file.write_text(json.dumps(body), encoding="utf-8")
            return _az([*self._rest(method, path, version, None, {}), "--body", f"@{file}"])

    def _rest(self, method: str, path: str, version: str, host: str | None, query: Mapping[str, str]) -> list[str]:
        base = host or f"{self.organisation}/{quote(self.project)}"
        given = urlencode({**query, "api-version": version})
        return ["rest", "--method", method, "--resource", RESOURCE, "--url", f"{base}/_apis/{path}?{given}"]

    def _where(self) -> list[str]:
        return ["--org", self.organisation, "--project", self.project]


def _az(words: list[str]) -> Any:
    az = shutil.which("az")
    if az is None:
        raise UserError("az is not on PATH: install the Azure CLI, https://aka.ms/azure-cli", 1)
    done = subprocess.run([az, *words, "--output", "json"], capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        said = next((line for line in lines if line.startswith("ERROR:")), lines[-1] if lines else "failed")
        raise UserError(f"az {' '.join(words[:4])}: {said}", 1)
    return json.loads(done.stdout) if done.stdout.strip() else None

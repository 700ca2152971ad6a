"""A copy of the repo's infrastructure with stand-ins for az and terraform on PATH."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from terraform_runs import AZ, ROOT

SUB = "11111111-2222-3333-4444-555555555555"
CLUSTER = f"/subscriptions/{SUB}/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c"
ME = "99999999-0000-0000-0000-000000000001"
VENV = Path(sys.executable).parents[1]
# A stand-in that logs its words, hands `-chdir` of other folders to the real program, and knows one plan.
TERRAFORM = """#!{python}
import json, os, pathlib, sys
words = sys.argv[1:]
if words[0] != "-chdir=infra":
    os.execv({real!r}, [{real!r}, *words])
if words[1] in ("plan", "apply") and os.environ["ARM_SUBSCRIPTION_ID"] != {subscription!r}:
    sys.exit("another subscription")
with open({log!r}, "a") as log:
    log.write(" ".join(words[1:]) + "\\n")
if words[1] == "plan":
    out = next(word[5:] for word in words if word.startswith("-out="))
    pathlib.Path("infra", out).write_text("plan")
if words[1:3] == ["show", "-json"]:
    print(pathlib.Path({plan!r}).read_text())
if words[1] == "output":
    print(pathlib.Path({outputs!r}).read_text())
if words[1] == os.environ.get("TERRAFORM_FAILS"):
    sys.exit(1)
"""


def token(**claims: str) -> str:
    """An access token with these claims; its signature is nobody's."""
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.signature"


class Machine:
    """A copy of the repo's infrastructure with programs of its own."""

    def __init__(self, folder: Path) -> None:
        self.repo, self.bin = folder / "repo", folder / "bin"
        self.log, self.plan_file, self.az_log = folder / "terraform.log", folder / "plan.json", folder / "az.jsonl"
        self.replies, self.outputs = folder / "replies.yml", folder / "outputs.json"
        self.bin.mkdir()
        self.repo.mkdir()
        (self.repo / "scripts").mkdir()
        # What make and ./demand read; older than .ready, or the environment would be made anew.
        of_scripts = [f"scripts/{file.name}" for file in (ROOT / "scripts").iterdir() if file.is_file()]
        for name in ("Makefile", "demand", "requirements.lock", "requirements-uv.txt", *of_scripts):
            shutil.copy(ROOT / name, self.repo / name)
            os.utime(self.repo / name, (0, 0))
        unwanted = shutil.ignore_patterns(
            ".terraform*", "*.deployed.mk", "*.backend.hcl", "*.log", "*plan*", "__pycache__"
        )
        shutil.copytree(ROOT / "infra", self.repo / "infra", symlinks=True, ignore=unwanted)
        shutil.copytree(ROOT / "scripts" / "infra", self.repo / "scripts" / "infra")
        (self.repo / "ml" / "deploy").mkdir(parents=True)
        shutil.copy(ROOT / "ml" / "deploy" / "instance-types.yml", self.repo / "ml" / "deploy")
        if AZ.exists():
            (self.bin / "az").symlink_to(AZ / "az")
        fake = TERRAFORM.format(
            python=sys.executable,
            real=shutil.which("terraform"),
            log=str(self.log),
            plan=str(self.plan_file),
            outputs=str(self.outputs),
            subscription=SUB,
        )
        (self.bin / "terraform").write_text(fake)
        (self.bin / "terraform").chmod(0o755)
        self.answer({})
        self.will()
        self.deployed(CLUSTER_ID=CLUSTER, SERVING_IDENTITY_ID="/subscriptions/s/id")

    def answer(self, replies: dict[str, Any]) -> None:
        invoked = {"exitCode": 0, "logs": "namespace/demand created"}
        base = {
            "account show": SUB,
            "account get-access-token": {"accessToken": token(oid=ME, scp="user_impersonation")},
            "aks command invoke": invoked,
            "feature show": {"properties": {"state": "Registered"}},
            "provider show": {"registrationState": "Registered"},
            "identity create .*plan": {"principalId": "plan-object", "clientId": "plan-client"},
            "identity create .*apply": {"principalId": "apply-object", "clientId": "apply-client"},
            "storage account show": f"/subscriptions/{SUB}/x",
        }
        self.replies.write_text(json.dumps({**replies, **{key: base[key] for key in base if key not in replies}}))

    def will(self, *changes: tuple[str, list[str]]) -> None:
        items = [
            {"address": a, "type": a.split(".")[0], "mode": "managed", "change": {"actions": verbs}}
            for a, verbs in changes
        ]
        self.plan_file.write_text(json.dumps({"planned_values": {}, "resource_changes": items}))

    def deployed(self, **values: str) -> None:
        text = (ROOT / "infra" / "outputs" / "dev.mk").read_text()
        make = dict(line.split(" := ") for line in text.splitlines() if " := " in line)
        self.outputs.write_text(json.dumps({"make": {"value": make}, "deployed": {"value": values}}))

    def environment(self) -> dict[str, str]:
        return {
            **{
                key: value
                for key, value in os.environ.items()
                if not key.startswith(("MAKE", "AZURE_", "ARM_", "MFLAGS")) and key not in ("CI", "TF_BUILD")
            },
            "PATH": f"{self.bin}:{VENV / 'bin'}:/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": str(self.repo / "scripts"),  # the copy's programs, before those of this checkout
            "AZ_OFFLINE_LOG": str(self.az_log),
            "AZ_OFFLINE_REPLIES": str(self.replies),
            "AZ_OFFLINE_SDK": sys.executable,
            "PYTHON": sys.executable,
            "BOOTSTRAP_TRIES": "3",
            "BOOTSTRAP_PAUSE": "0",
        }

    def make(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        return self.run(["make", f"VENV={VENV}", *words], env)

    def run(self, command: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
        everything = {**self.environment(), **env}
        return subprocess.run(command, cwd=self.repo, env=everything, text=True, capture_output=True, check=False)

    def terraform_calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def az_calls(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.az_log.read_text().splitlines()] if self.az_log.exists() else []

    def az_commands(self) -> list[str]:
        return [call["command"] for call in self.az_calls()]

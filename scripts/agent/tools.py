"""Tools of an agent at the versions of .azuredevops/variables.yml: what is missing is installed, another ends it."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from agent import screen
from amlspec.document import read_document
from amlspec.errors import UserError

FILE = Path(".azuredevops/variables.yml")
TOOLS = ("python", "terraform", "az")
_TERRAFORM = "https://releases.hashicorp.com/terraform/{0}/terraform_{0}_linux_amd64.zip"


def wanted() -> dict[str, str]:
    """The pinned versions, by the names of the file."""
    return {str(name): str(value) for name, value in read_document(FILE).table("variables").items()}


def hold(needs: Sequence[str], stands_in: bool) -> None:
    """Print the version of Python and of each tool that is needed; install Terraform and az's ml extension.

    Args:
        needs: of TOOLS.
        stands_in: on a laptop, where no Azure is called: Terraform and az need not be there.

    Raises:
        UserError: a tool that there is not, or one of another version.
    """
    if unknown := set(needs) - set(TOOLS):
        raise UserError(f"NEEDS: {', '.join(sorted(unknown))}: give {', '.join(TOOLS)}")
    pins = wanted()
    _python(pins)
    checks: dict[str, Callable[[Mapping[str, str]], None]] = {"terraform": _terraform, "az": _az}
    for tool in [each for each in checks if each in needs]:
        if stands_in:
            screen.say(f"stand-in: {tool} is not called here")
        else:
            checks[tool](pins)


def _python(pins: Mapping[str, str]) -> None:
    here = ".".join(map(str, sys.version_info[:2]))
    if here != pins["pythonVersion"]:
        raise UserError(f"Python {here} runs here, {FILE} says {pins['pythonVersion']}", 1)
    screen.say(f"python {sys.version.split()[0]}")


def _terraform(pins: Mapping[str, str]) -> None:
    version = pins["terraformVersion"]
    if _terraform_version("terraform") != version:
        folder = Path(os.environ.get("AGENT_TEMPDIRECTORY") or tempfile.gettempdir()) / f"terraform-{version}"
        _install(_TERRAFORM.format(version), pins["terraformSha256"], folder)
        if _terraform_version(str(folder / "terraform")) != version:
            raise UserError(f"the Terraform of {_TERRAFORM.format(version)} is of another version", 1)
        screen.say(f"##vso[task.prependpath]{folder}")
    screen.say(f"terraform {version}")


def _terraform_version(program: str) -> str | None:
    if not shutil.which(program):
        return None
    done = subprocess.run([program, "version", "-json"], capture_output=True, text=True, check=False)
    try:
        return str(json.loads(done.stdout)["terraform_version"])
    except (ValueError, KeyError):
        return None


def _install(address: str, sha256: str, folder: Path) -> None:
    """Put a program's archive into a folder, if it is the one whose hash is pinned."""
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310 - https, written above
            content = answer.read()
    except OSError as error:
        raise UserError(f"{address}: {error}", 1) from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UserError(f"{address}: its SHA-256 is not the one of {FILE}: nothing is installed", 1)
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / "archive.zip"
    archive.write_bytes(content)
    with zipfile.ZipFile(archive) as files:
        files.extract("terraform", folder)
    (folder / "terraform").chmod(0o755)


def _az(pins: Mapping[str, str]) -> None:
    version, extension = _az_versions()
    if _numbers(version) < _numbers(pins["azOldest"]):
        raise UserError(f"az {version} is here, {FILE} wants {pins['azOldest']} or later", 1)
    if extension != pins["mlVersion"]:
        if extension:
            _call_az("extension", "remove", "--name", "ml")
        _call_az("extension", "add", "--name", "ml", "--version", pins["mlVersion"], "--yes")
        extension = _az_versions()[1]
        if extension != pins["mlVersion"]:
            raise UserError(f"az's ml extension is {extension or 'missing'}, {FILE} says {pins['mlVersion']}", 1)
    screen.say(f"az {version}, ml {extension}")


def _az_versions() -> tuple[str, str | None]:
    try:
        known = json.loads(_call_az("version", "--output", "json"))
        return str(known["azure-cli"]), known.get("extensions", {}).get("ml")
    except (ValueError, KeyError):
        raise UserError("az version does not answer", 1) from None


def _call_az(*words: str) -> str:
    az = shutil.which("az")
    if az is None:
        raise UserError("az is not on PATH: the agent's image brings it", 1)
    done = subprocess.run([az, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"az {' '.join(words)}: {(done.stderr.strip() or 'failed').splitlines()[-1]}", 1)
    return done.stdout


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]

"""python -m pipeline.extension: stop here where az or its ml extension is not one that our recipes are made for."""

import json
import re
import shutil
import subprocess
import sys

from amlspec.errors import UserError

# The newest whose answers the reference of commands knows; it carries azure-ai-ml 1.34.1.
RECOMMENDED = "2.44.1"
# 2.45 carries azure-ai-ml 1.35: other spellings of states, `--stream` and `job download --output-name` that fail
# (azure-sdk-for-python #48941, #48972). pipeline/answers.py reads both, and no recipe calls the two verbs alone.
SUPPORTED = (r"2\.44\.1", r"2\.45\.\d+")
SUPPORTED_WORDS = "2.44.1 or 2.45.x"
ADD = f"az extension add --name ml --version {RECOMMENDED} --yes"


def fix(version: str | None) -> str:
    """The command that brings a supported extension; empty where `version` is one."""
    if version is None:
        return ADD
    if any(re.fullmatch(pattern, version) for pattern in SUPPORTED):
        return ""
    return f"az extension remove --name ml && {ADD}"


def installed() -> str | None:
    """Version of the ml extension, None without one. Raises UserError where az does not answer."""
    az = shutil.which("az")
    if az is None:
        raise UserError("az is not on PATH: install the Azure CLI, https://aka.ms/azure-cli", 1)
    done = subprocess.run([az, "version", "--output", "json"], capture_output=True, text=True, check=False)
    try:
        version: str | None = json.loads(done.stdout).get("extensions", {}).get("ml")
    except ValueError:
        raise UserError("az version does not answer: `make doctor` says what is missing", 1) from None
    return version


def problem() -> str | None:
    """What is wrong with the extension, and its remedy; None where it is a supported one."""
    version = installed()
    remedy = fix(version)
    if not remedy:
        return None
    state = f"az's ml extension is {version}" if version else "az has no ml extension"
    return f"{state}, {SUPPORTED_WORDS} is supported: {remedy}"


def main() -> int:
    """Exit code 1, with one line, where the extension is missing or another."""
    try:
        if said := problem():
            raise UserError(said, 1)
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

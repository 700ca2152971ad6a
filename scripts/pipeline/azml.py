"""Calls of `az ml`, or of the local engine in this very process, which saves an interpreter's start each time."""

import contextlib
import io
import json
import os
import shlex
import subprocess
from typing import Any

from localml import cli
from localml.errors import UserError


def call(*arguments: str) -> Any:
    """The JSON that `$AZ_ML arguments` prints. Raises UserError with the last line of stderr where it fails."""
    if is_local():
        return _local(arguments)
    command = shlex.split(os.environ["AZ_ML"])
    done = subprocess.run([*command, *arguments, "--output", "json"], capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UserError(f"{' '.join([*command, *arguments])}: {last}", exit_code=1)
    return json.loads(done.stdout) if done.stdout.strip() else None


def is_local() -> bool:
    """Whether the engine is ours."""
    return os.environ.get("AZ_ML", "localml").endswith("localml")


def _local(arguments: tuple[str, ...]) -> Any:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        args = cli.parser().parse_args([*arguments, "--output", "json"])
        result = args.handler(args)
    return result

"""What the infrastructure tools share: where things are, how a user's mistake ends, how a program is called."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
ENVIRONMENTS = ("dev", "prod")


class UserError(Exception):
    """A mistake that the user can put right: one line that says what, where and what to do."""

    def __init__(self, message: str, code: int = 2) -> None:
        super().__init__(message)
        self.code = code


def say(line: str = "") -> None:
    """Print one line for the user at once, so that it keeps its place among Terraform's own."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def run_main(main: Callable[[Sequence[str] | None], int]) -> None:
    """Run a tool's `main` and exit with its code; a UserError ends with its one line on stderr."""
    try:
        sys.exit(main(None))
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.code)


def capture(command: Sequence[str], cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Return a program's stdout.

    Raises:
        UserError: the program is missing, or it failed; the message holds its last line.
    """
    try:
        done = subprocess.run(list(command), cwd=cwd, env=env, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise UserError(f"{command[0]} is not on PATH: `make doctor` says what to install") from None
    if done.returncode:
        lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip(" \t╷│╵")]
        reason = lines[-1] if lines else f"exit code {done.returncode}"
        raise UserError(f"{' '.join(command[:3])} failed: {reason.lstrip('│ ')}", 1)
    return done.stdout


def subscription() -> str:
    """Return the subscription's id: ARM_SUBSCRIPTION_ID, as Terraform reads it, else the one that `az` is signed in to.

    Raises:
        UserError: nobody is signed in.
    """
    if os.environ.get("ARM_SUBSCRIPTION_ID"):
        return os.environ["ARM_SUBSCRIPTION_ID"]
    found = capture(["az", "account", "show", "--query", "id", "--output", "tsv"]).strip()
    if not found:
        raise UserError("az is signed in to no subscription: az login, then az account set --subscription <id>")
    return found

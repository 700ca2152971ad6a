"""What the infrastructure tools share: where things are, how a user's mistake ends, how a program is called."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from amlspec.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
ENVIRONMENTS = ("dev", "prod")


def say(line: str = "") -> None:
    """Print one line for the user at once, so that it keeps its place among Terraform's own."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def capture(command: Sequence[str], cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Return a program's stdout.

    Raises:
        UserError: the program is missing, or it failed; the message holds the line that says why.
    """
    try:
        done = subprocess.run(list(command), cwd=cwd, env=env, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise UserError(f"{command[0]} is not on PATH: `make doctor` says what to install") from None
    if done.returncode:
        reason = error_line(done.stderr or done.stdout) or f"exit code {done.returncode}"
        raise UserError(f"{' '.join(command[:3])} failed: {reason}", 1)
    return done.stdout


def error_line(text: str) -> str:
    """Return the line of a program's output that says what went wrong: az marks it with ERROR:, else it is the last."""
    lines = [line.strip(" \t╷│╵") for line in text.splitlines()]
    said = [line for line in lines if line]
    return next((line for line in said if line.startswith(("ERROR:", "Error:"))), said[-1] if said else "")


def subscription() -> str:
    """Return the subscription's id: ARM_SUBSCRIPTION_ID, as Terraform reads it, else the one that `az` is signed in to.

    Raises:
        UserError: nobody is signed in.
    """
    if os.environ.get("ARM_SUBSCRIPTION_ID"):
        return os.environ["ARM_SUBSCRIPTION_ID"]
    subscription = capture(["az", "account", "show", "--query", "id", "--output", "tsv"]).strip()
    if not subscription:
        raise UserError("az is signed in to no subscription: az login, then az account set --subscription <id>")
    return subscription

"""Names of an environment, as Terraform builds them (infra/names), before anything is deployed.

The module needs no provider, so plain Terraform answers offline, in about a second.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from amlspec.errors import run
from infra.common import ENVIRONMENTS, INFRA, capture, say, subscription

# Only names that must be unique in all of Azure depend on the subscription; this one stands in where none is asked for.
NO_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
HEADER = "# Written by `make outputs-infra` from infra/names/locals.names.tf. Do not edit: tests hold both equal.\n"


class Names(NamedTuple):
    """`names`: every name by role. `make`: the Makefile's variables, none of which depends on the subscription."""

    names: dict[str, str]
    make: dict[str, str]


def ask_terraform(env: str, subscription_id: str = NO_SUBSCRIPTION, infra: Path = INFRA) -> Names:
    """Build the names of `env` with the prefixes of its tfvars.

    Raises:
        UserError: Terraform is missing or refuses a prefix.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for file in (infra / "names").glob("*.tf"):
            shutil.copy(file, copy)
        quiet = {**os.environ, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1", "TF_DATA_DIR": str(copy / "data")}
        terraform = ["terraform", f"-chdir={copy}"]
        values = [f"-var-file={infra / 'environments' / f'{env}.tfvars'}", f"-var=subscription_id={subscription_id}"]
        capture([*terraform, "init", "-input=false"], env=quiet)
        capture([*terraform, "apply", "-auto-approve", "-input=false", "-compact-warnings", *values], env=quiet)
        outputs = json.loads(capture([*terraform, "output", "-json"], env=quiet))
    return Names(outputs["names"]["value"], outputs["make"]["value"])


def makefile(values: dict[str, str], header: str = HEADER) -> str:
    """Render variables as a Makefile fragment, one `KEY := value` a line."""
    return header + "".join(f"{key} := {value}\n" for key, value in values.items())


def backend(names: dict[str, str]) -> str:
    """Render the settings of Terraform's remote state (`terraform init -backend-config=`)."""
    keys = {
        "resource_group_name": "state_group",
        "storage_account_name": "state_account",
        "container_name": "state_container",
        "key": "state_key",
    }
    return "".join(f'{key} = "{names[role]}"\n' for key, role in keys.items())


def main(argv: Sequence[str] | None = None) -> int:
    """Print the names of one environment; `backend` and `shell` need a signed-in az or --subscription."""
    parser = argparse.ArgumentParser(prog="infra.names", description=__doc__)
    parser.add_argument("--env", required=True, choices=ENVIRONMENTS)
    parser.add_argument("--subscription", help="default: the one that az is signed in to")
    parser.add_argument("--format", choices=("make", "backend", "shell"), default="make")
    args = parser.parse_args(argv)
    if args.format == "make":
        say(makefile(ask_terraform(args.env).make).rstrip("\n"))
        return 0
    names = ask_terraform(args.env, args.subscription or subscription()).names
    text = backend(names) if args.format == "backend" else "".join(f"{key}={value}\n" for key, value in names.items())
    say(text.rstrip("\n"))
    return 0


if __name__ == "__main__":
    run(main)

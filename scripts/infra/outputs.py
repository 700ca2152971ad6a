"""Write infra/outputs: the Makefile's variables, so that nobody types a name twice.

`<env>.mk` is committed and needs no deployment. `<env>.deployed.mk` comes from `terraform output -json` and stays on
this machine, because it holds a subscription's ids.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from amlspec.errors import UserError, run
from infra.common import ENVIRONMENTS, INFRA, say
from infra.names import HEADER, ask_terraform, makefile

DEPLOYED = "# Written by `make outputs-infra` from terraform output. It belongs to one subscription; git ignores it.\n"


def committed(make: dict[str, str], env: str) -> str:
    """Text of `<env>.mk`: the names, then what a deployment adds where there is one."""
    return makefile(make, HEADER) + f"-include infra/outputs/{env}.deployed.mk\n"


def read_outputs(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """Split `terraform output -json` into the names and what the deployment added.

    Raises:
        UserError: the text is no such output, or nothing is deployed.
    """
    try:
        outputs: dict[str, Any] = json.loads(text)
        return outputs["make"]["value"], outputs["deployed"]["value"]
    except json.JSONDecodeError as error:
        raise UserError(
            f"terraform output is not JSON (line {error.lineno}): run terraform -chdir=infra init"
        ) from None
    except KeyError as error:
        raise UserError(f"terraform output has no {error}: nothing is deployed here, run make deploy-infra") from None


def write(env: str, outputs: str | None, folder: Path) -> list[Path]:
    """Write the files of `env` into `folder` and return their paths.

    Args:
        env: dev or prod.
        outputs: text of `terraform output -json`, or None to write the names alone.
        folder: usually infra/outputs.

    Raises:
        UserError: Terraform or its output is missing, or the state belongs to another environment.
    """
    names = ask_terraform(env).make
    files = {folder / f"{env}.mk": committed(names, env)}
    if outputs is not None:
        make, deployed = read_outputs(outputs)
        if make["GROUP"] != names["GROUP"]:
            raise UserError(f"the state at hand holds {make['GROUP']}, not {env}: run make outputs-infra ENV={env}")
        files[folder / f"{env}.deployed.mk"] = makefile(deployed, DEPLOYED)
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    return list(files)


def main(argv: Sequence[str] | None = None) -> int:
    """Write the files; `--deployed` reads `terraform output -json` from stdin."""
    parser = argparse.ArgumentParser(prog="infra.outputs", description=__doc__)
    parser.add_argument("--env", required=True, choices=ENVIRONMENTS)
    parser.add_argument("--deployed", action="store_true", help="read terraform output -json from stdin")
    parser.add_argument("--folder", type=Path, default=INFRA / "outputs")
    args = parser.parse_args(argv)
    for path in write(args.env, sys.stdin.read() if args.deployed else None, args.folder):
        say(f"wrote {path}")
    return 0


if __name__ == "__main__":
    run(main)

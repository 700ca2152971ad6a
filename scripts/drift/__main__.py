"""python -m drift: one line a difference between git and $ENV; exit 0 without one, 3 with, 1 where it cannot tell."""

import argparse
import os
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from amlspec.errors import UserError
from drift import assets, schedules, serving, terraform
from drift.difference import Difference

ROOT = Path(__file__).parents[2]
DRIFT = 3


def differences(root: Path, env: str) -> Iterator[Difference]:
    """Everything that differs: infrastructure first, because the rest stands on it."""
    infrastructure = [] if env == "local" or os.environ.get("LOCAL_WORKSPACE") else terraform.differences(root, env)
    return chain(infrastructure, assets.differences(root), serving.differences(root), schedules.differences(root))


def main(argv: list[str] | None = None) -> int:
    """Print the differences; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m drift", description=__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout that is compared")
    args = parser.parse_args(argv)
    env = os.environ.get("ENV", "local")
    count = 0
    try:
        for difference in differences(args.root, env):
            count += 1
            sys.stdout.write(f"{difference}\n")
            sys.stdout.flush()
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    counted = "1 difference" if count == 1 else f"{count} differences"
    sys.stdout.write(f"{counted} between git and {env}\n" if count else f"no drift: {env} is what git says\n")
    return DRIFT if count else 0


if __name__ == "__main__":
    raise SystemExit(main())

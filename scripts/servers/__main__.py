"""python -m servers stop: end what was started here, and say what it was."""

import argparse
import sys

from amlspec.errors import UserError
from localml import verbs_endpoints
from warehouse import lifecycle
from warehouse.state import open_home
from workspace import lifecycle as workspace
from workspace.az import lifecycle as az


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m servers", description=__doc__)
    parser.add_argument("verb", choices=("stop",))
    return parser


def main(argv: list[str] | None = None) -> int:
    """Stop everything; exit code 2 after a mistake of the user, with one line on stderr."""
    build_parser().parse_args(argv)
    try:
        ended = stop()
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write("".join(f"Ended: {each}\n" for each in ended) or "Nothing was running\n")
    return 0


def stop() -> list[str]:
    """What has been ended: the warehouse, the workspace with its az, and each endpoint with its servers."""
    warehouse = ["the warehouse"] if lifecycle.stop(open_home()) else []
    preloaded = ["az's preloaded interpreter"] if az.stop() else []
    served = ["the workspace"] if workspace.stop() else []
    endpoints = [f"endpoint {name} and its servers" for name in verbs_endpoints.stop_every()]
    return [*warehouse, *preloaded, *served, *endpoints]


if __name__ == "__main__":
    raise SystemExit(main())

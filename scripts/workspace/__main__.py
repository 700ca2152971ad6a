"""python -m workspace start|stop: the workspace on this machine for azure-ai-ml, over HTTPS on loopback."""

import argparse
import sys
from pathlib import Path

from amlspec.document import display
from amlspec.errors import UserError
from workspace import client_settings, lifecycle, site
from workspace.az import lifecycle as az


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m workspace", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    start = verbs.add_parser("start", help="start the server, or find the one that runs")
    start.add_argument("--port", type=int, default=0, help="port; any free one without it")
    start.add_argument("--subscription", help="the subscription's id, as clients give it")
    start.add_argument("--group", help="the resource group's name")
    start.add_argument("--name", help="the workspace's name")
    start.add_argument("--az", type=Path, metavar="PYTHON", help="an interpreter with azure-ai-ml, for `az`")
    verbs.add_parser("stop", help="end the server")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Exit code: 0 done, 1 the server does not start, 2 the call is wrong."""
    args = build_parser().parse_args(argv)
    try:
        sys.stdout.write(_started(args) if args.verb == "start" else _stopped())
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return 0


def _started(args: argparse.Namespace) -> str:
    known = site.names()
    given = site.Names(args.subscription or known.subscription, args.group or known.group, args.name or known.workspace)
    running = lifecycle.find()
    if given != known or (running and args.port not in (0, running.port)):
        lifecycle.stop()
        site.rename(given)
    served = site.load(lifecycle.start(args.port).port)
    return client_settings.shown(served) + (_recipes(served, args.az.absolute()) if args.az else "")


def _recipes(served: site.Site, python: Path) -> str:
    az.start(python, client_settings.variables(served))
    return f"\nFor the recipes of ENV=dev: source {display(az.write(python))}; make run-pipeline ENV=dev\n"


def _stopped() -> str:
    ended = [("az's preloaded interpreter", az.stop()), ("the workspace", lifecycle.stop())]
    return "".join(f"Ended: {name}\n" for name, ran in ended if ran) or "Nothing was running\n"


if __name__ == "__main__":
    raise SystemExit(main())

"""The local warehouse: python -m warehouse start|stop|status|env|seed."""

import argparse
import contextlib
import logging
import shlex
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from amlspec.errors import UserError
from demand.errors import StepError
from demand.steps import STEP_ERROR_EXIT
from warehouse import lifecycle
from warehouse.state import HOST, Home, open_home, running


def say(text: str) -> None:
    """One line for the person at the terminal."""
    sys.stdout.write(f"{text}\n")


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m warehouse", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("start", help="start the server, or find the one that runs")
    verbs.add_parser("stop", help="end the server")
    verbs.add_parser("status", help="whether it runs; exit code 3 when not")
    verbs.add_parser("env", help="print export lines that lead a step to the server (holds the password)")
    seed = verbs.add_parser("seed", help="fill table SALES")
    seed.add_argument("--file", type=Path, help="your own sales (csv, csv.gz, parquet) instead of generated ones")
    return parser


def start(home: Home, _: argparse.Namespace | None = None) -> int:
    """Start the server, or find it."""
    before = running(home)
    server = before or lifecycle.start(home)
    say(f"The warehouse {'runs already' if before else 'runs'} at {HOST}:{server.port} (pid {server.pid})")
    return 0


def stop(home: Home, _: argparse.Namespace) -> int:
    """End the server."""
    say("The warehouse has ended" if lifecycle.stop(home) else "No warehouse runs")
    return 0


def status(home: Home, _: argparse.Namespace) -> int:
    """Say whether it runs."""
    server = running(home)
    say(f"The warehouse runs at {HOST}:{server.port} (pid {server.pid})" if server else "No warehouse runs")
    return 0 if server else 3


def env(home: Home, _: argparse.Namespace) -> int:
    """Print the export lines; a shell reads them with `eval`, so that no process argument holds them."""
    for name, value in lifecycle.connection_environment(home).items():
        say(f"export {name}={shlex.quote(value)}")
    return 0


def _start_quietly(home: Home) -> None:
    """A start that fails is reported by the one that needs the server."""
    with contextlib.suppress(UserError):
        lifecycle.start(home)


def _seed(home: Home, options: argparse.Namespace) -> int:
    seed(home, options.file)
    return 0


def seed(home: Home, file: Path | None) -> None:
    """Fill table SALES with a file's rows, with generated ones without a file."""
    if file and not file.is_file():
        raise UserError(f"{file}: no such file")
    # The server needs seconds to start: it does so beside the imports and the making of the rows.
    early = threading.Thread(target=_start_quietly, args=(home,))
    early.start()
    from warehouse.seed import seed_sales  # noqa: PLC0415  (a second of imports that the other verbs do not need)

    try:
        seeded, loaded = seed_sales(home, file)
    finally:
        early.join()
    what = f"SALES holds {seeded.rows} rows of {seeded.file}"
    say(what if loaded else f"No change: {what} already")


VERBS: dict[str, Callable[[Home, argparse.Namespace], int]] = {
    "start": start,
    "stop": stop,
    "status": status,
    "env": env,
    "seed": _seed,
}


def main(argv: list[str] | None = None) -> int:
    """Run one verb; 2 after a mistake of the user, with one line on stderr."""
    options = build_parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("warehouse").setLevel(logging.INFO)
    try:
        return VERBS[options.verb](open_home(), options)
    except (UserError, StepError) as error:  # the seed reads contract and connection as the steps do
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code if isinstance(error, UserError) else STEP_ERROR_EXIT


if __name__ == "__main__":
    raise SystemExit(main())

"""Own sales: python -m ownsales prepare FILE, python -m ownsales query TABLE."""

import argparse
import os
import sys
from pathlib import Path

from amlspec.errors import UserError
from demand.errors import StepError
from demand.steps import STEP_ERROR_EXIT
from host.state import home
from ownsales import mapping, query, start
from ownsales.proposal import Given


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m ownsales", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    prepare = verbs.add_parser("prepare", help="make sales of an export; prints the file that it made")
    prepare.add_argument("file", type=Path)
    prepare.add_argument("--map", default="", help="Quantity=Pieces,StoreID='Main'")
    prepare.add_argument("--date-format", help="such as dd.mm.yyyy")
    prepare.add_argument("--decimal", help="the sign before the decimals: . or ,")
    prepare.add_argument("--frequency", choices=mapping.FREQUENCIES, help="how often a store reports")
    prepare.add_argument("--sheet", help="of a workbook")
    prepare.add_argument("--yes", action="store_true", help="accept the proposed mapping")
    rendered = verbs.add_parser("query", help="print the mapping as a query for Snowflake")
    rendered.add_argument("table", help="such as SHOP.PUBLIC.SALES_RAW")
    return parser


def main(words: list[str] | None = None) -> int:
    """Run one verb."""
    args = build_parser().parse_args(words)
    try:
        if args.verb == "query":
            sys.stdout.write(query.render(mapping.read(start.MAPPING), args.table))
            return 0
        accept = (lambda: True) if args.yes else start.ask if sys.stdin.isatty() else None
        given = Given.of(args.map, date_format=args.date_format, decimal=args.decimal, frequency=args.frequency)
        places = start.Places(home())
        made = start.prepare(args.file, given, places, sheet=args.sheet, accept=accept, say=_say)
        sys.stdout.write(f"{os.fspath(made)}\n")
    except (UserError, StepError) as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code if isinstance(error, UserError) else STEP_ERROR_EXIT
    return 0


def _say(line: str) -> None:
    """For the person; stdout has the file alone, which a recipe takes on."""
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    raise SystemExit(main())

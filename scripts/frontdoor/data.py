"""Verbs of the warehouse, of own sales, and of the workspace for the real SDK."""

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from amlspec.errors import UserError
from demand.grain import GRAINS
from frontdoor import environment, ready
from frontdoor.app import DATA, verb
from frontdoor.options import Grain, Holdout, Settings, run_settings, words
from host.state import home
from ownsales import mapping, query
from ownsales import start as own
from ownsales.proposal import Given
from pipeline import azml, runs
from provenance import keys
from servers import __main__ as servers
from workspace import __main__ as workspaces

# The azure-ai-ml that this version of az's ml extension carries; its pins clash with those of the other.
AZ_VERSIONS = ("2.44", "2.45")


@verb(DATA, "./demand start --file export.xlsx", "make start FILE=export.csv YES=1 DATE_FORMAT=dd.mm.yyyy")
def start(  # noqa: PLR0913, PLR0917 - an export has as many ways to be read
    file: Annotated[Path | None, typer.Option(help="export of your sales: .xlsx, .csv, .parquet, ...")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="accept the proposed columns")] = False,
    columns: Annotated[str, typer.Option("--map", help="Quantity=Pieces,StoreID='Main'")] = "",
    date_format: Annotated[str | None, typer.Option(help="such as dd.mm.yyyy")] = None,
    decimal: Annotated[str | None, typer.Option(help="the sign before the decimals: . or ,")] = None,
    frequency: Annotated[
        str | None, typer.Option(help=f"how often a store reports: {', '.join(mapping.FREQUENCIES)}")
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="of a workbook")] = None,
    holdout_months: Holdout = None,
    grain: Grain = GRAINS[0],
    settings: Settings = None,
    strict: Annotated[bool, typer.Option("--strict", help="exit code 3 where the gate refuses")] = False,
) -> int:
    """Your own sales, from an export to a model."""
    if not file:
        raise UserError("which file? make start FILE=sales.xlsx")
    if frequency and frequency not in mapping.FREQUENCIES:
        raise UserError(f"FREQUENCY={frequency}: give {', '.join(mapping.FREQUENCIES)}")
    accept = (lambda: True) if yes else own.ask if sys.stdin.isatty() else None
    given = Given.of(columns, date_format=date_format, decimal=decimal, frequency=frequency)
    sales = own.prepare(file, given, own.Places(home()), sheet=sheet, accept=accept, say=_say)
    ready.for_jobs(sales)
    return runs.train(grain, run_settings(holdout_months, settings), strict)


@verb(DATA, "./demand sales-query --table SHOP.PUBLIC.SALES_RAW")
def sales_query(table: Annotated[str, typer.Option(help="of the export in Snowflake")] = "SALES_RAW") -> None:
    """Print how `make start` read an export as a query for Snowflake."""
    sys.stdout.write(query.render(mapping.read(own.MAPPING), table))


@verb(DATA, "./demand seed-sales --file mine.csv.gz")
def seed_sales(
    file: Annotated[Path | None, typer.Option(help="CSV or Parquet; default: generated sales")] = None,
) -> None:
    """Fill the local warehouse."""
    ready.seed(file)


@verb(DATA, "./demand workspace --az-version 2.45")
def workspace(
    port: Annotated[str | None, typer.Option(help="default: a free one")] = None,
    group: Annotated[str | None, typer.Option(help="name of the resource group")] = None,
    name: Annotated[str | None, typer.Option(help="name of the workspace")] = None,
    az_version: Annotated[str, typer.Option(help=f"ml extension: {' or '.join(AZ_VERSIONS)}")] = AZ_VERSIONS[0],
) -> int:
    """Serve this machine's engine as an Azure ML workspace for the real SDK and az (ENV=dev takes its names)."""
    if az_version not in AZ_VERSIONS:
        raise UserError(f"AZ_VERSION={az_version}: give {' or '.join(AZ_VERSIONS)}")
    lock = Path(f"scripts/workspace/az/locks/az-{az_version}.txt")
    python = environment.beside(Path(f".venv-az-{az_version}"), lock, f"the locked packages of az ml {az_version}")
    environment.beside(ready.SCORE_VENV, ready.SCORE_LOCK, "the inference server's locked packages")
    # Jobs that come in over it read the local warehouse and sign what they register: it has to know where both are.
    ready.start_warehouse()
    keys.give_to_jobs()
    asked = os.environ.get("AZ_ML", "")
    os.environ["AZ_ML"] = shlex.join([sys.executable, "-m", "localml"])  # this engine, whatever ENV is
    azml.run("compute", "attach", spec=Path("ml/deploy/compute.yml"))
    os.environ["AZ_ML"] = asked
    group, name = group or os.environ.get("GROUP"), name or os.environ.get("WORKSPACE")
    return workspaces.main(["start", "--az", str(python), *words(port=port, group=group, name=name)])


@verb(DATA)
def stop() -> int:
    """End the local warehouse, the workspace and the local endpoints' servers, and say which."""
    return servers.main(["stop"])


@verb(hidden=True)
def start_warehouse() -> None:
    """Start the local warehouse."""
    ready.start_warehouse()


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()

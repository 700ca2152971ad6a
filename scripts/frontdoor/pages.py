"""The verb that opens pages."""

import subprocess
import sys
from typing import Annotated

import typer

from demand.grain import GRAINS
from frontdoor import site
from frontdoor.app import JOB, verb
from frontdoor.options import Grain
from screens import site as screens


@verb(JOB, "./demand open --page runs")
def open_verb(
    page: Annotated[str, typer.Option(help=f"one of {', '.join(screens.NAMES)}")] = "explorer",
    grain: Grain = GRAINS[0],
) -> None:
    """Write the pages of forecasts, runs, rollouts and data, and open one in the browser; no server."""
    site.needs_az()
    path = screens.page(page, grain)
    sys.stdout.write(f"{path}\n")
    sys.stdout.flush()
    if (program := screens.browser()) and sys.stdout.isatty():
        subprocess.run([program, str(path)], check=False)

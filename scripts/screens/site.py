"""Writes the pages that a browser opens, each with links to the others: files, no server."""

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amlspec.errors import UserError
from host.state import home, write_text
from monitoring.page import render
from overview import facts
from pages import page as pages
from pipeline import azml, last_forecast, last_run, monitor
from screens import data, rollouts, runs, timeline

FOLDER = Path(__file__).parent
# Page -> what the links call it.
NAMES = {"explorer": "Forecast", "report": "Last run", "runs": "Runs", "rollouts": "Rollouts", "data": "Data",
         "monitor": "Monitor"}  # fmt: skip


# What makes a page that is not there yet.
MADE_BY = {"explorer": "make forecast", "report": "make run-pipeline", "data": "make run-pipeline"}


def write(grain: str) -> dict[str, Path]:
    """Every page that there is something to show on; its file by its name."""
    makers: dict[str, Callable[[], str | None]] = {
        "explorer": _explorer,
        "report": _report,
        "runs": _runs,
        "rollouts": lambda: _rollouts(grain),
        "data": _data,
        "monitor": _monitor,
    }
    texts = {name: text for name, maker in makers.items() if (text := maker()) is not None}
    folder = home() / "pages" / os.environ.get("ENV", "local")
    folder.mkdir(parents=True, exist_ok=True)
    links = {NAMES[name]: f"{name}.html" for name in texts}
    for name, text in texts.items():
        write_text(folder / f"{name}.html", pages.linked(text, NAMES[name], links))
    return {name: folder / f"{name}.html" for name in texts}


def page(name: str, grain: str) -> Path:
    """One page's file. Raises UserError for a name that is none, and where there is nothing to show yet."""
    if name not in NAMES:
        raise UserError(f"PAGE={name}: give {', '.join(NAMES)}")
    made = write(grain)
    if name not in made:
        verb = MADE_BY.get(name, f"make {name}")
        raise UserError(f"nothing to show on {name} yet: `{verb}` makes it")
    return made[name]


def browser() -> str | None:
    """The program that opens a file for a person; None where there is none, as on a server."""
    return shutil.which("open") or (shutil.which("xdg-open") if os.environ.get("DISPLAY") else None)


def _explorer() -> str | None:
    folder = last_forecast.folder()
    path = folder / "explorer.html" if folder else None
    return path.read_text(encoding="utf-8") if path and path.is_file() else None


def _report() -> str | None:
    try:
        folder = last_run.report_folder(azml.call("job", "show", name=last_run.name()))
        return (folder / "report.html").read_text(encoding="utf-8")
    except (UserError, OSError):
        return None


def _runs() -> str:
    known = runs.known()
    compared = [{"name": run.name, "figures": run.figures} for run in known if run.figures]
    return _page("runs.html.jinja", runs=known, data=pages.embedded(compared), compared=compared)


def _rollouts(grain: str) -> str:
    endpoint = facts.gather(grain, ("endpoint",))["endpoint"]
    return _page("rollouts.html.jinja", rollouts=rollouts.known(), endpoint=endpoint)


def _data() -> str | None:
    known = data.known()
    imports = facts.gather("store", ("data",))["data"]
    return None if known is None else _page("data.html.jinja", data=known, imported=imports)


def _monitor() -> str | None:
    known = monitor.last()
    return render(known[0], timeline.known()) if known else None


def _page(template: str, **values: Any) -> str:
    where = os.environ.get("ENV", "local")
    made = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    return pages.render(FOLDER, template, where="this machine" if where == "local" else where, made=made, **values)

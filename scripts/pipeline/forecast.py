"""What stands around the job of `make forecast`: its settings, and where its files are."""

import csv
from pathlib import Path
from typing import Any

from amlspec.errors import UserError
from pipeline import azml, closing, imported, models, outputs

SHOWN = 3


def settings(grain: str, version: str | None, horizon: str | None, plan: Path | None, force: bool = False) -> list[str]:
    """`--set` values for ml/pipelines/forecast.yml.

    Raises UserError for a version or a plan that does not exist, and for a horizon out of range.
    """
    model = models.name_for(grain)
    chosen = models.version_or_champion(model, version)
    given = [
        f"inputs.model.path=azureml:{model}:{chosen}",
        f"inputs.model_name={model}",
        f"inputs.model_version={chosen}",
        f"inputs.as_of={imported.day(imported.newest())}",
        f"inputs.grain={grain}",
    ]
    if force:
        given.append("inputs.if_worse=publish")
    if horizon:
        if not (horizon.isdecimal() and 1 <= int(horizon) <= 60):
            raise UserError(f"HORIZON={horizon}: give 1 to 60 months")
        given.append(f"inputs.horizon={horizon}")
    if plan:
        if not plan.is_file():
            raise UserError(f"PLAN={plan}: no such file; give a CSV or Parquet table with StoreID and MonthYear")
        given.append(f"inputs.plan.path={plan.resolve()}")
    return given


def folder(job: str) -> Path | None:
    """Where a forecast's files are on this machine; None where they could not be had."""
    try:
        return outputs.of_forecast({**azml.call("job", "show", name=job), "name": job})
    except UserError:
        return None


def lines(job: str) -> list[str]:
    """Where the files are, and the first forecasts."""
    record = azml.call("job", "show", name=job)
    try:
        folder = outputs.of_forecast({**record, "name": job})
        stream = (folder / "forecasts.csv").open(encoding="utf-8-sig", newline="")
    except (UserError, OSError) as error:
        # The job has published them; that they are not here too does not fail it.
        said = f"Forecasts: table FORECASTS of the warehouse, and output forecasts of job {job} ({error})"
        return [said, *closing.of_forecast(record)]
    with stream:
        rows = list(csv.DictReader(stream))
    head = [_line(row) for row in rows[:SHOWN]]
    total = f"... {len(rows)} forecasts in all, also in the warehouse's table FORECASTS"
    files = [f"Files: {folder}", "Page: `make open` shows every store, and what another plan makes of it"]
    return ["", *head, total, *_totals(folder), *files, *closing.of_forecast(record)]


def _totals(folder: Path) -> list[str]:
    """The sum of all, month by month; a model of an earlier release left none."""
    path = folder / "totals.csv"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8-sig", newline="") as stream:
        sums = [row for row in csv.DictReader(stream) if row["Level"] == "all"]
    return ["All: " + ", ".join(f"{row['MonthYear']} {float(row['TotalSales']):,.0f}" for row in sums)]


def _line(row: dict[str, Any]) -> str:
    keys = " ".join(row[name] for name in ("StoreID", "Category", "Product") if row.get(name))
    sales, low, high = (f"{float(row[name]):,.0f}" for name in ("TotalSales", "P10", "P90"))
    return f"{keys} {row['MonthYear']}: {sales} ({low} to {high})"

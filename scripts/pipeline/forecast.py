"""What stands around the job of `make forecast`: its settings, and where its files are."""

import csv
from pathlib import Path
from typing import Any

from localml.errors import UserError
from localml.paths import home, version_key
from pipeline import azml, outputs

# ml/pipelines/forecast.yml: the output, and the step that writes it.
FORECASTS = ("forecasts", "forecast")
SHOWN = 3


def settings(model: str, version: str | None, horizon: str | None, plan: Path | None) -> list[str]:
    """`--set` values for ml/pipelines/forecast.yml. Raises UserError for a version, plan or horizon that is none."""
    found = model_version(model, version)
    given = [
        f"inputs.model.path=azureml:{model}:{found}",
        f"inputs.model_name={model}",
        f"inputs.model_version={found}",
    ]
    if horizon:
        if not (horizon.isdecimal() and 1 <= int(horizon) <= 60):
            raise UserError(f"HORIZON={horizon}: give 1 to 60 months")
        given.append(f"inputs.horizon={horizon}")
    if plan:
        if not plan.is_file():
            raise UserError(f"PLAN={plan}: no such file; give a CSV or Parquet table with StoreID and MonthYear")
        given.append(f"inputs.plan.path={plan.resolve()}")
    return given


def model_version(model: str, wanted: str | None) -> str:
    """`wanted`, or the newest registered version, compared as numbers. Raises UserError where there is none."""
    known = sorted(
        (str(each["version"]) for each in azml.call("model", "list", "--name", model) or []), key=version_key
    )
    if not known:
        raise UserError(f"no version of model {model} is registered: `make run-pipeline` makes one")
    if wanted and wanted not in known:
        raise UserError(f"model {model} has no version {wanted}: registered are {', '.join(known)}")
    return wanted or known[-1]


def lines(job: str) -> list[str]:
    """Where the files are, and the first forecasts."""
    record = azml.call("job", "show", "--name", job)
    local = (record.get("outputs") or {}).get("forecasts", {}).get("path")
    try:
        folder = Path(local) if local and Path(local).is_dir() else outputs.fetched(job, *FORECASTS, _kept(job))
        stream = (folder / "forecasts.csv").open(encoding="utf-8-sig", newline="")
    except (UserError, OSError) as error:
        # The job has published them; that they are not here too is no failure.
        return [f"Forecasts: table FORECASTS of the warehouse, and output forecasts of job {job} ({error})"]
    with stream:
        rows = list(csv.DictReader(stream))
    head = [_line(row) for row in rows[:SHOWN]]
    return ["", *head, f"... {len(rows)} forecasts in all, also in the warehouse's table FORECASTS", f"Files: {folder}"]


def _kept(job: str) -> Path:
    return home() / "forecasts" / job


def _line(row: dict[str, Any]) -> str:
    keys = " ".join(row[name] for name in ("StoreID", "Category", "Product") if row.get(name))
    sales, low, high = (f"{float(row[name]):,.0f}" for name in ("TotalSales", "P10", "P90"))
    return f"{keys} {row['MonthYear']}: {sales} ({low} to {high})"

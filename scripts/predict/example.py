"""A store and a month to ask for where none was given."""

import csv
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from amlspec.errors import UserError
from demand.months import month_name
from demand.served_model import serving_folder
from demand.state import State
from pipeline import azml, last_forecast, models


class Example(NamedTuple):
    """What to ask for; `more` holds what a finer grain needs."""

    store: str
    month: str
    more: dict[str, str]


def pick(grain: str, month: str | None) -> Example:
    """The store that sells most, and the first month ahead: from the champion here, else from the last forecast.

    An agent of a pipeline has neither: there it is the first row of the rollout's own request.
    Raises UserError where that is missing, too.
    """
    example = _of_model(grain) or _of_forecast(grain) or _of_request(grain)
    if example is None:
        models.version_or_champion(models.name_for(grain), None)  # says which verb makes the first one
        raise UserError("which store and month? make predict STORE=S001 MONTH=2026-12")
    return example._replace(month=month) if month else example


def _of_model(grain: str) -> Example | None:
    best = models.champion(models.versions(models.name_for(grain)))
    folder = Path(str((best or {}).get("path") or ""))
    path = serving_folder(folder) / "history.npz"
    if not azml.is_local() or not path.is_file():
        return None
    state = State.load(path)
    number = int(np.nansum(state.sales[:, -12:], axis=1).argmax())
    key = state.key_values(number)
    return Example(key.pop("StoreID"), month_name(state.last_month + 1), key)


def _of_request(grain: str) -> Example | None:
    path = Path("ml/deploy") / f"{models.name_for(grain, 'sample-request')}.json"
    if azml.is_local() or not path.is_file():
        return None
    row = {key: str(value) for key, value in json.loads(path.read_text(encoding="utf-8"))["input_data"][0].items()}
    finer = {"category": "Category", "product": "Product"}.get(grain)
    return Example(row["StoreID"], row["MonthYear"], {finer: row[finer]} if finer else {})


def _of_forecast(grain: str) -> Example | None:
    folder = last_forecast.folder()
    path = folder / "forecasts.csv" if folder else None
    if path is None or not path.is_file():
        return None
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    finer = {"category": "Category", "product": "Product"}.get(grain)
    rows = [row for row in rows if (finer is None) == (not row.get("Category") and not row.get("Product"))]
    if not rows:
        return None
    top = max(rows, key=lambda row: float(row["TotalSales"]))
    first = min(row["MonthYear"] for row in rows)
    return Example(top["StoreID"], first, {finer: top[finer]} if finer else {})

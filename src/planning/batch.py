"""A batch forecast: of all series in one step, or of some in each of many; and its files, put together from either."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from demand import health
from demand.everyone import Everyone
from demand.forecaster import Forecast, Forecaster
from demand.months import month_name
from demand.state import SEPARATOR, State
from demand.step_warnings import StepWarnings
from demand.store_ids import MAX_SHOWN
from demand.timeline import YEAR
from forecasting import lookback
from forecasting.gaps import MAX_SILENT_MONTHS
from forecasting.series_parts import KEYS
from forecasting.totals import SUMMED, totals
from planning.asked import Asked, Plan
from planning.planned import Key, warn_of_unused

# A cell that begins so is a formula for a spreadsheet, and a store's name is not ours to trust.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
FORECASTS, LOOKED_BACK, ENDED = "forecasts.parquet", "looked_back.parquet", "ended.json"


@dataclass(frozen=True)
class Batch:
    """Forecasts of some series, or of all.

    Attributes:
        table: one row per series and month; beside what planners get, the series' Country.
        looked_back: `forecasting.lookback.looked_back` of the same series.
        ended: keys of the series that are not forecast, since they have sold nothing for long.
    """

    table: pd.DataFrame
    looked_back: pd.DataFrame
    ended: Sequence[str]

    @classmethod
    def of(cls, forecaster: Forecaster, known: pd.DataFrame, asked: Asked, everyone: Everyone | None = None) -> "Batch":
        """Forecast the series of `forecaster`, whose prepared rows are `known`."""
        state = forecaster.state
        rows = asked_rows(state, asked.horizon, asked.plan)
        looked_back = lookback.looked_back(forecaster, known, everyone=everyone)
        over = [str(state.keys[number]) for number in ended(state, asked.plan)]
        return cls(table_of(rows, forecaster.forecast(rows), forecaster, asked), looked_back, over)

    @classmethod
    def joined(cls, batches: Sequence["Batch"]) -> "Batch":
        """Forecasts of different series as one, series by series in the order of their keys."""
        table = pd.concat([each.table for each in batches if len(each.table)] or [batches[0].table], ignore_index=True)
        looked_back = pd.concat([each.looked_back for each in batches], ignore_index=True)
        return cls(_ordered(table), looked_back, sorted(key for each in batches for key in each.ended))

    def write(self, folder: Path, name: str) -> None:
        """Keep it below `folder`; the last file says that all are there."""
        self.table.to_parquet(folder / f"{name}.{FORECASTS}", index=False)
        self.looked_back.to_parquet(folder / f"{name}.{LOOKED_BACK}", index=False)
        (folder / f"{name}.{ENDED}").write_text(json.dumps(self.ended) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path, name: str) -> "Batch":
        """Read what `write` wrote."""
        table, looked_back = (pd.read_parquet(folder / f"{name}.{file}") for file in (FORECASTS, LOOKED_BACK))
        return cls(table, looked_back, json.loads((folder / f"{name}.{ENDED}").read_text(encoding="utf-8")))


def keys_of(table: pd.DataFrame) -> pd.Series:
    """The key of each row's series, as `demand.state.State` has it."""
    columns = [name for name in KEYS if name in table]
    key = table[columns[0]].astype(str)
    for name in columns[1:]:
        key = key + SEPARATOR + table[name].astype(str)
    return key


def of_series(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """The rows of some series, by their keys."""
    return table[keys_of(table).isin(keys)]


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(_key=keys_of(table)).sort_values(["_key", "MonthYear"], ignore_index=True).drop(columns="_key")


def ended(state: State, planned: Collection[Key]) -> list[int]:
    """Numbers of the series that have sold nothing for MAX_SILENT_MONTHS, and of which nothing is planned.

    Such a product or store has ended: a forecast would go on for ever with what it once sold.
    """
    recent = np.nan_to_num(state.sales[:, -MAX_SILENT_MONTHS:]) > 0
    named = {key[:-1] for key in planned}
    silent = [int(number) for number in np.flatnonzero(~recent.any(axis=1))]
    return [number for number in silent if tuple(state.key_values(number).values()) not in named]


def asked_rows(state: State, horizon: int, plan: Plan) -> list[dict[str, Any]]:
    """One row per series that has not ended and month, months in the order in which they build on each other."""
    rows, over = [], set(ended(state, plan))
    for number in range(len(state.keys)):
        if number in over:
            continue
        key = state.key_values(number)
        for month in range(state.last_month + 1, state.last_month + horizon + 1):
            rows.append(plan.get((*key.values(), month), {**key, "Month": month}))
    return rows


def table_of(
    rows: Sequence[dict[str, Any]], forecasts: Sequence[Forecast], forecaster: Forecaster, asked: Asked
) -> pd.DataFrame:
    """One row per forecast, with the months of past years beside it."""
    state = forecaster.state
    past = [dict(forecaster.past(row)).get(row["Month"] - YEAR) for row in rows]
    countries = [*state.texts["Country"].tolist(), ""]
    columns: dict[str, Any] = {name: [row.get(name) for row in rows] for name in state.key_columns}
    columns |= {
        "MonthYear": [month_name(row["Month"]) for row in rows],
        "TotalSales": [one.sales for one in forecasts],
        "P10": [one.low for one in forecasts],
        "P90": [one.high for one in forecasts],
        "SameMonthLastYear": pd.array(past, dtype="Float64"),
        "Flags": [" ".join(one.flags) for one in forecasts],
        "Price": pd.array([row.get("Price") for row in rows], dtype="Float64"),
        "Promotion": pd.array([row.get("Promotion") for row in rows], dtype="boolean"),
        "Holiday": pd.array([row.get("Holiday") for row in rows], dtype="boolean"),
        "Origin": month_name(state.last_month),
        "ModelName": asked.model,
        "ModelVersion": asked.version,
        "Country": [countries[forecaster.series(row)] or None for row in rows],
    }
    return pd.DataFrame(columns)


def for_planners(table: pd.DataFrame) -> pd.DataFrame:
    """The same with one decimal, and no text that a spreadsheet would run."""
    shown = table.round({"TotalSales": 1, "P10": 1, "P90": 1, "SameMonthLastYear": 1})
    for name in shown.select_dtypes(include=["object"]):
        text = shown[name].astype(str)
        shown[name] = text.where(~text.str.startswith(FORMULA), "'" + text)
    return shown


def write(batch: Batch, asked: Asked, folder: Path, warnings: StepWarnings) -> None:
    """forecasts.parquet, forecasts.csv, totals.csv and health.json; warns of a model that is unfit for these sales."""
    folder.mkdir(parents=True, exist_ok=True)
    table, countries = batch.table.drop(columns="Country"), batch.table["Country"].tolist()
    table.to_parquet(folder / FORECASTS, index=False)
    write_for_planners(table, countries, folder)
    comparison = lookback.compared(batch.looked_back)
    health.write({"name": asked.model, "version": asked.version, **comparison}, folder)
    if warning := health.sentence(asked.model, asked.version, comparison):
        warnings.add(warning)


def write_for_planners(table: pd.DataFrame, countries: Sequence[str | None], folder: Path) -> None:
    """forecasts.csv, and totals.csv whose figures are the sums of those shown there."""
    # The byte order mark tells Excel that the file is UTF-8.
    for_planners(table).to_csv(folder / "forecasts.csv", index=False, encoding="utf-8-sig")
    sums = totals(table.round(dict.fromkeys(SUMMED, 1)), countries)
    for_planners(sums).to_csv(folder / "totals.csv", index=False, encoding="utf-8-sig")


def name_ended(keys: Sequence[str], warnings: StepWarnings) -> None:
    """Say which series have ended."""
    if keys:
        names = [key.replace(SEPARATOR, " ") for key in keys[:MAX_SHOWN]]
        more = f" and {len(keys) - MAX_SHOWN} more" if len(keys) > MAX_SHOWN else ""
        warnings.add(
            f"Not forecast, since they have sold nothing for {MAX_SILENT_MONTHS} months: {', '.join(names)}{more}; "
            "a plan that names them brings them back"
        )


def check_plan(path: Path, asked: Asked, batch: Batch, last_month: int, warnings: StepWarnings) -> int:
    """Warn of what the plan does not say, or says for nothing; how many planned months are not used."""
    if not asked.plan:
        warnings.add("No plan was given: prices stay as they are, and promotions count as unknown")
    columns = [name for name in KEYS if name in batch.table]
    series = set(batch.table[columns].itertuples(index=False, name=None))
    series |= {tuple(key.split(SEPARATOR)) for key in batch.ended}
    months = range(last_month + 1, last_month + asked.horizon + 1)
    return warn_of_unused(path, asked.plan, series, months, warnings.add)

"""Step forecast: the next months of every store from a registered model, as Parquet and as a CSV for planners."""

import argparse
import logging
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from demand import health, tracking
from demand.contract import load_contract
from demand.direct import load_forecaster
from demand.errors import StepError
from demand.forecaster import MAX_HORIZON, YEAR, Forecast, Forecaster
from demand.grain import grain_of
from demand.months import month_name
from demand.requests import RequestRules
from demand.state import State, series_key
from demand.step_warnings import StepWarnings, of_rows
from demand.steps import read_rows, run
from demand.store_ids import MAX_SHOWN
from forecasting import lookback
from forecasting.features import prepared, series_columns, state_of
from forecasting.gaps import MAX_SILENT_MONTHS, complete
from forecasting.packing import read_metadata
from forecasting.panels import Months
from forecasting.totals import SUMMED, totals
from planning.explorer import page as explorer
from planning.planned import Key, read_plan, warn_of_unused

log = logging.getLogger(__name__)
# A cell that begins so is a formula for a spreadsheet, and a store's name is not ours to trust.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def build_parser() -> argparse.ArgumentParser:
    """Flags of the component forecast_demand."""
    parser = argparse.ArgumentParser(prog="planning.forecast", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="registered model")
    parser.add_argument("--model-name", required=True, help="its name, kept with each forecast")
    parser.add_argument("--model-version", required=True, help="its version, kept with each forecast")
    parser.add_argument("--monthly", type=Path, required=True, help="output folder of the aggregate step")
    parser.add_argument("--contract", type=Path, required=True, help="sales contract")
    parser.add_argument("--plan", type=Path, required=True, help="table of planned prices, promotions and holidays")
    parser.add_argument("--horizon", type=int, default=6, help="months ahead")
    parser.add_argument("--forecasts", type=Path, required=True, help="output folder")
    return parser


def ended(state: State, planned: Collection[Key]) -> list[int]:
    """Numbers of the series that have sold nothing for MAX_SILENT_MONTHS, and of which nothing is planned.

    Such a product or store has ended: a forecast would go on for ever with what it once sold.
    """
    recent = np.nan_to_num(state.sales[:, -MAX_SILENT_MONTHS:]) > 0
    named = {key[:-1] for key in planned}
    silent = [int(number) for number in np.flatnonzero(~recent.any(axis=1))]
    return [number for number in silent if tuple(state.key_values(number).values()) not in named]


def asked_rows(state: State, horizon: int, plan: dict[Key, dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per series that has not ended and month, months in the order in which they build on each other."""
    rows, over = [], set(ended(state, plan))
    for number in range(len(state.keys)):
        if number in over:
            continue
        key = state.key_values(number)
        for month in range(state.last_month + 1, state.last_month + horizon + 1):
            rows.append(plan.get((*key.values(), month), {**key, "Month": month}))
    return rows


def name_ended(state: State, plan: Collection[Key], warnings: StepWarnings) -> int:
    """Say which series have ended; how many these are."""
    numbers = ended(state, plan)
    if numbers:
        names = [" ".join(map(str, state.key_values(number).values())) for number in numbers[:MAX_SHOWN]]
        more = f" and {len(numbers) - MAX_SHOWN} more" if len(numbers) > MAX_SHOWN else ""
        warnings.add(
            f"Not forecast, since they have sold nothing for {MAX_SILENT_MONTHS} months: {', '.join(names)}{more}; "
            "a plan that names them brings them back"
        )
    return len(numbers)


def table_of(rows: Sequence[dict[str, Any]], forecasts: Sequence[Forecast], forecaster: Forecaster) -> pd.DataFrame:
    """One row per forecast, with the months of past years beside it."""
    state = forecaster.state
    past = [dict(forecaster.past(row)).get(row["Month"] - YEAR) for row in rows]
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
    }
    return pd.DataFrame(columns)


def check_plan(path: Path, plan: dict[Key, dict[str, Any]], state: State, horizon: int, warnings: StepWarnings) -> int:
    """Warn of what the plan does not say, or says for nothing; how many planned months are not used."""
    if not plan:
        warnings.add("No plan was given: prices stay as they are, and promotions count as unknown")
    series = {tuple(state.key_values(number).values()) for number in range(len(state.keys))}
    months = range(state.last_month + 1, state.last_month + horizon + 1)
    return warn_of_unused(path, plan, series, months, warnings.add)


def for_planners(table: pd.DataFrame) -> pd.DataFrame:
    """The same with one decimal, and no text that a spreadsheet would run."""
    shown = table.round({"TotalSales": 1, "P10": 1, "P90": 1, "SameMonthLastYear": 1})
    for name in shown.select_dtypes(include=["object"]):
        text = shown[name].astype(str)
        shown[name] = text.where(~text.str.startswith(FORMULA), "'" + text)
    return shown


def countries_of(rows: Sequence[dict[str, Any]], forecaster: Forecaster) -> list[str | None]:
    """Country of each row, as its series had it last."""
    state = forecaster.state
    names = dict(zip(state.keys.tolist(), state.texts["Country"].tolist(), strict=True))
    return [names.get(series_key([row.get(name) for name in state.key_columns])) for row in rows]


def write_for_planners(table: pd.DataFrame, countries: Sequence[str | None], folder: Path) -> None:
    """forecasts.csv, and totals.csv whose figures are the sums of those shown there."""
    shown = for_planners(table)
    # The byte order mark tells Excel that the file is UTF-8.
    shown.to_csv(folder / "forecasts.csv", index=False, encoding="utf-8-sig")
    sums = totals(table.round(dict.fromkeys(SUMMED, 1)), countries)
    for_planners(sums).to_csv(folder / "totals.csv", index=False, encoding="utf-8-sig")


def _check_grain(model: str, metadata: dict[str, Any], monthly: pd.DataFrame) -> None:
    """Raises StepError where the sales are summed for another grain than the model's."""
    wanted, given = grain_of(metadata.get("features", ())), grain_of(series_columns(monthly))
    if wanted != given:
        raise StepError(f"{model} forecasts by {wanted}, the sales are summed by {given}: give the grain {wanted}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step."""
    args = build_parser().parse_args(argv)
    args.model_version = tracking.number(args.model_name, str(args.model_version))
    if not 1 <= args.horizon <= MAX_HORIZON:
        raise StepError(f"--horizon {args.horizon}: 1 to {MAX_HORIZON} months can be forecast")
    monthly, metadata = read_rows(args.monthly, "monthly.parquet"), read_metadata(args.model)
    _check_grain(f"{args.model_name} version {args.model_version}", metadata, monthly)
    known = prepared(complete(monthly).rows)
    state = state_of(known)
    forecaster = load_forecaster(args.model, metadata, state, Months.of(known).panel())
    rules = RequestRules(load_contract(args.contract), state.key_columns, state.first_month, state.last_month)
    plan = read_plan(args.plan, rules, state.key_columns)
    rows = asked_rows(state, args.horizon, plan)
    forecasts = forecaster.forecast(rows)
    table = table_of(rows, forecasts, forecaster)
    table = table.assign(ModelName=args.model_name, ModelVersion=str(args.model_version))
    args.forecasts.mkdir(parents=True, exist_ok=True)
    table.to_parquet(args.forecasts / "forecasts.parquet", index=False)
    countries = countries_of(rows, forecaster)
    write_for_planners(table, countries, args.forecasts)
    batch = explorer.Batch(rows, forecasts, countries, args.horizon)
    named = {"name": args.model_name, "version": str(args.model_version)}
    (args.forecasts / "explorer.html").write_text(
        explorer.render(args.model, forecaster, batch, named), encoding="utf-8"
    )
    months = (month_name(state.last_month + 1), month_name(state.last_month + args.horizon))
    warnings = StepWarnings("forecast", of_rows(args.monthly))
    count = len(state.keys) - name_ended(state, plan, warnings)
    log.info("Forecast %d series, %s to %s, with model version %s", count, *months, args.model_version)
    comparison = lookback.look_back(args.model, metadata, known)
    health.write({"name": args.model_name, "version": str(args.model_version), **comparison}, args.forecasts)
    if warning := health.sentence(args.model_name, str(args.model_version), comparison):
        warnings.add(warning)
    unused = check_plan(args.plan, plan, state, args.horizon, warnings)
    warnings.write(args.forecasts)
    with tracking.run("forecast") as tracker:
        tracker.log_params({"horizon": args.horizon, "origin": month_name(state.last_month)})
        tracker.log_metrics({"forecasts": len(table), "planned": len(plan) - unused})
    return 0


if __name__ == "__main__":
    raise SystemExit(run(main))

"""The planner's table: prices, promotions and holidays that are known of months to come."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from demand.errors import StepError
from demand.months import month_name
from demand.requests import RequestError, RequestRules
from demand.store_ids import MAX_SHOWN, did_you_mean

TRUE, FALSE = {"true", "1", "yes"}, {"false", "0", "no"}
Key = tuple[str | int, ...]


def read_plan(path: Path, rules: RequestRules, keys: tuple[str, ...]) -> dict[Key, dict[str, Any]]:
    """(key columns..., month index) -> what is planned; empty cells are left out.

    Args:
        path: CSV (UTF-8) or Parquet with StoreID, MonthYear and any of the contract's optional columns.
        check: rules of the model's requests, which a plan's rows have to meet as well.
        keys: StoreID and what the model's grain adds.

    Raises:
        StepError: no such file, an unknown column, a value that breaks a rule, a month planned twice; names the line.
    """
    table = _read(path)
    unknown = sorted(set(table.columns) - {"MonthYear", *rules.columns})
    if unknown:
        known = ", ".join(["MonthYear", *rules.columns])
        raise StepError(f"{path}:1: unknown column {', '.join(unknown)}; a plan has {known}")
    plan: dict[Key, dict[str, Any]] = {}
    for number, cells in enumerate(table.to_dict("records")):
        line = number + 2  # after the header
        row = _clean({str(name): value for name, value in cells.items()}, rules, f"{path}:{line}")
        key = (*(str(row.get(name, "")) for name in keys), row["Month"])
        if key in plan:
            raise StepError(f"{path}:{line}: {', '.join(map(str, key[:-1]))} has this month twice: keep one line")
        plan[key] = row
    return plan


def warn_of_unused(
    path: Path,
    plan: Mapping[Key, dict[str, Any]],
    known: Collection[tuple[str, ...]],
    forecast: range,
    warn: Callable[[str], None],
) -> int:
    """Say which planned months no forecast uses, and why; how many these are.

    Args:
        path: the plan, named in each line.
        plan: what `read_plan` gave.
        known: keys of the series that are forecast, StoreID first.
        forecast: indices of the months that are forecast.
        warn: called with each line.
    """
    unknown = Counter(tuple(map(str, key[:-1])) for key in plan if key[:-1] not in known)
    months = [int(key[-1]) for key in plan if key[:-1] in known]
    past = sum(month < forecast.start for month in months)
    later = sum(month >= forecast.stop for month in months)
    if unknown:
        warn(f"{_rows(path, unknown.total())} of series without sales, not used: {_series(unknown, known)}")
    if past:
        warn(f"{_rows(path, past)} of past months, not used: the first forecast is {month_name(forecast.start)}")
    if later:
        last = month_name(forecast.stop - 1)
        warn(f"{_rows(path, later)} of months after the last forecast, {last}, not used: raise the horizon")
    return unknown.total() + past + later


def _rows(path: Path, count: int) -> str:
    return f"{path.name}: {count} row{'' if count == 1 else 's'}"


def _series(unknown: Counter[tuple[str, ...]], known: Collection[tuple[str, ...]]) -> str:
    stores = sorted({key[0] for key in known})
    shown = [
        " ".join((f'"{store}"' if store in stores else did_you_mean(store, stores), *rest))
        for store, *rest in sorted(unknown)[:MAX_SHOWN]
    ]
    return ", ".join(shown) + (f" and {len(unknown) - MAX_SHOWN} more" if len(unknown) > MAX_SHOWN else "")


def _read(path: Path) -> pd.DataFrame:
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise StepError(f"{path}: no such plan; give a CSV or Parquet file with StoreID and MonthYear") from error
    except (ValueError, OSError) as error:
        raise StepError(f"{path}: the plan cannot be read: {error}") from error


def _clean(cells: dict[str, Any], rules: RequestRules, place: str) -> dict[str, Any]:
    typed = {name: _typed(name, value, rules) for name, value in cells.items()}
    try:
        return rules.rows([{name: value for name, value in typed.items() if value is not None}])[0]
    except RequestError as error:
        raise StepError(f"{place}: {error.faults[0].field}: {error.faults[0].rule}") from error


def _typed(name: str, value: Any, rules: RequestRules) -> Any:
    """A CSV's text in the column's type; text that is none stays, so that the check names it."""
    if value is None or value == "" or (isinstance(value, float) and value != value):  # noqa: PLR0124  NaN
        return None
    kind = rules.columns[name].type if name in rules.columns else "string"
    if kind == "boolean" and isinstance(value, str):
        text = value.strip().lower()
        return True if text in TRUE else False if text in FALSE else value
    if kind == "number" and isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value.item() if hasattr(value, "item") else value

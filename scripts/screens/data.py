"""The sales behind the last run: how fresh, what was quarantined by which rule, and each store's months."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from host.state import read_json
from pipeline import azml, last_run

# Of a file of monthly sales: each store with its span, the months in it that have no sale, and its last twelve months.
STORES = """
select
    StoreID, any_value(Country) as Country, strftime(min(MonthStart), '%Y-%m') as first_month,
    strftime(max(MonthStart), '%Y-%m') as last_month, count(distinct MonthStart) as months,
    date_diff('month', min(MonthStart), max(MonthStart)) + 1 - count(distinct MonthStart) as gaps,
    sum(TotalSales) as units
from read_parquet($path)
group by StoreID
order by gaps desc, StoreID
"""
SHOWN = 500
# Counts that rows.json of earlier releases has not.
NONE = {"incomplete_month_rows": 0, "by_rule": {}, "partial_months": [], "warnings": []}


@dataclass(frozen=True)
class Store:
    """One store: YYYY-MM of its first and last sale, months with sales, and months between them without."""

    name: str
    country: str
    first: str
    last: str
    months: int
    gaps: int
    units: float


@dataclass(frozen=True)
class Data:
    """What the last run read; `stores` is None where its monthly sales are not on this machine."""

    run: str
    rows: dict[str, Any]
    stores: list[Store] | None
    last_month: str

    @property
    def ended(self) -> list[Store]:
        """Stores whose last sale is before the last month."""
        return [store for store in self.stores or [] if store.last < self.last_month]


def known() -> Data | None:
    """Of the last training run; None before the first one that ended well."""
    if not last_run.is_known() or not azml.is_local():
        return None
    name = last_run.name()
    outputs = azml.call("job", "show", name=name).get("jobs", {}).get("aggregate", {}).get("outputs") or {}
    folder = Path(str(outputs.get("monthly", "")))
    rows = read_json(folder / "rows.json") if outputs else None
    if rows is None:
        return None
    stores = _stores(folder / "monthly.parquet")
    return Data(name, {**NONE, **rows}, stores[:SHOWN], max((store.last for store in stores), default=""))


def _stores(path: Path) -> list[Store]:
    with duckdb.connect() as connection:
        listed = connection.execute(STORES, {"path": str(path)}).fetchall()
    return [Store(str(name), country or "unknown", *rest) for name, country, *rest in listed]

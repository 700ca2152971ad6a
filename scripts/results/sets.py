"""The sales sets: monthly rows as the steps aggregate and prepare make them, of files and of generated sales."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from amlspec.errors import UserError
from demand.contract import load_contract
from demand.steps import read_rows
from forecasting.features import prepared
from forecasting.gaps import complete
from sales.aggregate import aggregate
from warehouse.days import Settings
from warehouse.generator import write_sales

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
GENERATED = "generated"


@dataclass(frozen=True)
class SalesSet:
    """One set of sales.

    Attributes:
        name: what the page calls it; that of its file.
        rows: monthly rows, closed and partial months left out, sparse series filled.
    """

    name: str
    rows: pd.DataFrame

    def size(self) -> str:
        """Its series and months, in words."""
        months = self.rows["MonthStart"].nunique()
        return f"{self.rows['StoreID'].nunique()} stores, {months} months"


def of_file(path: Path, name: str | None = None, grain: str = "store") -> SalesSet:
    """From a Parquet file in the contract's columns. Raises UserError where there is none."""
    if not path.is_file():
        raise UserError(f"{path}: no such file; give sales as Parquet in the contract's columns")
    with tempfile.TemporaryDirectory() as folder:
        monthly, bad = Path(folder) / "monthly", Path(folder) / "quarantine"
        sql = (ROOT / "ml/data/monthly_sales.sql").read_text(encoding="utf-8")
        aggregate(path, load_contract(ROOT / "ml/data/sales.contract.yml"), sql, grain, monthly, bad)
        rows = read_rows(monthly, "monthly.parquet")
    return SalesSet(name or path.stem, prepared(complete(rows).rows))


def generated(seed: int) -> SalesSet:
    """The sales that the local warehouse is filled with, from another seed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sales.parquet"
        write_sales(path, Settings(seed=seed))
        return of_file(path, GENERATED)


def shared() -> Mapping[str, Path]:
    """Name -> file of the real sales beside this checkout; empty where there are none."""
    return {path.stem: path for path in sorted(SHARED.glob("*.parquet"))}

"""What every candidate hands to the evaluate step: its model folder, and its back-test beside it.

A candidate is refitted on all months by the step that back-tests it, so that the one that is promoted is registered as
it is. Evaluate judges the back-test, in which every forecast comes from a model that had not seen its month.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from demand.errors import StepError
from demand.steps import read_rows
from forecasting import blending, scoring
from forecasting.features import HISTORY, series_columns, series_keys
from forecasting.packing import read_metadata

BACKTEST = "backtest.parquet"
# Columns of the prepare step that no recipe takes as they are: each makes its history features from the rows it knows.
UNUSED = (*HISTORY, "FirstDay", "LastDay")


@dataclass(frozen=True)
class Candidate:
    """A model folder, its metadata, and its back-test (`forecasting.rolling`)."""

    folder: Path
    metadata: Mapping[str, Any]
    table: pd.DataFrame

    @property
    def name(self) -> str:
        """What the verdict calls it."""
        return str(self.metadata.get("candidate", self.folder.name))

    @property
    def features(self) -> list[str]:
        """Names of its input columns."""
        return list(self.metadata.get("features", ()))


def read(train: Path, holdout: Path, without: Collection[str] = UNUSED) -> tuple[pd.DataFrame, int]:
    """(all monthly rows of the prepare step, how many months are held out); by default what recipes learn from."""
    rows = read_rows(train, "train.parquet", (holdout, "holdout.parquet"), without=without)
    if rows.empty:
        raise StepError("train.parquet holds no rows: import more months or lower holdout_months")
    return rows, len(months_of(holdout, "holdout.parquet"))


def months_of(folder: Path, name: str) -> list[str]:
    """The months in a file of the prepare step, as YYYY-MM, the oldest first."""
    return sorted(pq.read_table(folder / name, columns=["MonthYear"])["MonthYear"].unique().to_pylist())


def load(folder: Path) -> Candidate:
    """The candidate in a folder.

    Raises:
        StepError: no model there, or no back-test beside it.
    """
    metadata, path = read_metadata(folder), folder / BACKTEST
    if not path.is_file():
        raise StepError(f"{folder}: holds no {BACKTEST}; give the output of a step that trains a candidate")
    return Candidate(folder, metadata, read_rows(folder, BACKTEST))


def load_all(folders: Sequence[Path]) -> dict[str, Candidate]:
    """Candidates by name, in their order.

    Raises:
        StepError: a folder holds no candidate, or two candidates have one name.
    """
    loaded: dict[str, Candidate] = {}
    for folder in folders:
        candidate = load(folder)
        if candidate.name in loaded:
            raise StepError(f"{folder}: a candidate named {candidate.name} is there already; give each its own name")
        first = next(iter(loaded.values()), candidate).table
        if blending.has_rows_of(candidate.table, first):
            candidate = replace(candidate, table=blending.with_forecasts(first, candidate.table))
        loaded[candidate.name] = candidate
    return loaded


def keyed(table: pd.DataFrame) -> pd.DataFrame:
    """A back-test with Key, one text per series, and Usual, the mean sales of its judged months, in units a month.

    Its rows are in the order in which every back-test is kept, so that tables of the same rows can share their columns.
    """
    table = table.assign(Key=series_keys(table)).sort_values(blending.ORDER, ignore_index=True)
    return table.assign(Usual=table.groupby("Key")["Actual"].transform("mean").clip(lower=0.0))


def metrics(folder: Path, table: pd.DataFrame) -> dict[str, float | None]:
    """What the training run of a candidate says of it: WAPE of its back-test's judged months, and its size.

    The evaluate step compares candidates on the months that all of them have, so its figures can differ slightly.
    """
    judged = table[table["Judged"]]
    near, far = scoring.errors(scoring.one_step(judged)), scoring.errors(judged)
    planned = scoring.errors(scoring.one_step(judged), "Planned")
    return {
        "wape": near.wape,
        "wape_1_to_6_months": far.wape,
        "wape_with_plan": planned.wape,
        "mae": near.mae,
        "rmse": near.rmse,
        "model_mb": megabytes(folder),
    }


def key_columns(table: pd.DataFrame) -> list[str]:
    """StoreID and what the grain adds."""
    return series_columns(table)


def megabytes(folder: Path) -> float:
    """Size of a model folder in MB of 10^6 bytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6

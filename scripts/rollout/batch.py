"""What the batch job forecast with the same version: the endpoint has to answer the same."""

import csv
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amlspec.errors import UserError
from demand.grain import COLUMN
from pipeline import answers, outputs

Row = dict[str, Any]
Key = tuple[str, ...]
# Both pipelines that forecast have these display names, this output, and this step that writes it.
JOBS, OUTPUT, STEP = ("Forecast demand", "Forecast demand in parallel"), "forecasts", "forecast"
NEWEST_JOBS, JOBS_ASKED = 50, 5
# Enough to see a wrong number; a request has its limits.
STORES = 20
FINER = tuple(COLUMN.values())


@dataclass(frozen=True)
class Result:
    """Forecasts of one batch job; `source` names it in messages, `given` says that the caller asked for it."""

    source: str
    rows: list[Row]
    given: bool

    def expected(self) -> dict[Key, float]:
        """Units by series and month."""
        return {key_of(row): float(row["TotalSales"]) for row in self.rows}

    def request(self) -> Row:
        """The question that the first stores' forecasts answer: their months, with what was planned for them."""
        wanted = set(list(dict.fromkeys(str(row["StoreID"]) for row in self.rows))[:STORES])
        return {"input_data": [_asked(row) for row in self.rows if str(row["StoreID"]) in wanted]}

    def origin_problem(self, answer: Row) -> str | None:
        """Whether both forecast from the same month; None too where either does not say."""
        origin = str(next(iter(self.rows), {}).get("Origin") or "")
        known = str(answer.get("model", {}).get("known_until") or "")
        if not origin or not known or origin == known:
            return None
        return f"{self.source} forecasts from {origin}, the model knows sales until {known}: they cannot agree"


def read(path: Path, source: str = "", given: bool = True) -> Result:
    """Result of a CSV or Parquet file, or a folder with one. Raises UserError for what is none."""
    try:
        result = Result(source or str(path), _rows(path), given)
        result.expected()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}: give the batch job's output") from None
    except (KeyError, ValueError) as error:
        raise UserError(f"{path}: {error}: a batch result has StoreID, MonthYear and TotalSales") from None
    return result


def newest(call: Callable[..., Any], model: str, version: str) -> Result | None:
    """Result of the newest completed `make forecast` with this version; None where there is none.

    `call` gives the JSON of a verb of `az ml`.
    """
    jobs = call("job", "list", max_results=NEWEST_JOBS) or []
    done = [job["name"] for job in jobs if job.get("display_name") in JOBS and _is_completed(job)]
    for name in done[:JOBS_ASKED]:
        inputs = call("job", "show", name=name).get("inputs") or {}
        if (inputs.get("model_name"), str(inputs.get("model_version"))) == (model, version):
            with tempfile.TemporaryDirectory() as folder:
                files = outputs.fetched(name, OUTPUT, STEP, Path(folder) / OUTPUT)
                return read(files, f"job {name}", given=False)
    return None


def _is_completed(job: Row) -> bool:
    return answers.state(job.get("status")) == "completed"


def key_of(row: Row) -> Key:
    """Store, what the grain adds to it, and month."""
    return (str(row["StoreID"]), *(str(row[name]) for name in FINER if row.get(name)), str(row["MonthYear"]))


def problems(rows: Sequence[Row], expected: dict[Key, float], limit: float) -> list[str]:
    """Whether the endpoint answers what the batch job forecast, to a relative `limit`."""
    differences = []
    for row in rows:
        key = key_of(row)
        if key in expected and abs(float(row["TotalSales"]) - expected[key]) > limit * max(1.0, abs(expected[key])):
            differences.append(
                f"store {', '.join(key)}: batch forecast {expected[key]:g}, endpoint {row['TotalSales']:g}"
            )
    return differences


def _asked(row: Row) -> Row:
    """A row of the result as a caller sends it; a CSV's cells in their types, and what is empty left out."""
    asked: Row = {name: str(row[name]) for name in ("StoreID", "MonthYear", *FINER) if row.get(name)}
    for name in ("Price", "Promotion", "Holiday"):
        value = row.get(name)
        if value not in (None, ""):
            asked[name] = float(value) if name == "Price" else str(value).lower() == "true"
    return asked


def _rows(path: Path) -> list[Row]:
    if path.is_dir():
        path = next((each for each in sorted(path.glob("*.parquet"))), path / "*.parquet")
    return _parquet(path) if path.suffix == ".parquet" else _csv(path)


def _csv(path: Path) -> list[Row]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def _parquet(path: Path) -> list[Row]:
    import pyarrow.parquet as pq  # noqa: PLC0415 - only where a batch result is there

    rows: list[Row] = pq.read_table(path).to_pylist()
    return rows

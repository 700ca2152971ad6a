"""Cost of the aggregate step against idiomatic pandas doing the same job, on generated sales of any size.

Both sides run as processes of their own, start-up included, on the same Parquet files: contract check with duplicate
SaleIDs, quarantine, and sales by store and month with the last recorded weather, promotion and holiday.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

REPO = Path(__file__).resolve().parents[2]
ROWS = 50_000_000
STORES = 500
FILES = 25
COLUMNS = (
    "SaleID", "SaleDate", "StoreID", "Country", "City", "Category", "Product", "Price", "Quantity", "Weather",
    "Promotion", "Holiday",
)  # fmt: skip
SPEEDUP_GOAL = 12.0
PEAK_GOAL_MB = 256.0


@dataclass(frozen=True)
class Measured:
    """Wall-clock seconds and peak resident memory of a process, in MB of 10^6 bytes."""

    seconds: float
    peak_mb: float


def make_sales(folder: Path, rows: int, text_ids: bool = False, files: int = FILES) -> None:
    """Write `rows` seeded sale lines over 48 months and 500 stores into `folder`, `files` Parquet files."""
    sale_id = "'L' || lpad(cast(i as varchar), 12, '0')" if text_ids else "i"
    step = 48 * 30.4 * 24 * 60 / rows
    per_file = -(-rows // files)
    with duckdb.connect() as con:
        for number in range(files):
            first, last = number * per_file, min(rows, (number + 1) * per_file)
            con.execute(f"""
                copy (
                    select
                        {sale_id} as SaleID,
                        timestamp '2021-01-01' + to_seconds(cast(i * {step * 60} as bigint)) as SaleDate,
                        'S' || lpad(cast(store as varchar), 4, '0') as StoreID,
                        (['United States', 'Canada', 'Mexico'])[1 + store % 3] as Country,
                        'City ' || (store % 60) as City,
                        'Category ' || (h % 5) as Category,
                        'Product ' || (h % 40) as Product,
                        2 + ((h >> 8) % 600) / 100.0::double as Price,
                        cast(1 + (h >> 20) % 5 as double) as Quantity,
                        case when (h >> 24) % 20 > 0 then (['Sunny', 'Rainy', 'Snowy'])[1 + (h >> 30) % 3] end
                            as Weather,
                        case when (h >> 34) % 20 > 0 then (h >> 40) % 4 = 0 end as Promotion,
                        (h >> 44) % 25 = 0 as Holiday
                    from (
                        select i, cast(hash(i) >> 4 as bigint) as h, cast(hash(i + 7) % {STORES} as bigint) as store
                        from range({first}, {last}) as t (i)
                    ) as seeded
                ) to '{folder}/sales-{number:04d}.parquet' (format parquet)
            """)


@contextmanager
def generated(rows: int, text_ids: bool = False) -> Iterator[Path]:
    """A temporary folder of generated sales, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="aggregate-bench-") as folder:
        make_sales(Path(folder), rows, text_ids)
        yield Path(folder)


def measure(command: Sequence[str]) -> Measured:
    """Run a command to its end.

    Raises:
        RuntimeError: it failed; shows its last lines.
    """
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    environment.pop("MLFLOW_TRACKING_URI", None)
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            raise RuntimeError(f"{' '.join(command)} failed: {output.read()[-2000:].decode(errors='replace')}")
    return Measured(seconds, usage.ru_maxrss * 1024 / 1e6)


def run_step(sales: Path, output: Path, memory_limit_mb: int = 128) -> Measured:
    """The aggregate step as the component runs it."""
    data = REPO / "ml/data"
    flags = {
        "sales": sales,
        "contract": data / "sales.contract.yml",
        "monthly-sql": data / "monthly_sales.sql",
        "memory-limit-mb": memory_limit_mb,
        "monthly": output / "monthly",
        "quarantine": output / "quarantine",
    }
    command = [sys.executable, "-m", "sales.aggregate"]
    return measure(command + [str(part) for name, value in flags.items() for part in (f"--{name}", value)])


def run_pandas(sales: Path, output: Path) -> Measured:
    """The same job in pandas."""
    return measure([sys.executable, __file__, "--pandas", str(sales), str(output / "pandas.parquet")])


def aggregate_with_pandas(sales: Path, target: Path) -> None:
    """What a data scientist would write: read, check, set aside, sort, group."""
    import pandas as pd  # noqa: PLC0415  only the peer's process pays for it

    unused = {"Category", "Product"}
    rows = pd.read_parquet(sales, columns=[name for name in COLUMNS if name not in unused])
    rows["SaleDate"] = pd.to_datetime(rows["SaleDate"], errors="coerce")
    bad = rows[["SaleID", "SaleDate", "StoreID", "Quantity"]].isna().any(axis=1) | (rows["Price"] < 0)
    bad |= rows["SaleID"].duplicated()
    rows[bad].to_csv(target.with_suffix(".quarantine.csv"), index=False)
    rows = rows[~bad].sort_values(["SaleDate", "SaleID"])
    rows["MonthStart"] = rows["SaleDate"].dt.to_period("M").dt.to_timestamp()
    last = {name: (name, "last") for name in ("Country", "City", "Weather", "Promotion", "Holiday")}
    monthly = rows.groupby(["StoreID", "MonthStart"], as_index=False).agg(
        Price=("Price", "mean"), TotalSales=("Quantity", "sum"), **last
    )
    days = monthly["MonthStart"].drop_duplicates()
    weekends = {day: (pd.date_range(day, day + pd.offsets.MonthEnd()).dayofweek > 4).mean() for day in days}
    monthly["IsWeekend"] = monthly["MonthStart"].map(weekends)
    monthly.to_parquet(target, index=False)


def aggregate_vs_pandas_speedup(rows: int = ROWS, text_ids: bool = False) -> dict[str, Any]:
    """How many times faster the step is than pandas."""
    with generated(rows, text_ids) as sales, tempfile.TemporaryDirectory() as output:
        ours, peer = run_step(sales, Path(output)), run_pandas(sales, Path(output))
    return {
        "value": round(peer.seconds / ours.seconds, 1),
        "unit": "x",
        "goal": f">= {SPEEDUP_GOAL:g}",
        "peer": f"pandas {peer.seconds:.1f} s, {peer.peak_mb:.0f} MB",
        "detail": f"{rows:,} rows, {'text' if text_ids else 'whole-number'} SaleID: step {ours.seconds:.1f} s, "
        f"{ours.peak_mb:.0f} MB, start-up included on both sides",
    }


def aggregate_peak_mb(rows: int = ROWS, text_ids: bool = False) -> dict[str, Any]:
    """Peak resident memory of the whole step's process."""
    with generated(rows, text_ids) as sales, tempfile.TemporaryDirectory() as output:
        ours = run_step(sales, Path(output))
    return {
        "value": round(ours.peak_mb),
        "unit": "MB",
        "goal": f"<= {PEAK_GOAL_MB:g}",
        "peer": "none",
        "detail": f"{rows:,} rows, {'text' if text_ids else 'whole-number'} SaleID, in {ours.seconds:.1f} s",
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print, or run the pandas side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--text-ids", action="store_true", help="SaleID as text instead of whole numbers")
    parser.add_argument("--pandas", nargs=2, type=Path, metavar=("SALES", "TARGET"), help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.pandas:
        aggregate_with_pandas(*args.pandas)
        return 0
    for bench in (aggregate_vs_pandas_speedup, aggregate_peak_mb):
        sys.stdout.write(json.dumps({bench.__name__: bench(args.rows, args.text_ids)}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

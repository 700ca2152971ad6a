"""How time and memory of the aggregate step grow with the rows, and how far `make estimate` sees.

Sales are written as partitioned Parquet and deleted afterwards. The largest size is what half of the free disk holds,
at most LARGEST rows; what was run stands in the result.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from bench.aggregate_bench import make_sales, measure, run_step
from estimate.timings import fit

SIZES, LARGEST = (10_000_000, 100_000_000), 1_000_000_000
ROWS_A_FILE = 4_000_000
# Of generated sales, measured at 10 M rows.
BYTES_A_ROW = 27
PEAK_GOAL_MB, READ_GOAL = 300, 1.6
FITTED, PREDICTED = (1_000_000, 2_000_000, 4_000_000, 8_000_000), 50_000_000
ERROR_GOAL = 0.25
# What the contract check and the aggregation look at.
READ = """
import sys, duckdb
con = duckdb.connect(config={"memory_limit": "128MB"})
names = ("SaleID", "SaleDate", "StoreID", "Country", "City", "Price", "Quantity", "Weather", "Promotion", "Holiday")
con.execute("select " + ", ".join(f"max({name})" for name in names) + f" from read_parquet('{sys.argv[1]}/*.parquet')")
print(con.fetchall())
"""


def largest(free: int) -> int:
    """Rows that fit into half of so many bytes, at most LARGEST, in whole millions."""
    return min(LARGEST, free // 2 // BYTES_A_ROW // 1_000_000 * 1_000_000)


def sizes() -> list[int]:
    """What is run on this machine; BENCH_ROWS caps it."""
    cap = int(os.environ.get("BENCH_ROWS", LARGEST))
    most = min(cap, largest(shutil.disk_usage(tempfile.gettempdir()).free))
    return sorted({*(size for size in SIZES if size <= most), most})


@contextmanager
def _sales(rows: int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="scale-bench-") as folder:
        sales = Path(folder, "sales")
        sales.mkdir()
        make_sales(sales, rows, files=max(1, -(-rows // ROWS_A_FILE)))
        yield sales


@cache
def measured() -> list[dict[str, float]]:
    """Of each size: rows, seconds and peak MB of the step, seconds in which DuckDB reads the same columns."""
    figures = []
    for rows in sizes():
        with _sales(rows) as sales, tempfile.TemporaryDirectory() as output:
            read = measure([sys.executable, "-c", READ, str(sales)])
            step = run_step(sales, Path(output))
        figures.append({"rows": rows, "seconds": step.seconds, "peak_mb": step.peak_mb, "read_seconds": read.seconds})
        sys.stdout.write(f"  {json.dumps(figures[-1])}\n")
        sys.stdout.flush()
    return figures


def aggregate_growth_peak_mb() -> dict[str, Any]:
    """The most memory at any size."""
    figures = measured()
    return {
        "value": round(max(each["peak_mb"] for each in figures)),
        "unit": "MB",
        "goal": f"<= {PEAK_GOAL_MB}",
        "peer": f"{figures[0]['rows']:,.0f} rows: {figures[0]['peak_mb']:.0f} MB",
        "detail": figures,
    }


def aggregate_growth_vs_read() -> dict[str, Any]:
    """Seconds at the largest size over those in which DuckDB reads the same columns; a row's seconds against 10 M."""
    figures = measured()
    last, first = figures[-1], figures[0]
    growth = (last["seconds"] / last["rows"]) / (first["seconds"] / first["rows"])
    return {
        "value": round(last["seconds"] / last["read_seconds"], 2),
        "unit": "x",
        "goal": f"<= {READ_GOAL}",
        "peer": f"DuckDB reads {last['rows']:,.0f} rows in {last['read_seconds']:.0f} s",
        "detail": {"a_rows_seconds_against_the_smallest": round(growth, 2), "sizes": figures},
    }


def estimate_error() -> dict[str, Any]:
    """What a line through small sizes is off by at PREDICTED rows."""
    points = []
    for rows in (*FITTED, PREDICTED):
        with _sales(rows) as sales, tempfile.TemporaryDirectory() as output:
            points.append((rows / 1e6, run_step(sales, Path(output)).seconds))
    fixed, slope = fit(points[:-1])  # a row's seconds; the series are the same at each size
    amount, seconds = points[-1]
    predicted = fixed + slope * amount
    return {
        "value": round(abs(predicted / seconds - 1), 3),
        "unit": "of it",
        "goal": f"<= {ERROR_GOAL}",
        "peer": f"{amount:.0f} M rows took {seconds:.1f} s, {predicted:.1f} s were predicted",
        "detail": {"points": [[amount, round(each, 2)] for amount, each in points]},
    }

"""Step aggregate: check every raw row against the contract, quarantine the bad ones, sum the rest by month."""

import argparse
import json
import logging
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from demand import outputs, tracking
from demand.contract import Contract, load_contract
from demand.errors import StepError
from demand.grain import COLUMN, GRAINS
from demand.job_paths import shown_folder
from demand.step_warnings import StepWarnings
from demand.steps import as_of_day, run
from sales import months, pushed
from sales.contract_check import CHECKED, check_rows
from sales.files import find_parquet
from sales.months import Rows
from sales.pushed import QUARANTINE, Aggregation

log = logging.getLogger(__name__)
# Up to where the memory limit is doubled.
MAX_MEMORY_MB = 8192
# What DuckDB holds of a month of a series while it sums; measured at 6 and 12 million of them (docs/scale.md).
SERIES_MONTH_BYTES = 170


def build_parser() -> argparse.ArgumentParser:
    """Flags of the component aggregate_sales."""
    parser = argparse.ArgumentParser(prog="sales.aggregate", description=__doc__)
    parser.add_argument("--sales", type=Path, required=True, help="MLTable folder, folder or file of Parquet")
    parser.add_argument("--contract", type=Path, required=True, help="sales contract, YAML")
    parser.add_argument("--monthly-sql", type=Path, required=True, help="the aggregation, SQL")
    parser.add_argument("--grain", choices=GRAINS, default="store", help="what a monthly row stands for")
    parser.add_argument("--as-of", type=as_of_day, help="day after which a sale lies in the future; default: today")
    parser.add_argument("--memory-limit-mb", type=int, default=128, help="DuckDB's memory at least, MB")
    parser.add_argument("--monthly", type=Path, required=True, help="output folder")
    parser.add_argument("--quarantine", type=Path, required=True, help="output folder")
    return parser


def connect(memory_limit_mb: int, spill: Path) -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory that spills to `spill` above the limit."""
    con = duckdb.connect(config={"memory_limit": f"{memory_limit_mb}MB", "temp_directory": str(spill)})
    con.execute("set preserve_insertion_order = false")
    # It takes the months for as many rows as the sales, and would then hold the sales in memory to join them.
    con.execute("set disabled_optimizers = 'join_order,build_side_probe_side'")
    return con


def aggregate(
    sales: Path, contract: Contract, sql: str, grain: str, monthly: Path, quarantine: Path, memory_limit_mb: int = 128
) -> Rows:
    """Write monthly.parquet, rows.json and quarantine.csv.

    Raises:
        StepError: a required column is missing, there is no row, or more rows are bad than the contract allows.
    """
    files, warnings = find_parquet(sales), StepWarnings("aggregate")
    source = shown_folder("sales", sales)
    with (
        outputs.staged(monthly) as folder,
        _kept(quarantine) as bad,
        tempfile.TemporaryDirectory() as spill,
        connect(memory_limit_mb, Path(spill)) as con,
    ):
        kept = bad / "quarantine.csv"
        checked = check_rows(con, files, contract, source, kept, Path(spill), warnings.add)
        _sum_by_month(con, sql, grain, _memory_for(con, grain, memory_limit_mb))
        sold = months.Sold(lambda query: con.execute(query).fetchall(), CHECKED)
        rows = months.keep(con, sold, checked, months.Asked(contract.frequency, grain, source), warnings, folder)
    return rows


def taken(sales: Path, wanted: Aggregation, monthly: Path, quarantine: Path) -> Rows:
    """Hand on what the warehouse has summed (`sales.pushdown`); its bad rows stay in its table SALES_QUARANTINE.

    Raises:
        StepError: it was summed with another grain, SQL or contract.
    """
    pushed.check_mark(sales, wanted)
    with outputs.staged(monthly) as folder, _kept(quarantine) as bad:
        for name in (months.MONTHLY, months.ROWS, pushed.MARK):
            shutil.copyfile(sales / name, folder / name)
        (bad / "quarantine.csv").write_text("reason,file,row\n", encoding="utf-8")
        rows = Rows(**json.loads((folder / months.ROWS).read_text(encoding="utf-8")))
    if rows.quarantined:
        log.warning("%d bad rows are in the warehouse's table %s", rows.quarantined, QUARANTINE)
    return rows


def _memory_for(con: duckdb.DuckDBPyConnection, grain: str, least: int) -> int:
    """MB for the sums by month, by an estimate of how many there are: each try with too little takes as long again."""
    key = COLUMN.get(grain, "''")
    ((months,),) = con.execute(
        f"select approx_count_distinct((StoreID, {key}, date_trunc('month', SaleDate))) from {CHECKED}"
    ).fetchall()
    return max(least, min(MAX_MEMORY_MB, int(months * SERIES_MONTH_BYTES / 1e6)))


def _sum_by_month(con: duckdb.DuckDBPyConnection, sql: str, grain: str, memory_limit_mb: int) -> None:
    """Make the table `monthly`. Where the memory is too little after all, it is tried with twice as much.

    Raises:
        StepError: it does not fit into MAX_MEMORY_MB either.
    """
    con.execute(f"set memory_limit = '{memory_limit_mb}MB'")
    while True:
        try:
            con.execute(f"create temp table monthly as {sql}", {"grain": grain})
            return
        except duckdb.OutOfMemoryException as error:
            memory_limit_mb *= 2
            if memory_limit_mb > MAX_MEMORY_MB:
                raise StepError(
                    f"the series of these sales, by {grain}, do not fit into {memory_limit_mb // 2} MB: choose a "
                    "coarser grain, or give the step a larger memory_limit_mb"
                ) from error
            log.info("Many series: DuckDB goes on with %d MB of memory", memory_limit_mb)
            con.execute(f"set memory_limit = '{memory_limit_mb}MB'")


@contextmanager
def _kept(output: Path) -> Iterator[Path]:
    """As `outputs.staged`, but the files are kept where the check failed too: they say which rows were bad."""
    with tempfile.TemporaryDirectory() as temporary:
        try:
            yield Path(temporary)
        finally:
            outputs.publish(Path(temporary), output)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step."""
    args = build_parser().parse_args(argv)
    contract = load_contract(args.contract).as_of(args.as_of or datetime.now(UTC).date())
    sql, text = (path.read_text(encoding="utf-8") for path in (args.monthly_sql, args.contract))
    if pushed.is_pushed_down(args.sales):
        rows = taken(args.sales, Aggregation(sql, args.grain, text), args.monthly, args.quarantine)
    else:
        rows = aggregate(args.sales, contract, sql, args.grain, args.monthly, args.quarantine, args.memory_limit_mb)
    log.info("Read %d rows, quarantined %d, wrote %d monthly rows", rows.read, rows.quarantined, rows.store_months)
    with tracking.run("aggregate") as tracker:
        counts = {name: value for name, value in asdict(rows).items() if isinstance(value, int)}
        tracker.log_metrics({f"rows_{name}": value for name, value in counts.items()})
    return 0


if __name__ == "__main__":
    raise SystemExit(run(main))

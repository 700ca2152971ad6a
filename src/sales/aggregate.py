"""Step aggregate: check every raw row against the contract, quarantine the bad ones, sum the rest by month."""

import argparse
import json
import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from demand import outputs, store_ids, tracking
from demand.contract import Contract, load_contract
from demand.errors import StepError
from demand.grain import COLUMN, GRAINS
from demand.job_paths import shown_folder
from demand.step_warnings import Entry, StepWarnings
from demand.steps import as_of_day, run
from sales import frequency
from sales.contract_check import Checked, check_rows
from sales.files import find_parquet

log = logging.getLogger(__name__)
# Up to where the memory limit is doubled.
MAX_MEMORY_MB = 8192


@dataclass(frozen=True)
class Rows:
    """What became of the raw rows.

    `complete_until` is the last month that the data cover whole, as YYYY-MM; `by_rule` counts quarantined rows by rule;
    `partial_months` are those that begin in the data and are not learned from, as YYYY-MM.
    """

    read: int
    quarantined: int
    incomplete_month_rows: int
    store_months: int
    complete_until: str
    warnings: list[Entry]
    by_rule: Mapping[str, int]
    partial_months: list[str]


def build_parser() -> argparse.ArgumentParser:
    """Flags of the component aggregate_sales."""
    parser = argparse.ArgumentParser(prog="sales.aggregate", description=__doc__)
    parser.add_argument("--sales", type=Path, required=True, help="MLTable folder, folder or file of Parquet")
    parser.add_argument("--contract", type=Path, required=True, help="sales contract, YAML")
    parser.add_argument("--monthly-sql", type=Path, required=True, help="the aggregation, SQL")
    parser.add_argument("--grain", choices=GRAINS, default="store", help="what a monthly row stands for")
    parser.add_argument("--as-of", type=as_of_day, help="day after which a sale lies in the future; default: today")
    parser.add_argument("--memory-limit-mb", type=int, default=128, help="DuckDB's memory before it spills, MB")
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
        _sum_by_month(con, sql, grain, memory_limit_mb)
        _check_grain(con, grain, source)
        incomplete = _incomplete_month(con, source, contract.frequency, warnings)
        _warn_of_stores(con, contract.frequency, warnings)
        con.execute(
            "copy (select * from monthly where MonthStart < $until order by all) to $path (format parquet)",
            {"until": incomplete, "path": str(folder / "monthly.parquet")},
        )
        rows = _count(con, incomplete, checked, warnings)
        (folder / "rows.json").write_text(json.dumps(asdict(rows), indent=2) + "\n", encoding="utf-8")
    return rows


def _sum_by_month(con: duckdb.DuckDBPyConnection, sql: str, grain: str, memory_limit_mb: int) -> None:
    """Make the table `monthly`. Many series take more memory than spilling saves; then it is tried with twice as much.

    Raises:
        StepError: it does not fit into MAX_MEMORY_MB either.
    """
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


def _incomplete_month(con: duckdb.DuckDBPyConnection, source: str, declared: str, warnings: StepWarnings) -> date:
    """First day of the month that the data do not cover to its last day; the month after the data, if they do."""
    # Only the last month is read again: Parquet's statistics skip the rest.
    first, latest = con.execute("select min(MonthStart), max(MonthStart) from monthly").fetchall()[0]
    query = "select cast(max(SaleDate) as date) from sales where SaleDate >= $latest"
    ((last,),) = con.execute(query, {"latest": latest}).fetchall()
    following = frequency.next_month(last)
    if frequency.uncovered_from(declared, last) >= following or frequency.is_over(con, last):
        return following
    incomplete: date = last.replace(day=1)
    if first >= incomplete:
        raise StepError(f"{source}: sales end on {last} and hold no complete month; import more days")
    warnings.add(f"Sales end on {last}: {incomplete:%Y-%m} is incomplete and not learned from")
    return incomplete


def _check_grain(con: duckdb.DuckDBPyConnection, grain: str, source: str) -> None:
    """Raises StepError where no sale has the column that the grain adds: store rows would pass for it in silence."""
    column = COLUMN.get(grain)
    if column and not con.execute(f'select count("{column}") from monthly').fetchall()[0][0]:
        raise StepError(f"{source}: grain {grain} needs the column {column}, and no sale has a value in it")


def _warn_of_stores(con: duckdb.DuckDBPyConnection, declared: str, warnings: StepWarnings) -> None:
    """Say which stores report otherwise than declared, and which are spelled in several ways."""
    ((latest,),) = con.execute("select max(MonthStart) from monthly").fetchall()
    months = con.execute("select StoreID, count(*) from monthly group by StoreID").fetchall()
    lines = frequency.mismatches(declared, frequency.observed(con, frequency.next_month(latest)))
    for line in [*lines, *store_ids.spelled_twice(dict(months))]:
        warnings.add(line)


def _count(con: duckdb.DuckDBPyConnection, incomplete: date, checked: Checked, warnings: StepWarnings) -> Rows:
    dropped, kept, until, partial = con.execute(
        "select (select count(*) from sales where SaleDate >= $m), count(*), strftime(max(MonthStart), '%Y-%m'), "
        "(select list_sort(list(distinct strftime(MonthStart, '%Y-%m'))) from monthly where MonthStart >= $m) "
        "from monthly where MonthStart < $m",
        {"m": incomplete},
    ).fetchall()[0]
    by_rule = dict(checked.by_rule)
    return Rows(checked.read, checked.quarantined, dropped, kept, until, warnings.entries, by_rule, partial or [])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step."""
    args = build_parser().parse_args(argv)
    contract = load_contract(args.contract).as_of(args.as_of or datetime.now(UTC).date())
    sql = args.monthly_sql.read_text(encoding="utf-8")
    rows = aggregate(args.sales, contract, sql, args.grain, args.monthly, args.quarantine, args.memory_limit_mb)
    log.info("Read %d rows, quarantined %d, wrote %d monthly rows", rows.read, rows.quarantined, rows.store_months)
    with tracking.run("aggregate") as tracker:
        counts = {name: value for name, value in asdict(rows).items() if isinstance(value, int)}
        tracker.log_metrics({f"rows_{name}": value for name, value in counts.items()})
    return 0


if __name__ == "__main__":
    raise SystemExit(run(main))

"""Peak memory of importing five million rows from the local warehouse, month by month."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, TypedDict

import warehouse  # noqa: F401  (puts src/ on the path)
from amlspec.errors import UserError
from warehouse import lifecycle
from warehouse.seed import CONNECTION, CONTRACT, local_session
from warehouse.state import REPO, Home, open_home

ROWS = 5_000_000
MONTHS = 36
GOAL_MB = 1024
FILL = """create or replace table SALES as
select i as SaleID, dateadd('second', (i * 7919) % 2400000, dateadd('month', i % {months}, '2023-11-01'::timestamp_ntz))
  as SaleDate, 'S' || (i % 500) as StoreID, 'Canada' as Country, 'City ' || (i % 40) as City, 'Food' as Category,
  'Product ' || (i % 25) as Product, (i % 900) / 100 as Price, (i % 97)::double as Quantity, 'Sunny' as Weather,
  i % 5 = 0 as Promotion, i % 31 = 0 as Holiday
from (select seq4() as i from table(generator(rowcount => {rows})))"""


class Result(TypedDict):
    """One line of `make bench`: value and goal in the unit, what it is compared with, and how it was measured."""

    value: float
    unit: str
    goal: str
    peer: str
    detail: dict[str, Any]


def bench_import_peak_mb(rows: int = ROWS) -> Result:
    """Import `rows` sales of 36 months with the real connector; `value` is the step's peak RSS in MB.

    A warehouse of its own is started in a temporary folder and ended afterwards.

    Raises:
        UserError: the warehouse did not come up, or the import failed; holds the step's last line.
    """
    with tempfile.TemporaryDirectory() as folder:
        home = open_home(folder)
        try:
            with local_session(home) as session:
                session.cursor().execute(FILL.format(rows=rows, months=MONTHS))
            seconds, peak = _import(home, Path(folder))
        finally:
            lifecycle.stop(home)
    detail = {"rows": rows, "months": MONTHS, "seconds": round(seconds, 1), "rows_per_second": round(rows / seconds)}
    return {
        "value": round(peak, 1),
        "unit": "MB",
        "goal": f"< {GOAL_MB}",
        "peer": "one query for all rows: about 600 MB per million rows",
        "detail": detail,
    }


def _import(home: Home, folder: Path) -> tuple[float, float]:
    """Run the import step as its own process; seconds and peak RSS in MB (1 MB is 1 048 576 bytes)."""
    command = [sys.executable, "-m", "sales.ingest", "--connection", str(CONNECTION), "--contract", str(CONTRACT)]
    command += ["--import-spec", str(REPO / "ml" / "data" / "sales.import.yml")]
    command += ["--sales", str(folder / "sales"), "--staging", str(folder / "staging")]
    environment = {**os.environ, **lifecycle.connection_environment(home), "PYTHONDONTWRITEBYTECODE": ""}
    log = folder / "import.log"
    started = time.monotonic()
    with log.open("wb") as output:
        step = subprocess.Popen(command, cwd=REPO / "src", env=environment, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(step.pid, 0)
    step.returncode = os.waitstatus_to_exitcode(status)
    if step.returncode:
        raise UserError(f"the import of the benchmark failed: {log.read_text().strip().splitlines()[-1]}")
    return time.monotonic() - started, usage.ru_maxrss / 1024

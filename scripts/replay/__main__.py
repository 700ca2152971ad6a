"""The verbs replay and simulate-year: what is played, where, and what is said of it."""

import hashlib
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from amlspec.errors import UserError
from demand.contract import load_contract
from demand.months import month_name, month_of
from host.state import home, write_json
from localml import verbs_endpoints
from replay import page
from replay.events import Event, planted, with_events
from replay.play import Machine, Replay, write_rows
from replay.table import Summary, summary
from sales.contract_sql import literal
from servers import __main__ as servers
from warehouse.days import Settings
from warehouse.generator import write_sales
from warehouse.userfile import check_file

# Months that the first model learns from, before those that it is judged on.
YEAR = LEARNED = 12
# Months of generated sales: three years, as in `make seed-sales`, before the year that is played.
GENERATED = 48
CONTRACT = Path("ml/data/sales.contract.yml")
# What decides the outcome, besides the sales.
CODE = ("src/**/*.py", "src/**/*.sql", "ml/**/*.yml", "ml/**/*.sql", "scripts/replay/*.py")


def run(
    machine: Machine,
    sales: Path | None,
    seed: int | None,
    first: str | None,
    months: int,
    faults: bool,
    holdout: int,
) -> int:
    """Play `months` months from `first` on (default: the last ones), and say what came of it.

    Args:
        machine: makes ready what the jobs need.
        sales: a file in the contract's columns; default: generated sales.
        seed: of the generated sales; default: that of `make seed-sales`.
        first: YYYY-MM of the first forecast.
        months: how many.
        faults: plant events.
        holdout: months that the gate judges by.
    """
    outside = os.environ.get("LOCALML_HOME")
    work = home() / "replays" / _key(sales, seed, first, months, faults, holdout)
    _forget_others(work)
    work.mkdir(parents=True, exist_ok=True)
    os.environ["LOCALML_HOME"] = str(work)
    # Of a month's small jobs most would be the loading of their packages.
    os.environ.setdefault("LOCALML_WARM", "1")
    try:
        parts = _sales(sales, seed, work)
        played = _span(parts, first, months, LEARNED + holdout)
        events = planted(played[0], len(played)) if faults else ()
        done = _play(Replay(parts, played, events, machine, holdout), events)
    finally:
        verbs_endpoints.stop_every()
        servers.main(["stop"])
        if outside is None:
            del os.environ["LOCALML_HOME"]
        else:
            os.environ["LOCALML_HOME"] = outside
    _say(done.text())
    for name, seen in done.seen.items():
        _say(f"{'seen' if seen else 'NOT SEEN'}: {name}\n")
    _say(f"Page: {page.write(done, work)}\n")
    write_json(work / "table.json", done.as_json())
    return 0


def _play(replay: Replay, events: Sequence[Event]) -> Summary:
    played = []
    for month in replay.months:
        played.append(replay.play(month))
        _say(f"{played[-1].month}: {played[-1].rows:,} rows, {len(played[-1].alarms)} alarms\n")
    truth = replay.folder / "truth.parquet"
    whole = with_events(replay.sales, [each for each in events if each.lasts], replay.months[-1])
    write_rows(whole, truth)
    return summary(played, events, truth)


def _sales(file: Path | None, seed: int | None, work: Path) -> Sequence[Path]:
    """The sales as Parquet in the contract's columns and types."""
    target = work / "sales"
    target.mkdir(exist_ok=True)
    if file is None:
        path = target / "generated.parquet"
        if not path.is_file():
            settings = Settings(months=GENERATED)
            write_sales(path, settings if seed is None else replace(settings, seed=seed))
        return [path]
    shutil.rmtree(target)  # of a call that was killed
    target.mkdir()
    return check_file(file, load_contract(CONTRACT), target, work / "quarantine.csv").parts


def _span(parts: Sequence[Path], first: str | None, months: int, needed: int) -> range:
    """Indices of the months to forecast. Raises UserError where the sales are too short for `needed` months before."""
    files = ", ".join(literal(str(path)) for path in parts)
    query = f"select min(SaleDate), max(SaleDate + interval 1 day) from read_parquet([{files}])"
    with duckdb.connect() as session:
        oldest, newest = (each.year * YEAR + each.month - 1 for each in session.execute(query).fetchall()[0])
    # The month after the last complete one has no sales to compare with.
    last = newest - 1
    begin = last - months + 1 if first is None else month_of(first)
    if begin is None:
        raise UserError(f"FROM={first}: give a month such as 2026-01")
    if begin - needed < oldest or begin > last:
        possible = f"{month_name(oldest + needed)} to {month_name(last)}" if oldest + needed <= last else "none"
        raise UserError(
            f"the first model needs {needed} months before {month_name(begin)}, and sales must go on after it: "
            f"possible for FROM are {possible}; fewer HOLDOUT_MONTHS and fewer MONTHS need less"
        )
    return range(begin, min(begin + months, last + 1))


def _key(sales: Path | None, *question: object) -> str:
    """The same question has the same folder, and with it what was played before."""
    digest = hashlib.sha256(repr(question).encode())
    if sales is not None and not sales.is_file():
        raise UserError(f"{sales}: no such file")
    for path in [*([sales] if sales else []), *sorted(each for pattern in CODE for each in Path().glob(pattern))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _forget_others(work: Path) -> None:
    for other in work.parent.glob("*/"):
        if other != work:
            shutil.rmtree(other, ignore_errors=True)


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()

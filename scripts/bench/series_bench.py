"""A whole run on many series, stores x products over five years: training, and forecasting in parts, on this machine.

Sales are generated as an import would leave them and registered; then the engine runs the pipelines by product, and
the memory of all their processes is added up while they run.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import psutil
import yaml

from bench.workspace_bench import REPO, environment
from demand.contract import load_contract
from demand.direct import load_forecaster
from forecasting import direct, prepare
from forecasting.features import series_keys
from forecasting.metrics import wape
from forecasting.packing import read_metadata
from forecasting.series_parts import Table, state_and_panel
from host.state import read_json
from sales.aggregate import aggregate

PRODUCTS, MONTHS, DAYS = 20, 60, 8
STORES, FEWER_STORES = 500, 50
PEAK_GOAL_MB = 1500
# Stores x PRODUCTS x MONTHS: 0.06, 0.6, 6 and 12 million series-months. BENCH_SERIES_MONTHS= caps them.
GROWTH = (50, 500, 5_000, 10_000)
GROWTH_GOAL_MB = 4000
MODEL_VERSION = 1
SAMPLE, SAMPLE_GOAL = 1000, 0.02


def series_growth() -> dict[str, Any]:
    """MB of a whole run at the largest size, and seconds, memory and steps at each."""
    most = int(os.environ.get("BENCH_SERIES_MONTHS", GROWTH[-1] * PRODUCTS * MONTHS))
    figures = []
    for stores in GROWTH:
        if (months := stores * PRODUCTS * MONTHS) <= most:
            figures.append({"series_months": months, **_measured(stores)})
            sys.stdout.write(f"  {figures[-1]}\n")
            sys.stdout.flush()
    last = figures[-1]
    return {
        "value": round(max(last["peak_mb"], last["forecast"]["peak_mb"])),
        "unit": "MB",
        "goal": f"<= {GROWTH_GOAL_MB}",
        "peer": f"{last['series_months']:,} series-months in {last['seconds']:.0f} s",
        "detail": {"sizes": figures},
    }


def sample_loss() -> dict[str, Any]:
    """WAPE of a booster that has learned from a tenth of 10,000 series over that of one that has learned from all.

    Both learn from 59 months and forecast the last month of every series.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        actual = _all_but_the_last_month(folder)
        table = Table.of(folder / "monthly")
        known = state_and_panel(table.each_part())
        figures = {}
        for most in (SAMPLE, table.series):
            started = time.monotonic()
            model = _learned(folder, most)
            seconds = time.monotonic() - started
            forecaster = load_forecaster(model, read_metadata(model), *known)
            asked = [{**known[0].key_values(at), "Month": table.last_month + 1} for at in range(table.series)]
            forecasts = np.array([each.sales for each in forecaster.forecast(asked)])
            figures[most] = {"wape": wape(actual, forecasts), "seconds": round(seconds)}
    few, every = figures[SAMPLE]["wape"], figures[table.series]["wape"]
    return {
        "value": round(few / every - 1, 4),
        "unit": "of the WAPE",
        "goal": f"<= {SAMPLE_GOAL}",
        "peer": f"learned from all {table.series:,} series",
        "detail": figures,
    }


def _all_but_the_last_month(folder: Path) -> npt.NDArray[np.float64]:
    """Write monthly rows of 10,000 series without their last month; what they sold in it, by their keys."""
    make_sales(folder / "sales.parquet", STORES)
    contract, sql = (REPO / f"ml/data/{name}" for name in ("sales.contract.yml", "monthly_sales.sql"))
    sums = (sql.read_text(encoding="utf-8"), "product", folder / "monthly", folder / "quarantine")
    aggregate(folder / "sales.parquet", load_contract(contract), *sums)
    path = folder / "monthly/monthly.parquet"
    rows = pd.read_parquet(path)
    last = rows["MonthStart"] == rows["MonthStart"].max()
    rows[~last].to_parquet(path, index=False)
    sold = pd.Series(rows.loc[last, "TotalSales"].to_numpy(), index=series_keys(rows[last]).astype(str))
    return sold.sort_index().to_numpy(dtype=np.float64)


def _learned(folder: Path, most: int) -> Path:
    """A booster's folder, learned from a sample of so many series."""
    split = [f"--{name}={folder / str(most) / name}" for name in ("train", "holdout")]
    prepare.main([f"--monthly={folder / 'monthly'}", f"--max-series={most}", *split])
    direct.main([*split, "--candidate=booster", "--kind=booster", f"--model={folder / str(most) / 'model'}"])
    return folder / str(most) / "model"


def make_sales(path: Path, stores: int, days: int = DAYS) -> None:
    """Write seeded sale lines: every store sells every product on `days` days of each of 60 months.

    Levels differ by store and product, the season by product; a fifth of the months has a promotion that sells more.
    """
    query = f"""
        select
            'L' || lpad(cast((series * {MONTHS} + month) * {days} + day as varchar), 10, '0') as SaleID,
            timestamp '2021-01-01' + to_months(month) + to_days(day * 3 + cast(h % 4 as integer)) as SaleDate,
            'S' || lpad(cast(series // {PRODUCTS} as varchar), 4, '0') as StoreID,
            (['United States', 'Canada', 'Mexico'])[1 + (series // {PRODUCTS}) % 3] as Country,
            'City ' || ((series // {PRODUCTS}) % 60) as City,
            'Category ' || (series % {PRODUCTS} % 4) as Category,
            'Product ' || (series % {PRODUCTS}) as Product,
            3 + (series % {PRODUCTS}) / 10.0 - case when promoted then 0.5 else 0 end as Price,
            cast(1 + floor(exp(
                1.5 + (hash(series) % 1000) / 500.0 + 0.4 * cos(2 * pi() * (month + series % {PRODUCTS}) / 12)
                + case when promoted then 0.3 else 0 end + (h % 400) / 1000.0
            )) as double) as Quantity,
            (['Sunny', 'Rainy', 'Snowy'])[1 + cast((h >> 8) % 3 as integer)] as Weather,
            promoted as Promotion,
            month % 12 = 11 and day = 7 as Holiday
        from (
            select
                cast(s as integer) as series,
                cast(m as integer) as month,
                cast(d as integer) as day,
                cast(hash(s, m, d) >> 4 as bigint) as h,
                hash(s, m) % 5 = 0 as promoted
            from range({stores * PRODUCTS}) as a (s), range({MONTHS}) as b (m), range({days}) as c (d)
        )
    """
    with duckdb.connect() as con:
        con.execute("set enable_progress_bar = false")
        con.execute(f"copy ({query}) to '{path}' (format parquet)")


def pipeline_600k_series_months_seconds() -> dict[str, Any]:
    """Seconds of a whole run on 500 stores x 20 products x 60 months."""
    large, small = _measured(STORES), _measured(FEWER_STORES)
    return {
        "value": round(large["seconds"]),
        "unit": "s",
        "goal": "none; it is watched",
        "peer": f"60 k series-months: {small['seconds']:.0f} s",
        "detail": {"growth": round(large["seconds"] / small["seconds"], 1), "steps": large["steps"]},
    }


def pipeline_600k_series_months_peak_mb() -> dict[str, Any]:
    """MB of 10^6 bytes that the processes of the same run take together, at most."""
    large, small = _measured(STORES), _measured(FEWER_STORES)
    return {
        "value": round(large["peak_mb"]),
        "unit": "MB",
        "goal": f"<= {PEAK_GOAL_MB}",
        "peer": f"60 k series-months: {small['peak_mb']:.0f} MB",
        "detail": {"growth": round(large["peak_mb"] / small["peak_mb"], 1)},
    }


@cache
def _measured(stores: int) -> dict[str, Any]:
    """Seconds, peak memory, and seconds of each step."""
    with tempfile.TemporaryDirectory() as home:
        _register(Path(home), stores)
        trained = _job(home, "train", "ml/pipelines/train.yml")
        model = f"demand-forecast-product:{MODEL_VERSION}"
        settings = [f"inputs.model.path=azureml:{model}", f"inputs.model_version={MODEL_VERSION}"]
        forecast = _job(home, "forecast", _unpublished(Path(home)), *settings)
    return {**trained, "forecast": forecast}


def _job(home: str, name: str, spec: str, *more: str) -> dict[str, Any]:
    """Seconds of a job, MB of all its processes, and seconds of each node."""
    settings = ["inputs.grain=product", "inputs.as_of=2026-01-31", *more]
    started = time.monotonic()
    command = ["job", "create", "--file", spec, "--name", name, "--stream"]
    process = subprocess.Popen(
        [sys.executable, "-m", "localml", *command, "--set", *settings, "--output", "none"],
        cwd=REPO,
        env=environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with _peak_of(process.pid) as peak:
        error = process.communicate()[1]
    seconds = time.monotonic() - started
    if process.returncode:
        raise RuntimeError(f"{spec} ended with {process.returncode}: {error[-2000:]}")
    return {"seconds": seconds, "peak_mb": peak[0], "steps": _steps(home, name)}


def _unpublished(home: Path) -> str:
    """ml/pipelines/forecast_parallel.yml without its last node, which needs a warehouse."""
    text = (REPO / "ml/pipelines/forecast_parallel.yml").read_text(encoding="utf-8")
    spec = yaml.safe_load(text.replace(" ../", f" {REPO}/ml/"))
    del spec["jobs"]["publish"]
    (home / "forecast.yml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    return str(home / "forecast.yml")


def _register(home: Path, stores: int) -> None:
    """The sales as an import leaves them, and the environments, in a state of their own."""
    folder = home / "sales"
    folder.mkdir()
    make_sales(folder / "sales.parquet", stores)
    (folder / "MLTable").write_text("type: mltable\npaths:\n  - file: ./sales.parquet\n", encoding="utf-8")
    specs = [("environment", str(path)) for path in sorted((REPO / "ml/environments").glob("*.yml"))]
    spec = home / "sales.yml"
    spec.write_text(f'name: sales\nversion: "1"\ntype: mltable\npath: {folder}\n', encoding="utf-8")
    for kind, file in [*specs, ("data", str(spec))]:
        call = [sys.executable, "-m", "localml", kind, "create", "--file", file, "--output", "none"]
        subprocess.run(call, cwd=REPO, env=environment(str(home)), check=True)


@contextmanager
def _peak_of(pid: int) -> Iterator[list[float]]:
    """MB that a process and its children take at most, shared pages counted once; looked at four times a second."""
    peak, stopped = [0.0], threading.Event()

    def look() -> None:
        while not stopped.wait(0.25):
            peak[0] = max(peak[0], _pss_mb(pid))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    yield peak
    stopped.set()
    thread.join()


def _pss_mb(pid: int) -> float:
    total = 0
    with suppress(psutil.NoSuchProcess):
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                total += process.memory_full_info().pss
    return total / 1e6


def _steps(home: str, name: str) -> dict[str, float]:
    """Seconds of each node."""
    record = read_json(Path(home, f"jobs/{name}/job.json"))
    return {name: round(step["seconds"], 1) for name, step in record["jobs"].items()}

"""The endpoint with many series: a booster's model that knows 200,000 of them, served as on Azure.

Sales are drawn, and the booster has learned from 70 stores: start, memory and speed do not ask how good it is.
"""

import http.client
import json
import os
import random
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import psutil

from bench import score_bench as one_model
from bench.fit_bench import monthly_sales
from demand.direct import DirectForecaster
from demand.grain import MODEL_NAME
from demand.months import month_name
from demand.panel import PLANNED, Panel
from demand.state import State
from forecasting import candidates, direct, export, packing
from forecasting.boosting import BoosterSettings
from forecasting.features import state_of
from forecasting.prepare import add_features
from forecasting.recipes import DirectRecipe
from forecasting.rolling import Rolling, backtest

REPO = Path(__file__).parents[2]
SERIES, MONTHS, FIRST = 200_000, 60, 2021 * 12
STARTS, ROUNDS, ROWS, ASKED = 5, 5, 100, 3000
START_GOAL, MEMORY_GOAL_MB, SPEED_GOAL, ROWS_GOAL, WORKERS_GOAL = 1.5, 250, 0.88, 10, 1.8


@contextmanager
def _model(series: int | None = SERIES) -> Iterator[Path]:
    """Folder of a booster's model as the registry has it, with so many series, or its own 70."""
    with TemporaryDirectory() as scratch:
        rows = add_features(monthly_sales(70))
        recipe = DirectRecipe("booster", BoosterSettings())
        folder = Path(scratch) / MODEL_NAME / "1" / "model"
        folder.mkdir(parents=True)
        table = candidates.keyed(backtest(recipe, rows, Rolling(origins=2, warm_up=0)))
        direct.write(recipe.fit(rows).model, rows, {"candidate": "booster", "recipe": recipe.settings()}, table, folder)
        export.write_state(state_of(rows), REPO / "ml/data/sales.contract.yml", folder)
        if series:
            state, panel = _many(series)
            forecaster = DirectForecaster(folder, packing.read_metadata(folder), state, panel)
            forecaster.ahead(range(state.last_month + 1, state.last_month + 7)).write(folder / "endpoint")
        yield folder


def _many(series: int) -> tuple[State, Panel]:
    drawn = np.random.default_rng(7)
    level = drawn.gamma(1.5, 40.0, (series, 1))
    season = 1 + 0.3 * np.cos(2 * np.pi * (np.arange(MONTHS) % 12) / 12)
    sales = np.round(level * season * drawn.gamma(20, 1 / 20, (series, MONTHS)), 1)
    keys = np.array([f"S{number:06d}" for number in range(series)])
    weekdays, days = np.outer(sales.sum(axis=1), np.full(7, 1 / 7)), np.full(series, 30.0 * MONTHS)
    plans = {name: np.round(drawn.random((series, MONTHS)), 2) + (name == "Price") for name in PLANNED}
    texts = {name: np.full(series, "Canada") for name in ("Country", "City")}
    state = State(("StoreID",), keys, FIRST, sales, texts, {"Price": plans["Price"][:, -1]})
    return state, Panel(keys, FIRST, sales, weekdays, days, plans)


@cache
def measured() -> dict[str, Any]:
    """Seconds to start, MB of a worker, and requests a second of one and two workers, beside the peers'."""
    wrk = one_model.wrk()
    with _model() as model:
        figures: dict[str, Any] = {"start": [_start(model) for _ in range(STARTS)], "memory": _memory(model)}
        figures |= _speeds(wrk, model)
    return figures


def _start(model: Path) -> float:
    """Seconds from the server's start to the first forecast."""
    started = time.perf_counter()
    with one_model.server(REPO / "src/score.py", model, pause=0.01) as url:
        _ask(url, [_row(1)])
        return time.perf_counter() - started


def _memory(model: Path) -> dict[str, float]:
    """MB of one of two workers after thousands of series were asked for, its own share of what is mapped counted."""
    chosen = random.Random(7)
    with one_model.server(REPO / "src/score.py", model, workers=2) as url:
        for _ in range(ASKED // ROWS):
            _ask(url, [_row(chosen.randrange(SERIES), ahead=chosen.randrange(1, 7)) for _ in range(ROWS)])
        master = max(_listening(url), key=lambda each: len(each.children()))
        sizes = [each.memory_full_info() for each in master.children()]
    return {"pss": max(each.pss for each in sizes) / 1e6, "uss": max(each.uss for each in sizes) / 1e6}


def serving_200k_forest_worker_mb() -> dict[str, Any]:
    """MB of one of two workers with 200,000 series and a forest, after requests for thousands of them."""
    with TemporaryDirectory() as scratch:
        model, _ = one_model.forest_model(Path(scratch))
        _many(SERIES)[0].save(model / "endpoint/history.npz")
        memory, starts = _memory(model), [_start(model) for _ in range(STARTS)]
    return {
        "value": round(memory["pss"]),
        "unit": "MB",
        "goal": f"<= {MEMORY_GOAL_MB}",
        "peer": f"{memory['uss']:.0f} MB its own",
        "detail": {**memory, "starts": [round(each, 2) for each in starts]},
    }


def _listening(url: str) -> Iterator[psutil.Process]:
    port = url.split(":")[2].split("/", maxsplit=1)[0]
    for process in psutil.Process().children(recursive=True):
        if port in process.cmdline():
            yield process


def _speeds(wrk: str, model: Path) -> dict[str, Any]:
    """Rounds of requests a second and p99 in ms: ours, also without a plan, by two workers, and a constant handler."""
    one = {"input_data": [_row(5)]}
    planless = {"input_data": [{name: value for name, value in _row(5).items() if name != "Price"}]}
    constant = REPO / "scripts/bench/constant_score.py"
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in ("constant", "one", "planless", "two")}
    with (
        one_model.server(constant, model) as plain,
        one_model.server(REPO / "src/score.py", model) as ours,
        one_model.server(REPO / "src/score.py", model, workers=2) as pair,
    ):
        for _ in range(ROUNDS):
            for name, url, body in (
                ("constant", plain, one),
                ("one", ours, one),
                ("planless", ours, planless),
                ("two", pair, one),
            ):
                rounds[name].append(one_model.load(wrk, url, body, one_model.CONNECTIONS))
    return rounds


def _row(series: int, ahead: int = 1) -> dict[str, Any]:
    return {"StoreID": f"S{series:06d}", "MonthYear": month_name(FIRST + MONTHS - 1 + ahead), "Price": 1.5}


def _ask(url: str, rows: list[dict[str, Any]]) -> None:
    host, port = url.removeprefix("http://").split("/")[0].split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    connection.request("POST", "/score", json.dumps({"input_data": rows}), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    body = json.loads(answer.read())
    if answer.status != 200 or len(body["predictions"]) != len(rows):
        raise RuntimeError(f"{answer.status}: {str(body)[:300]}")


def _ratio(name: str, peer: str, key: str = "rps") -> float:
    """Median over the rounds, turn by turn, so that a slow moment of the machine meets both."""
    figures = measured()
    pairs = zip(figures[name], figures[peer], strict=True)
    return float(statistics.median(ours[key] / its[key] for ours, its in pairs))


def serving_200k_start_seconds() -> dict[str, Any]:
    """Seconds from the start of a server with 200,000 series to its first forecast."""
    starts = sorted(measured()["start"])
    return {
        "value": round(statistics.median(starts), 2),
        "unit": "s",
        "goal": f"<= {START_GOAL}",
        "peer": f"{SERIES:,} series",
        "detail": {"starts": [round(each, 2) for each in starts]},
    }


def serving_200k_worker_mb() -> dict[str, Any]:
    """MB of one of two workers with 200,000 series, after requests for thousands of them."""
    memory = measured()["memory"]
    return {
        "value": round(memory["pss"]),
        "unit": "MB",
        "goal": f"<= {MEMORY_GOAL_MB}",
        "peer": f"{memory['uss']:.0f} MB its own",
        "detail": memory,
    }


def serving_200k_vs_constant() -> dict[str, Any]:
    """Requests a second of one row with a planned price against a handler that does nothing."""
    return {
        "value": round(_ratio("one", "constant"), 3),
        "unit": "of peer",
        "goal": f">= {SPEED_GOAL}, p99 <= 1.3x",
        "peer": "same server, constant handler",
        "detail": {
            "p99_over_constant": round(_ratio("one", "constant", "p99"), 2),
            "without_a_plan": round(_ratio("planless", "constant"), 3),
            "its_p99_over_constant": round(_ratio("planless", "constant", "p99"), 2),
        },
    }


def serving_two_workers() -> dict[str, Any]:
    """Requests a second of two workers over those of one; the load has to share the cores with them."""
    return {
        "value": round(_ratio("two", "one"), 2),
        "unit": "x",
        "goal": f">= {WORKERS_GOAL}",
        "peer": "one worker",
        "detail": {"cores": os.cpu_count(), "rps": statistics.median(each["rps"] for each in measured()["two"])},
    }


def serving_rows_vs_mlflow() -> dict[str, Any]:
    """Rows a second in requests of 100 rows with a price, against `mlflow models serve` with the same booster."""
    wrk = one_model.wrk()
    with _model(None) as model:
        state = State.load(model / "endpoint/history.npz")
        month = month_name(state.last_month + 1)
        rows = [
            {"StoreID": str(state.keys[at % len(state.keys)]), "MonthYear": month, "Price": 4.5} for at in range(ROWS)
        ]
        frame = pd.DataFrame(rows).assign(Promotion=np.nan, Holiday=np.nan)
        split = json.loads(frame.to_json(orient="split", index=False))
        with one_model.server(REPO / "src/score.py", model) as ours, one_model.mlflow(model) as theirs:
            pairs = {
                connections: [
                    (
                        one_model.load(wrk, ours, {"input_data": rows}, connections)["rps"],
                        one_model.load(wrk, theirs, {"dataframe_split": split}, connections)["rps"],
                    )
                    for _ in range(ROUNDS)
                ]
                for connections in (one_model.CONNECTIONS, 1)
            }
    many, one_by_one = (statistics.median(one / other for one, other in each) for each in pairs.values())
    return {
        "value": round(many, 1),
        "unit": "x",
        "goal": f">= {ROWS_GOAL}",
        "peer": "mlflow models serve",
        "detail": {"one_connection": round(one_by_one, 1), "rps": pairs},
    }

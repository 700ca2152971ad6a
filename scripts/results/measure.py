"""Errors of every candidate and baseline on a set, by the pipeline's own back-test, gate and intervals."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from forecasting import blending, scoring
from forecasting.baselines import NAMES
from forecasting.boosting import BoosterSettings
from forecasting.candidates import Candidate, keyed
from forecasting.forests import Settings
from forecasting.recipes import DirectRecipe, ForestRecipe, Recipe
from forecasting.rolling import Rolling, backtest
from forecasting.thresholds import Gate
from forecasting.verdict import Figures
from judging.evaluate import decide_on, judge, result_of
from results.sets import SalesSet

ORIGINS = 12
CANDIDATES = ("contextual", "history", "profile", "booster", "blend")
PARTS = ("profile", "booster")


@dataclass(frozen=True)
class Result:
    """One set with one seed: figures by name, and what the gate says."""

    figures: Mapping[str, Figures]
    promoted: str | None
    p_values: Mapping[str, float | None]


def origins(rows: pd.DataFrame) -> int:
    """As the prepare step decides: half of the months at most."""
    return min(ORIGINS, int(rows["MonthStart"].nunique()) // 2)


def recipes(seed: int) -> list[Recipe]:
    """The candidates of ml/pipelines/train.yml that are learned; the blend is made of them."""
    return [
        ForestRecipe("contextual", Settings("contextual", "contextual", seed=seed)),
        ForestRecipe("history", Settings("history", "history", seed=seed)),
        DirectRecipe("profile"),
        DirectRecipe("booster", BoosterSettings(seed=seed)),
    ]


def result(sales: SalesSet, seed: int, gate: Gate) -> Result:
    """Back-test and judge every candidate."""
    rows, count = sales.rows, origins(sales.rows)
    tables = {each.name: keyed(backtest(each, rows, Rolling(count))) for each in recipes(seed)}
    tables["blend"] = blending.blend({name: tables[name] for name in PARTS})
    loaded = {name: _candidate(name, table) for name, table in tables.items()}
    judged = judge(loaded, None, rows, count)
    decision = decide_on(judged, loaded, None, gate)
    verdict = result_of(decision, judged, loaded, None, {})
    promoted = decision.selected if decision.promoted else None
    return Result({**verdict.candidates, **verdict.baselines}, promoted, decision.p_values)


def wapes(recipe: Recipe, rows: pd.DataFrame) -> tuple[float, float, float]:
    """WAPE one month ahead, over months 1-6, and one month ahead with the recorded plan."""
    return wapes_of(keyed(backtest(recipe, rows, Rolling(origins(rows)))))


def wapes_of(table: pd.DataFrame) -> tuple[float, float, float]:
    """The same of a back-test."""
    table = table[table["Judged"]]
    near = scoring.one_step(table)
    one, far, planned = scoring.errors(near), scoring.errors(table), scoring.errors(near, "Planned")
    return one.wape or 0.0, far.wape or 0.0, planned.wape or 0.0


def best_naive(figures: Mapping[str, Figures]) -> tuple[float, float]:
    """WAPE of the best baseline one month ahead, and of the best over months 1-6."""
    naive = [figures[name] for name in NAMES]
    return min(each.one_step.wape or 1.0 for each in naive), min(each.multi_step.wape or 1.0 for each in naive)


def _candidate(name: str, table: pd.DataFrame) -> Candidate:
    metadata: dict[str, Any] = {"candidate": name, "recipe": {"name": name}, "features": ["StoreID", "MonthYear"]}
    return Candidate(Path(name), metadata, table)

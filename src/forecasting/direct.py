"""Step direct: back-test a profile or a booster, fit it on all months, and save it as an MLflow model."""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from demand import outputs, tracking
from demand.booster_inputs import BASES
from demand.direct_model import DirectModel
from demand.panel import PLANNED
from demand.parts import Intervals
from demand.steps import run
from forecasting import candidates, every_series, export, intervals
from forecasting.boosting import BoosterSettings
from forecasting.features import TARGET, month_index, series_columns
from forecasting.packing import save
from forecasting.recipes import DirectRecipe
from forecasting.rolling import Rolling, backtest

log = logging.getLogger(__name__)
KINDS = ("profile", "booster")


def build_parser() -> argparse.ArgumentParser:
    """Flags of the component train_direct."""
    parser = argparse.ArgumentParser(prog="forecasting.direct", description=__doc__)
    parser.add_argument("--train", type=Path, required=True, help="training months of the prepare step")
    parser.add_argument("--holdout", type=Path, required=True, help="held-out months of the prepare step")
    parser.add_argument("--candidate", required=True, help="name of the candidate in the verdict")
    parser.add_argument("--kind", choices=KINDS, default="booster", help="what is learned")
    parser.add_argument("--base", choices=BASES, default="level", help="what a booster's output is multiplied by")
    parser.add_argument("--max-iter", type=int, default=100, help="trees of a booster")
    parser.add_argument("--learning-rate", type=float, default=0.1, help="share of each tree that counts")
    parser.add_argument("--max-leaf-nodes", type=int, default=15, help="leaves of each tree")
    parser.add_argument("--min-samples-leaf", type=int, default=20, help="fewest rows in a leaf")
    parser.add_argument("--max-rows", type=int, default=60_000, help="rows that a booster learns from")
    parser.add_argument("--seed", type=int, default=7, help="seed of the booster")
    parser.add_argument("--model", type=Path, required=True, help="output folder")
    return parser


def write(model: DirectModel, rows: pd.DataFrame, metadata: dict[str, Any], table: pd.DataFrame, folder: Path) -> None:
    """Save a direct model, its serving files and its back-test into `folder`."""
    interval = intervals.fit(table)
    metadata = {**described(model, rows), **metadata, "interval": _plain(interval)}
    save(model, example(rows), metadata, folder)
    export.write_direct(model, interval, folder)
    table.to_parquet(folder / candidates.BACKTEST, index=False)


def _plain(interval: Intervals) -> dict[str, Any]:
    """Without the series' scales, which parts.json holds."""
    return {key: value for key, value in asdict(interval).items() if key != "scales"}


def described(model: DirectModel, rows: pd.DataFrame) -> dict[str, Any]:
    """Metadata that every direct model has."""
    return {
        "features": [*model.key_columns, "MonthYear", *PLANNED],
        "target": TARGET,
        "trained_from": str(rows["MonthYear"].min()),
        "trained_until": str(rows["MonthYear"].max()),
        "trained_rows": len(rows),
    }


def example(rows: pd.DataFrame, count: int = 3) -> pd.DataFrame:
    """Rows as the model takes them, a year after the last ones."""
    columns = [*series_columns(rows), "MonthYear", *PLANNED]
    chosen = rows.tail(count)
    year = chosen["MonthYear"].str[:4].astype(int) + 1
    return chosen.assign(MonthYear=year.astype(str) + chosen["MonthYear"].str[4:])[columns].reset_index(drop=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step."""
    args = vars(build_parser().parse_args(argv))
    folder, train, holdout, name, kind = (args.pop(each) for each in ("model", "train", "holdout", "candidate", "kind"))
    recipe = DirectRecipe(name, BoosterSettings(**args) if kind == "booster" else None)
    rows, origins = candidates.read(train, holdout)
    fit = recipe.at_origins(rows)
    table = candidates.keyed(backtest(recipe, rows, Rolling(origins), fit))
    fitted = fit(int(month_index(rows["MonthStart"]).max()))
    with outputs.staged(folder) as model:
        write(
            every_series.known_to(fitted.model, train),
            rows,
            {"candidate": name, "recipe": recipe.settings()},
            table,
            model,
        )
    log.info("Fitted %s on %d store-months", name, len(rows))
    with tracking.run(f"train_{name}") as tracker:
        tracker.log_params({"candidate": name, **recipe.settings()})
        tracker.log_metrics({"rows_train": len(rows), **candidates.metrics(folder, table)})
    return 0


if __name__ == "__main__":
    raise SystemExit(run(main))

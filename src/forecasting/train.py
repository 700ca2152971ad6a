"""Step train: back-test a Random Forest candidate, fit it on all months, and save it as an MLflow model."""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from demand import outputs, tracking
from demand.steps import run
from forecasting import candidates, export, intervals
from forecasting.features import model_frame
from forecasting.forests import FEATURE_SETS, Settings, fit, thinned
from forecasting.packing import Packed, save
from forecasting.recipes import ForestRecipe, with_history
from forecasting.rolling import Rolling, backtest

log = logging.getLogger(__name__)
# Rows by which the exported forest is checked against the fitted one.
EXAMPLES = 1000


def build_parser() -> argparse.ArgumentParser:
    """Flags of the component train_forest."""
    parser = argparse.ArgumentParser(prog="forecasting.train", description=__doc__)
    parser.add_argument("--train", type=Path, required=True, help="training months of the prepare step")
    parser.add_argument("--holdout", type=Path, required=True, help="held-out months of the prepare step")
    parser.add_argument("--candidate", required=True, help="name of the candidate in the verdict")
    parser.add_argument("--features", choices=FEATURE_SETS, default="history", help="which features")
    parser.add_argument("--n-estimators", type=int, default=100, help="trees in the forest")
    parser.add_argument("--min-samples-leaf", type=int, default=5, help="fewest store-months in a leaf")
    parser.add_argument("--max-features", type=float, default=0.5, help="fraction of the features tried at each split")
    parser.add_argument("--max-rows", type=int, default=20_000, help="store-months that the forest learns from")
    parser.add_argument("--seed", type=int, default=7, help="seed of the forest")
    parser.add_argument("--model", type=Path, required=True, help="output folder")
    return parser


def fit_with_interval(
    settings: Settings, rows: pd.DataFrame, rolling: Rolling | None = None
) -> tuple[Packed, pd.DataFrame]:
    """(the model fitted on all rows, with its P10-P90 interval; the back-test that the interval comes from)."""
    recipe = ForestRecipe(settings.candidate, settings)
    table = candidates.keyed(backtest(recipe, rows, rolling or Rolling()))
    packed = Packed(*fit(settings, with_history(thinned(rows, settings), rows)))
    # Thinned rows may lack a month.
    packed.metadata["trained_from"] = str(rows["MonthYear"].min())
    packed.metadata["trained_until"] = str(rows["MonthYear"].max())
    packed.metadata["recipe"] = recipe.settings()
    packed.metadata["interval"] = asdict(intervals.fit(table))
    return packed, table


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step."""
    args = vars(build_parser().parse_args(argv))
    folder, train, holdout = (args.pop(name) for name in ("model", "train", "holdout"))
    settings = Settings(**args)
    rows, origins = candidates.read(train, holdout)
    packed, table = fit_with_interval(settings, rows, Rolling(origins))
    log.info("Fitted %s on %d store-months, features %s", settings.candidate, len(rows), ", ".join(packed.features))
    frame = model_frame(with_history(rows.tail(EXAMPLES), rows), packed.features)
    with outputs.staged(folder) as model:
        save(packed.model, frame.tail(3), packed.metadata, model)
        export.write_model(packed.model, packed.features, frame, model)
        table.to_parquet(model / candidates.BACKTEST, index=False)
    with tracking.run(f"train_{settings.candidate}") as tracker:
        tracker.log_params({"candidate": settings.candidate, "features": settings.features, **settings.forest()})
        tracker.log_metrics({"rows_train": len(rows), **candidates.metrics(folder, table)})
    return 0


if __name__ == "__main__":
    raise SystemExit(run(main))

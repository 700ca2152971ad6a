"""Step train: fit one Random Forest candidate and save it as an MLflow model."""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from demand import outputs, tracking
from demand.errors import StepError
from demand.model import RelativeForest, build_pipeline, set_jobs
from demand.steps import read_rows, run
from forecasting import export
from forecasting.calibration import calibrate
from forecasting.features import CATEGORICAL, FLAGS, HISTORY, TARGET, feature_names, model_frame
from forecasting.packing import Packed, save

log = logging.getLogger(__name__)
FEATURE_SETS = ("contextual", "history")
LEVEL = "RollingMean12"


@dataclass(frozen=True)
class Settings:
    """What makes a candidate; the fields are those of the component train_forest."""

    candidate: str
    features: str = "history"
    n_estimators: int = 100
    min_samples_leaf: int = 5
    max_features: float = 0.5
    seed: int = 7

    def forest(self) -> dict[str, Any]:
        """Arguments of RandomForestRegressor."""
        return {
            "n_estimators": self.n_estimators,
            "min_samples_leaf": self.min_samples_leaf,
            "max_features": self.max_features,
            "random_state": self.seed,
        }


def build_parser() -> argparse.ArgumentParser:
    """Flags of the component train_forest."""
    parser = argparse.ArgumentParser(prog="forecasting.train", description=__doc__)
    parser.add_argument("--train", type=Path, required=True, help="output folder of the prepare step")
    parser.add_argument("--candidate", required=True, help="name of the candidate in the verdict")
    parser.add_argument("--features", choices=FEATURE_SETS, default="history", help="which features")
    parser.add_argument("--n-estimators", type=int, default=100, help="trees in the forest")
    parser.add_argument("--min-samples-leaf", type=int, default=5, help="fewest store-months in a leaf")
    parser.add_argument("--max-features", type=float, default=0.5, help="fraction of the features tried at each split")
    parser.add_argument("--seed", type=int, default=7, help="seed of the forest")
    parser.add_argument("--model", type=Path, required=True, help="output folder")
    return parser


def unfitted(settings: Settings, frame: pd.DataFrame) -> Any:
    """The estimator of a candidate: a Pipeline, inside a RelativeForest where the history is known."""
    numbers = [name for name in frame.columns if name not in CATEGORICAL | FLAGS]
    pipeline = build_pipeline(frame, numbers, sorted(FLAGS), **settings.forest())
    if settings.features == "contextual":
        return pipeline
    return RelativeForest(pipeline, LEVEL, [name for name in HISTORY if name != LEVEL])


def fit(settings: Settings, rows: pd.DataFrame) -> tuple[Any, dict[str, Any]]:
    """(fitted model, metadata) from training rows; equal rows and settings give an equal model.

    Raises:
        StepError: no training rows.
    """
    if rows.empty:
        raise StepError("train.parquet holds no rows: import more months or lower holdout_months")
    names = feature_names(settings.features, rows)
    frame, sales = model_frame(rows, names), rows[TARGET].to_numpy(dtype=np.float64)
    model = unfitted(settings, frame)
    set_jobs(model, -1)
    model.fit(frame, sales)
    set_jobs(model, 1)  # one row is forecast three times as fast without threads
    metadata = {
        "candidate": settings.candidate,
        "features": names,
        "target": TARGET,
        "trained_from": str(rows["MonthYear"].min()),
        "trained_until": str(rows["MonthYear"].max()),
        "trained_rows": len(rows),
        "parameters": settings.forest(),
    }
    return model, metadata


def fit_with_interval(settings: Settings, rows: pd.DataFrame) -> Packed:
    """The fitted model with the factors of its P10-P90 interval, which takes a second fit on all but the last year."""
    packed = Packed(*fit(settings, rows))
    frame = model_frame(rows, packed.features)
    packed.metadata["interval"] = calibrate(rows, packed, frame, lambda part: Packed(*fit(settings, part)))
    return packed


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step."""
    args = vars(build_parser().parse_args(argv))
    folder, train = args.pop("model"), args.pop("train")
    settings = Settings(**args)
    rows = read_rows(train, "train.parquet")
    packed = fit_with_interval(settings, rows)
    log.info("Fitted %s on %d store-months, features %s", settings.candidate, len(rows), ", ".join(packed.features))
    with outputs.staged(folder) as model:
        save(packed.model, model_frame(rows.tail(3), packed.features), packed.metadata, model)
        export.write_model(packed.model, packed.features, model_frame(rows.tail(1000), packed.features), model)
    with tracking.run(f"train_{settings.candidate}") as tracker:
        tracker.log_params({"candidate": settings.candidate, "features": settings.features, **settings.forest()})
        tracker.log_metrics({"rows_train": len(rows), "model_mb": _megabytes(folder)})
    return 0


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


if __name__ == "__main__":
    raise SystemExit(run(main))

"""Step tune: one trial of a sweep; how far a booster with the given settings errs on the training months.

The held-out months, by which the gate will judge, are not among the inputs. The WAPE is logged origin by origin, so
that a sweep can end early a trial that falls behind.
"""

import argparse
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from demand import tracking
from demand.booster_inputs import BASES
from demand.errors import StepError
from demand.steps import read_rows, run
from forecasting.boosting import BoosterSettings
from forecasting.recipes import DirectRecipe
from forecasting.rolling import MIN_MONTHS, Rolling, each_origin

log = logging.getLogger(__name__)
METRIC = "wape"
BEST = "settings.json"


def build_parser() -> argparse.ArgumentParser:
    """Flags of the component tune_booster; those of the booster are those of train_direct."""
    parser = argparse.ArgumentParser(prog="forecasting.tune", description=__doc__)
    parser.add_argument("--train", type=Path, required=True, help="training months of the prepare step")
    parser.add_argument("--origins", type=int, default=8, help="last training months that the trial forecasts")
    parser.add_argument("--base", choices=BASES, default="level", help="what a booster's output is multiplied by")
    parser.add_argument("--max-iter", type=int, default=100, help="trees of a booster")
    parser.add_argument("--learning-rate", type=float, default=0.1, help="share of each tree that counts")
    parser.add_argument("--max-leaf-nodes", type=int, default=15, help="leaves of each tree")
    parser.add_argument("--min-samples-leaf", type=int, default=20, help="fewest rows in a leaf")
    parser.add_argument("--settings", type=Path, required=True, help="output folder")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step."""
    args = vars(build_parser().parse_args(argv))
    train, origins, folder = (args.pop(name) for name in ("train", "origins", "settings"))
    settings = BoosterSettings(**args)
    rows = read_rows(train, "train.parquet")
    rolling = Rolling(origins, horizon=1, warm_up=0)
    missed = sold = 0.0
    with tracking.run("tune") as tracker:
        tracker.log_params(args)
        for table in each_origin(DirectRecipe("booster", settings), rows, rolling):
            missed += float((table["Actual"] - table["Forecast"]).abs().sum())
            sold += float(table["Actual"].abs().sum())
            if sold:
                tracker.log_metrics({METRIC: missed / sold})
    if not sold:
        raise StepError(f"the training months hold no sales to forecast: a trial takes {MIN_MONTHS + 1} months")
    log.info("WAPE %.4f over %d training months with %s", missed / sold, origins, args)
    folder.mkdir(parents=True, exist_ok=True)
    kept = {"settings": {name: asdict(settings)[name] for name in args}, METRIC: missed / sold, "origins": origins}
    (folder / BEST).write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(run(main))

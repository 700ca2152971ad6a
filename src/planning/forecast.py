"""Step forecast: the next months of every store from a registered model, as Parquet and as a CSV for planners."""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

from demand import tracking
from demand.direct import load_forecaster
from demand.months import month_name
from demand.step_warnings import StepWarnings, of_rows
from demand.steps import read_rows, run
from forecasting.features import prepared, state_of
from forecasting.gaps import complete
from forecasting.packing import read_metadata
from forecasting.panels import Months
from planning import batch as batches
from planning.asked import Asked, add_asked, asked_of
from planning.batch import Batch
from planning.explorer import page as explorer

log = logging.getLogger(__name__)
# So many are forecast in less time in parts, the start of two more nodes counted (docs/scale.md).
MANY_SERIES = 30_000


def build_parser() -> argparse.ArgumentParser:
    """Flags of the component forecast_demand."""
    parser = argparse.ArgumentParser(prog="planning.forecast", description=__doc__)
    add_asked(parser)
    parser.add_argument("--monthly", type=Path, required=True, help="output folder of the aggregate step")
    parser.add_argument("--forecasts", type=Path, required=True, help="output folder")
    return parser


def finish(args: argparse.Namespace, batch: Batch, asked: Asked, last_month: int, warnings: StepWarnings) -> None:
    """Write the files but for the page, warn, and keep figures with the run."""
    batches.write(batch, asked, args.forecasts, warnings)
    batches.name_ended(batch.ended, warnings)
    count = len(batch.table) // asked.horizon
    months = (month_name(last_month + 1), month_name(last_month + asked.horizon))
    log.info("Forecast %d series, %s to %s, with model version %s", count, *months, asked.version)
    unused = batches.check_plan(args.plan, asked, batch, last_month, warnings)
    warnings.write(args.forecasts)
    with tracking.run("forecast") as tracker:
        tracker.log_params({"horizon": asked.horizon, "origin": month_name(last_month)})
        tracker.log_metrics({"forecasts": len(batch.table), "planned": len(asked.plan) - unused})


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step."""
    args = build_parser().parse_args(argv)
    known = prepared(complete(read_rows(args.monthly, "monthly.parquet")).rows)
    metadata, state = read_metadata(args.model), state_of(known)
    if len(state.keys) > MANY_SERIES:
        log.info("%d series: `make forecast PARALLEL=` forecasts so many in parts, docs/scale.md", len(state.keys))
    asked = asked_of(args, state, metadata)._replace(version=tracking.number(args.model_name, args.model_version))
    forecaster = load_forecaster(args.model, metadata, state, Months.of(known).panel())
    batch = Batch.of(forecaster, known, asked)
    finish(args, batch, asked, state.last_month, StepWarnings("forecast", of_rows(args.monthly)))
    explorer.write(args.model, forecaster, batch.table, asked, args.forecasts)
    return 0


if __name__ == "__main__":
    raise SystemExit(run(main))

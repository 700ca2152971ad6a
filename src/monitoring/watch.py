"""Step monitor: signals of the sales and of the live model, as JSON and as a page."""

import argparse
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from demand import tracking
from demand.errors import StepError
from demand.steps import as_of_day, run
from forecasting.features import prepared
from forecasting.gaps import complete
from forecasting.packing import NONE, read_metadata
from forecasting.sampling import MAX_SERIES, rows_of
from forecasting.series_parts import Table
from monitoring import accuracy, sales, telemetry
from monitoring.limits import Limits
from monitoring.page import render
from monitoring.signals import RETRAIN, Signal, breached

log = logging.getLogger(__name__)
# Months that signals are worked out for; the errors of the model look back nine more.
WATCHED, FORECAST = 12, 14
FILE, PAGE = "signals.json", "monitor.html"


@dataclass(frozen=True)
class Report:
    """What the monitor saw; `worst` are the stores that add most to the error, `series` says how many are watched."""

    model: dict[str, str]
    as_of: str
    series: dict[str, int]
    signals: tuple[Signal, ...]
    worst: tuple[dict[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """signals.json."""
        alarms = breached(self.signals)
        return {
            **asdict(self),
            "signals": [each.as_json() for each in self.signals],
            "is_healthy": not alarms,
            "calls_for_retraining": any(each.calls_for == RETRAIN for each in alarms),
        }


def build_parser() -> argparse.ArgumentParser:
    """Flags of the component monitor_model."""
    parser = argparse.ArgumentParser(prog="monitoring.watch", description=__doc__)
    parser.add_argument("--monthly", type=Path, required=True, help="output folder of the aggregate step")
    parser.add_argument("--model", type=Path, required=True, help="live model")
    parser.add_argument("--model-name", required=True, help="its name")
    parser.add_argument("--model-version", required=True, help="its version")
    parser.add_argument("--limits", type=Path, required=True, help="ml/monitor.yml")
    parser.add_argument("--as-of", type=as_of_day, default=None, help="day of the import, YYYY-MM-DDZ; none: today")
    parser.add_argument("--max-series", type=int, default=MAX_SERIES, help="series that are watched")
    parser.add_argument("--insights", default=NONE, help="connection string of Application Insights, or none")
    parser.add_argument("--signals", type=Path, required=True, help="output folder")
    return parser


def watch(folder: Path, monthly: Path, most: int, limits: Limits, model: dict[str, str], as_of: date) -> Report:
    """Everything that is watched of at most so many series.

    Raises:
        StepError: there is less than a year and a month of sales.
    """
    table = Table.of(monthly)
    watched_rows, count = rows_of(table, most)
    rows = prepared(complete(watched_rows, table.last_month).rows)
    if rows["MonthYear"].nunique() <= sales.YEAR:
        raise StepError(
            f"{monthly}: a month is compared with the year before it, so that 13 months of sales are needed"
        )
    counts = json.loads((monthly / "rows.json").read_text(encoding="utf-8"))
    watched = accuracy.watch(folder, read_metadata(folder), rows, FORECAST)
    signals = [*sales.signals(rows, counts, as_of, limits, WATCHED), *accuracy.signals(watched, limits)]
    model = {**model, "trained_until": watched.trained_until}
    series = {"watched": count, "known": table.series}
    return Report(model, as_of.isoformat(), series, tuple(signals), tuple(accuracy.worst_stores(watched)))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step. An alarm is an answer and ends it well: who asks for signals.json decides what follows."""
    args = build_parser().parse_args(argv)
    args.model_version = tracking.number(args.model_name, str(args.model_version))
    model = {"name": args.model_name, "version": str(args.model_version)}
    as_of = args.as_of or datetime.now(UTC).date()
    report = watch(args.model, args.monthly, args.max_series, Limits.read(args.limits), model, as_of)
    if report.series["watched"] < report.series["known"]:
        log.info("Watched %(watched)d of %(known)d series, drawn by country and size", report.series)
    args.signals.mkdir(parents=True, exist_ok=True)
    (args.signals / FILE).write_text(json.dumps(report.as_json(), indent=1) + "\n", encoding="utf-8")
    (args.signals / PAGE).write_text(render(report.as_json()), encoding="utf-8")
    alarms = breached(report.signals)
    for each in alarms:
        # No warning of the step: who asked says each alarm with what to do about it.
        log.info("%s of %s is %.3g, above %.3g since %s", each.name, each.scope, each.value, each.limit, each.since)
    _send(args.insights, report)
    with tracking.run("monitor") as tracker:
        tracker.log_params({**report.model, "as_of": report.as_of})
        values = {f"signal_{each.name}": each.value for each in report.signals if each.scope == "all"}
        tracker.log_metrics({**values, "alarms": len(alarms)})
    return 0


def _send(connection: str, report: Report) -> None:
    """A metric that could not be sent is a warning: signals.json has them all, and whoever asked reads it."""
    try:
        sent = telemetry.send(connection, report.signals, report.model)
    except StepError as error:
        log.warning("%s", error)
    else:
        log.info("%d metrics were sent to Application Insights", sent)


if __name__ == "__main__":
    raise SystemExit(run(main))

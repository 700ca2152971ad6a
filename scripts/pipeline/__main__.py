"""python -m pipeline <verb>: what stands around the jobs of `make run-pipeline` and `make forecast`."""

import argparse
import json
import sys
from pathlib import Path

from amlspec.errors import UserError
from demand.grain import GRAINS
from pipeline import azml, forecast, last_run, lineage, models, summary, sweep

REFUSED = 3
ROOT = Path(__file__).parents[2]


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m pipeline", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    start = verbs.add_parser("start", help="note the run's name and print its --set values, one a line")
    start.add_argument("job")
    start.add_argument("--grain", default=GRAINS[0], help="what a monthly row stands for: store, category, product")
    start.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="further settings of the run")
    shown = verbs.add_parser("summary", help="print the table of a run")
    shown.add_argument("job")
    shown.add_argument("--strict", action="store_true", help=f"exit {REFUSED} where the gate refused")
    batch = verbs.add_parser("forecast", help="print the --set values of a batch forecast, one a line")
    batch.add_argument("--grain", default=GRAINS[0], help="grain of the model: store, category, product")
    batch.add_argument("--model-version", help="default: the champion")
    batch.add_argument("--force", action="store_true", help="publish even what last year's sales would beat")
    batch.add_argument("--horizon", help="months ahead; default: the spec's own")
    batch.add_argument("--plan", type=Path, help="table of planned prices, promotions and holidays")
    forecasts = verbs.add_parser("forecasts", help="say where a batch forecast's files are")
    forecasts.add_argument("job")
    sweep_settings = verbs.add_parser("sweep", help="print the --set values of a sweep, one a line")
    sweep_settings.add_argument("--grain", default=GRAINS[0], help="what a monthly row stands for")
    sweep_settings.add_argument("--trials", help="how many trials; default: the spec's own")
    sweep_settings.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="further settings of the job")
    best = verbs.add_parser("best", help="print what a sweep came to")
    best.add_argument("job")
    verbs.add_parser("verdict", help="print the last run's verdict as JSON")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one verb; its exit code."""
    args = build_parser().parse_args(argv)
    try:
        return VERBS[args.verb](args)
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code


def _start(args: argparse.Namespace) -> int:
    model = models.name_for(args.grain)
    chosen = [f"inputs.grain={args.grain}"] if args.grain != GRAINS[0] else []
    settings = lineage.settings(ROOT, model, [*chosen, *args.set], args.job)
    before = models.champion(models.versions(model))
    last_run.remember(args.job, model, str(before["version"]) if before else None)
    sys.stdout.write("".join(f"{setting}\n" for setting in settings))
    return 0


def _summary(args: argparse.Namespace) -> int:
    job = args.job
    try:
        verdict = last_run.verdict(job)
    except UserError as error:
        if azml.is_local() or args.strict:
            raise
        # The service ran the job to its end, or we would not be here; its page shows what could not be fetched.
        sys.stdout.write(f"Job {job} was run; its report is on the job's page in Azure ML studio ({error})\n")
        return 0
    report = last_run.report_folder(azml.call("job", "show", name=job))
    sys.stdout.write("\n".join(summary.lines(verdict, report, last_run.champion_before(job))) + "\n")
    return REFUSED if args.strict and not verdict.promoted else 0


def _verdict(_: argparse.Namespace) -> int:
    sys.stdout.write(json.dumps(last_run.verdict(last_run.name()).as_json(), indent=2) + "\n")
    return 0


def _forecast(args: argparse.Namespace) -> int:
    settings = forecast.settings(args.grain, args.model_version, args.horizon, args.plan, args.force)
    sys.stdout.write("".join(f"{setting}\n" for setting in settings))
    return 0


def _forecasts(args: argparse.Namespace) -> int:
    sys.stdout.write("".join(f"{line}\n" for line in forecast.lines(args.job)))
    return 0


def _sweep(args: argparse.Namespace) -> int:
    settings = sweep.settings(args.grain, args.trials, args.set)
    sys.stdout.write("".join(f"{setting}\n" for setting in settings))
    return 0


def _best(args: argparse.Namespace) -> int:
    sys.stdout.write("".join(f"{line}\n" for line in sweep.lines(args.job, Path(lineage.PIPELINE))))
    return 0


VERBS = {
    "sweep": _sweep,
    "best": _best,
    "start": _start,
    "summary": _summary,
    "verdict": _verdict,
    "forecast": _forecast,
    "forecasts": _forecasts,
}


if __name__ == "__main__":
    raise SystemExit(main())

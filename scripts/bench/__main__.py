"""python -m bench [--only NAME]: measure, print a table, and write bench.json under LOCALML_HOME."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from amlspec.errors import UserError
from bench import curves
from demand.errors import StepError
from demand.steps import STEP_ERROR_EXIT
from host.state import home, read_json, write_json

# name -> module:function; imported only when asked for.
BENCHES = {
    "engine_overhead_fraction": "bench.engine_bench:engine_overhead_fraction",
    "reused_run_seconds": "bench.engine_bench:reused_run_seconds",
    "aggregate_vs_pandas_speedup": "bench.aggregate_bench:aggregate_vs_pandas_speedup",
    "aggregate_peak_mb": "bench.aggregate_bench:aggregate_peak_mb",
    "aggregate_growth_peak_mb": "bench.scale_bench:aggregate_growth_peak_mb",
    "aggregate_growth_vs_read": "bench.scale_bench:aggregate_growth_vs_read",
    "estimate_error": "bench.scale_bench:estimate_error",
    "import_peak_mb": "bench.import_bench:bench_import_peak_mb",
    "pipeline_600k_series_months_seconds": "bench.series_bench:pipeline_600k_series_months_seconds",
    "pipeline_600k_series_months_peak_mb": "bench.series_bench:pipeline_600k_series_months_peak_mb",
    "series_growth": "bench.series_bench:series_growth",
    "sample_loss": "bench.series_bench:sample_loss",
    "fit_vs_default_forest_speedup": "bench.fit_bench:fit_vs_default_forest_speedup",
    "score_vs_constant_rps_fraction": "bench.score_bench:score_vs_constant_rps_fraction",
    "score_vs_mlflow_serve_rps_ratio": "bench.score_bench:score_vs_mlflow_serve_rps_ratio",
    "score_without_collecting_rps_ratio": "bench.score_bench:score_without_collecting_rps_ratio",
    "score_row_p50_ms": "bench.score_bench:score_row_p50_ms",
    "serving_200k_start_seconds": "bench.serving_bench:serving_200k_start_seconds",
    "serving_200k_forest_worker_mb": "bench.serving_bench:serving_200k_forest_worker_mb",
    "serving_200k_worker_mb": "bench.serving_bench:serving_200k_worker_mb",
    "serving_200k_vs_constant": "bench.serving_bench:serving_200k_vs_constant",
    "serving_two_workers": "bench.serving_bench:serving_two_workers",
    "serving_rows_vs_mlflow": "bench.serving_bench:serving_rows_vs_mlflow",
    "spec_check_seconds": "bench.speccheck_bench:spec_check_seconds",
    "rest_job_show_p50_ms": "bench.workspace_bench:rest_job_show_p50_ms",
    "sdk_round_trip_seconds": "bench.workspace_bench:sdk_round_trip_seconds",
    "review_seconds": "bench.review_bench:review_seconds",
    "review_1000_assets_seconds": "bench.review_bench:review_1000_assets_seconds",
}


def main(argv: list[str] | None = None) -> int:
    """Run the chosen measurements one after the other; 2 for an unknown name or what a measurement lacks."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", help="one of " + ", ".join(BENCHES))
    parser.add_argument("--curves", action="store_true", help="draw what bench.json knows; measure nothing")
    args = parser.parse_args(argv)
    only = args.only
    if only and only not in BENCHES:
        sys.stderr.write(f"error: {only} is not a measurement: choose one of {', '.join(BENCHES)}\n")
        return 2
    try:
        if args.curves:
            sys.stdout.writelines(f"{path}\n" for path in curves.draw())
        else:
            measure([only] if only else BENCHES)
    except (UserError, StepError) as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code if isinstance(error, UserError) else STEP_ERROR_EXIT
    return 0


def measure(names: Iterable[str]) -> None:
    """Run measurements; each is printed and in bench.json as soon as it is there."""
    for name in names:
        measured = _function(BENCHES[name])()
        write_json(home() / "bench.json", {**(read_json(home() / "bench.json") or {}), name: measured})
        figure = f"{measured['value']} {measured['unit']}"
        sys.stdout.write(f"{name:36} {figure:>14}  goal {measured['goal']:26} against {measured['peer']}\n")
        sys.stdout.write(f"{'':36} {json.dumps(measured['detail'])}\n")
        sys.stdout.flush()


def _function(reference: str) -> Callable[[], dict[str, Any]]:
    module, _, name = reference.partition(":")
    function: Callable[[], dict[str, Any]] = getattr(import_module(module), name)
    return function


if __name__ == "__main__":
    raise SystemExit(main())

"""python -m results [--sales NAME=FILE ...] [--seeds 7 8 9] [--no-ablation]: measure, and write docs/results.md."""

import argparse
import logging
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from amlspec.errors import UserError
from demand.errors import StepError
from forecasting.thresholds import Gate
from host.state import write_text
from results import ablations, measure, page, pruning, sets
from results.sets import SalesSet

ROOT = Path(__file__).parents[2]
Value = TypeVar("Value")


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m results", description=__doc__)
    parser.add_argument(
        "--sales", nargs="*", metavar="NAME=FILE", help="Parquet files; default: the real sales beside it"
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[7, 8, 9], help="of learners and generated sales")
    parser.add_argument("--no-ablation", action="store_true", help="leave out what each part adds")
    parser.add_argument("--output", type=Path, default=ROOT / "docs/results.md")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 2 for sales that are not there or cannot be used."""
    args = build_parser().parse_args(argv)
    logging.disable(logging.INFO)
    warnings.simplefilter("ignore", FutureWarning)
    try:
        text = measured(_files(args.sales), args.seeds, not args.no_ablation)
    except (UserError, StepError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    write_text(args.output, text)
    sys.stdout.write(f"Wrote {args.output}\n")
    return 0


def measured(files: Mapping[str, Path], seeds: Sequence[int], with_ablations: bool) -> str:
    """The page of these files and of generated sales."""
    known = {name: [sets.of_file(path, name)] * len(seeds) for name, path in files.items()}
    known[sets.GENERATED] = [sets.generated(seed) for seed in seeds]
    gate = Gate.read(ROOT / "ml/gate.yml")
    results = {
        name: [
            _say(f"{name}, seed {seed}", measure.result, each, seed, gate) for each, seed in zip(of, seeds, strict=True)
        ]
        for name, of in known.items()
    }
    first = {name: of[0] for name, of in known.items()}
    rows = _ablations(first) if with_ablations else {}
    left_out = pruning.left_out(rows, first, _say) if rows else {}
    sizes = {name: each.size() for name, each in first.items()}
    return page.render(results, sizes, rows, left_out, seeds, datetime.now(UTC).date())


def _ablations(known: Mapping[str, SalesSet]) -> dict[tuple[str, str], dict[str, ablations.Wapes]]:
    return {
        (row.change, row.candidate): {
            name: _say(f"{row.candidate}: {row.change}, {name}", row.measure, each) for name, each in known.items()
        }
        for row in ablations.rows()
    }


def _say(what: str, call: Callable[..., Value], *arguments: Any) -> Value:
    """Call, and say how long it took."""
    began = time.monotonic()
    value = call(*arguments)
    sys.stderr.write(f"{what}: {time.monotonic() - began:.0f} s\n")
    return value


def _files(given: Sequence[str] | None) -> dict[str, Path]:
    if given is None:
        return dict(sets.shared())
    pairs = (each.partition("=") for each in given)
    return {name: Path(path) for name, _, path in pairs}


if __name__ == "__main__":
    raise SystemExit(main())

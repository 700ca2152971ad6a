"""Step split: the completed monthly sales in parts of some series each, and what each has to know of all series."""

import argparse
import json
import logging
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

import demand
import forecasting
import planning
from demand.errors import StepError
from demand.everyone import Everyone
from demand.known import Known
from demand.steps import run
from forecasting.lookback import MONTHS
from forecasting.series_parts import Table, state_and_panel

log = logging.getLogger(__name__)
PARTS, CODE = "parts.json", "code"


def build_parser() -> argparse.ArgumentParser:
    """Flags of the component split_series."""
    parser = argparse.ArgumentParser(prog="planning.split", description=__doc__)
    parser.add_argument("--monthly", type=Path, required=True, help="output folder of the aggregate step")
    parser.add_argument("--series-per-part", type=int, default=5000, help="series of a part, about")
    parser.add_argument(
        "--parts", type=Path, required=True, help="output folder: a Parquet file of completed rows a part"
    )
    parser.add_argument("--everyone", type=Path, required=True, help="output folder: what holds of all series")
    return parser


def _written(table: Table, size: int, folder: Path, names: list[str]) -> Iterator[pd.DataFrame]:
    """Each part's rows, once they are in a file; its name goes to `names`."""
    for number, rows in enumerate(table.each_part(size)):
        names.append(f"part-{number:05d}.parquet")
        rows.to_parquet(folder / names[-1], index=False)
        yield rows


def _leave_code(folder: Path) -> None:
    """The packages that the parts are forecast with: a parallel component cannot carry them itself."""
    for package in (demand, forecasting, planning):
        source = Path(str(package.__file__)).parent
        # By content alone: the attributes of a file are not for a mounted folder.
        shutil.copytree(
            source,
            folder / source.name,
            ignore=shutil.ignore_patterns("__pycache__"),
            copy_function=shutil.copyfile,
            dirs_exist_ok=True,
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step."""
    args = build_parser().parse_args(argv)
    table = Table.of(args.monthly)
    if not table.series:
        raise StepError(f"{args.monthly}: holds no series: import sales first")
    for folder in (args.parts, args.everyone):
        folder.mkdir(parents=True, exist_ok=True)
    names: list[str] = []
    state, panel = state_and_panel(_written(table, args.series_per_part, args.parts, names))
    # The origins of the months ahead, and of those that are looked back on.
    origins = range(max(state.first_month, state.last_month - MONTHS), state.last_month + 1)
    panel = panel.with_stranger()
    Everyone.of(state, {origin: Known(panel.until(origin)).pooled for origin in origins}).write(args.everyone)
    _leave_code(args.everyone / CODE)
    (args.everyone / PARTS).write_text(json.dumps(names) + "\n", encoding="utf-8")
    if (args.monthly / "rows.json").is_file():
        shutil.copyfile(args.monthly / "rows.json", args.everyone / "rows.json")
    log.info("Split %d series into %d parts", table.series, len(names))
    return 0


if __name__ == "__main__":
    raise SystemExit(run(main))

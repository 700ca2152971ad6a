"""Step collect: the forecasts of all parts as the files that one forecast step would have written."""

import argparse
import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from demand.errors import StepError
from demand.everyone import Everyone
from demand.step_warnings import StepWarnings, of_rows
from demand.steps import run
from demand.tracking import number
from forecasting.packing import read_metadata
from planning.asked import add_asked, asked_of
from planning.batch import ENDED, Batch, keys_of
from planning.explorer import page as explorer
from planning.forecast import finish
from planning.part import loaded
from planning.split import PARTS

log = logging.getLogger(__name__)
# Series that the page may have room for.
MAX_SHOWN = 3000


def build_parser() -> argparse.ArgumentParser:
    """Flags of the component collect_forecasts."""
    parser = argparse.ArgumentParser(prog="planning.collect", description=__doc__)
    add_asked(parser)
    parser.add_argument("--parts", type=Path, required=True, help="parts of the split step")
    parser.add_argument("--everyone", type=Path, required=True, help="output folder of the split step")
    parser.add_argument("--batches", type=Path, required=True, help="output folder of the parallel step")
    parser.add_argument("--forecasts", type=Path, required=True, help="output folder")
    return parser


def all_of(everyone: Path, batches: Path) -> Batch:
    """The forecasts of all parts.

    Raises:
        StepError: a part is missing, as one that failed and was let go.
    """
    names = [Path(name).stem for name in json.loads((everyone / PARTS).read_text(encoding="utf-8"))]
    missing = [name for name in names if not (batches / f"{name}.{ENDED}").is_file()]
    if missing:
        raise StepError(f"{len(missing)} of {len(names)} parts were not forecast, {missing[0]} first: see their step")
    return Batch.joined([Batch.read(batches, name) for name in names])


def largest(table: pd.DataFrame, parts: Path) -> pd.DataFrame:
    """Completed rows of the series that sell most in the months ahead, as many as the page may have room for."""
    units = table.groupby(keys_of(table))["TotalSales"].sum()
    shown = set(units.nlargest(MAX_SHOWN).index)
    rows = []
    for path in sorted(parts.glob("*.parquet")):
        part = pd.read_parquet(path)
        rows.append(part[keys_of(part.dropna(axis="columns", how="all")).isin(shown)])
    return pd.concat(rows, ignore_index=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step."""
    args = build_parser().parse_args(argv)
    everyone, metadata = Everyone.read(args.everyone), read_metadata(args.model)
    batch = all_of(args.everyone, args.batches)
    forecaster, _ = loaded(args.model, metadata, largest(batch.table, args.parts), everyone)
    asked = asked_of(args, forecaster.state, metadata)._replace(version=number(args.model_name, args.model_version))
    batch = replace(batch, table=batch.table.assign(ModelVersion=asked.version))
    finish(args, batch, asked, everyone.last_month, StepWarnings("forecast", of_rows(args.everyone)))
    explorer.write(args.model, forecaster, batch.table, asked, args.forecasts)
    return 0


if __name__ == "__main__":
    raise SystemExit(run(main))

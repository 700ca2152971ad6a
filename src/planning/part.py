"""The entry script's functions of the parallel step forecast_parts: each file of a mini-batch is some series' sales.

A part's files are written plainly, each from its start, so that a part that is tried again replaces them.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from demand.direct import load_forecaster
from demand.everyone import Everyone
from demand.forecaster import Forecaster
from forecasting.features import prepared, state_of
from forecasting.packing import read_metadata
from forecasting.panels import Months
from forecasting.series_parts import widened_panel, widened_state
from planning.asked import Asked, add_asked, asked_of
from planning.batch import Batch

log = logging.getLogger(__name__)


def build_parser() -> argparse.ArgumentParser:
    """Flags of the component forecast_parts; Azure ML adds others of its own."""
    parser = argparse.ArgumentParser(prog="planning.part", description=__doc__)
    add_asked(parser)
    parser.add_argument("--everyone", type=Path, required=True, help="output folder of the split step")
    parser.add_argument("--batches", type=Path, required=True, help="output folder")
    return parser


class Worker:
    """What a process keeps from mini-batch to mini-batch."""

    def __init__(self, argv: Sequence[str]) -> None:
        self.args, _ = build_parser().parse_known_args(argv)
        self.metadata = read_metadata(self.args.model)
        self.everyone = Everyone.read(self.args.everyone)
        self.args.batches.mkdir(parents=True, exist_ok=True)
        self._asked: Asked | None = None

    def forecast(self, path: Path) -> Batch:
        """Forecast the series of one file, and write what is made of them."""
        forecaster, known = loaded(self.args.model, self.metadata, pd.read_parquet(path), self.everyone)
        # Grain and months are those of every part, and a plan may be long.
        self._asked = self._asked or asked_of(self.args, forecaster.state, self.metadata)
        batch = Batch.of(forecaster, known, self._asked, self.everyone)
        batch.write(self.args.batches, path.stem)
        return batch


def loaded(
    model: Path, metadata: dict[str, Any], completed: pd.DataFrame, everyone: Everyone
) -> tuple[Forecaster, pd.DataFrame]:
    """(the model with some series, as they are known among all; their prepared rows)."""
    known = prepared(completed)
    span = (everyone.first_month, everyone.last_month)
    state, panel = widened_state(state_of(known), *span), widened_panel(Months.of(known).panel(), *span)
    return load_forecaster(model, metadata, state, panel, everyone), known


_worker: Worker


def init() -> None:
    """Called once in each process."""
    global _worker  # noqa: PLW0603  the runner knows functions only
    _worker = Worker(sys.argv[1:])


def run(mini_batch: Sequence[str]) -> list[str]:
    """Called with the paths of some files; one line for each that is done, by which Azure ML counts."""
    done = []
    for path in map(Path, mini_batch):
        batch = _worker.forecast(path)
        log.info("%s: %d forecasts", path.name, len(batch.table))
        done.append(f"{path.name} {len(batch.table)}")
    return done

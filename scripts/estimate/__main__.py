"""python -m estimate: what a run takes on Azure, by step, before it is submitted."""

import sys
from pathlib import Path

from amlspec.errors import UserError
from estimate import cost, pipelines, places, table, timings
from estimate.settings import FILE, Size, load, of_folder


def run(pipeline: str, rows: int | None, series_months: int | None, machine: str | None, nodes: int | None) -> int:
    """Print the estimate of one run.

    Args:
        pipeline: stem of a file of ml/pipelines.
        rows: raw rows; default: those of the last run here, or of the settings.
        series_months: monthly rows of all series; default: the same.
        machine: size of machine; default: prod's.
        nodes: how many; default: prod's.

    Raises:
        UserError: there is no such pipeline, or no price of the machine.
    """
    read, path = of_folder(), f"{pipelines.FOLDER}/{pipeline}.yml"
    settings = load(read)
    if settings is None:
        raise UserError(f"{FILE} is missing: it says what machines cost")
    steps = pipelines.nodes(read, path)
    if not steps:
        known = ", ".join(sorted(each.stem for each in Path(pipelines.FOLDER).glob("*.yml")))
        raise UserError(f"no pipeline {pipeline} in {pipelines.FOLDER}: it has {known}")
    usual, ran = places.of_prod(read, settings.usual), timings.measured()
    last = ran[-1].size if ran else Size(usual.rows, usual.series_months)
    size = Size(rows or last.rows, series_months or last.series_months or usual.series_months)
    here, runs = timings.calibrated(settings, ran)
    machine, nodes = machine or usual.machine, nodes or usual.nodes
    estimated = cost.estimate(here, steps, size, machine, nodes)
    counts = {step.name: runs.get(here.name_of(step) or "", 0) for step in steps}
    sys.stdout.writelines(f"{line}\n" for line in table.lines(path, estimated, settings, size, machine, nodes, counts))
    return 0

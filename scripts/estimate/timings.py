"""Seconds of components as the engine of this machine has measured them, and what follows for other sizes.

A component that ran at sizes far enough apart has a line of its own, fitted to the relative errors; one that ran at
about one size has the shape of ml/estimate.yml, scaled to what was measured.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from estimate import pipelines
from estimate.settings import Node, Settings, Shape, Size, of_folder
from host.state import home, read_json

# Sizes this far apart tell what is fixed from what grows.
SPAN = 2.0


@dataclass(frozen=True)
class Timing:
    """Seconds of one run of a node, and the size of that run."""

    node: Node
    seconds: float
    size: Size


def fit(points: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    """(fixed, per unit of each amount), none below zero, of (amount, ..., seconds); the relative errors are least."""
    import numpy as np  # noqa: PLC0415  with SciPy half a second, which `make review` need not wait for
    from scipy.optimize import nnls  # noqa: PLC0415

    *amounts, seconds = np.array(points, dtype=np.float64).T
    columns = np.column_stack([np.ones_like(seconds), *amounts])
    solution, _ = nnls(columns / seconds[:, None], np.ones(len(seconds)))
    return tuple(float(each) for each in solution)


def calibrated(settings: Settings, timings: Iterable[Timing]) -> tuple[Settings, dict[str, int]]:
    """The settings with what was measured here; and how many runs each component's seconds rest on."""
    of: dict[str, list[Timing]] = {name: [] for name in settings.components}
    for each in timings:
        if name := settings.name_of(each.node):
            of[name].append(each)
    ratios = [_ratio(settings.components[name], each) for name, runs in of.items() for each in runs]
    usual = median(ratios) if ratios else 1.0
    shapes = {name: _shape(settings.components[name], runs, usual) for name, runs in of.items()}
    return settings.model_copy(update={"components": shapes}), {name: len(runs) for name, runs in of.items()}


def _ratio(shape: Shape, timing: Timing) -> float:
    return timing.seconds / max(shape.seconds(timing.size, timing.node.inputs), 1e-6)


def _shape(shape: Shape, runs: Sequence[Timing], usual: float) -> Shape:
    sizes = [each.size for each in runs]
    if not shape.sampled and (_spans(each.rows for each in sizes) or _spans(each.series_months for each in sizes)):
        most = shape.max_series_months
        points = [(each.size.rows / 1e6, min(each.size.series_months, most) / 1e6, each.seconds) for each in runs]
        fixed, rows, months = fit(points)
        return Shape(fixed=fixed, per_million_rows=rows, per_million_series_months=months, max_series_months=most)
    return shape.scaled(median(_ratio(shape, each) for each in runs) if runs else usual)


def _spans(amounts: Iterable[int]) -> bool:
    known = list(amounts)
    return bool(known) and min(known) > 0 and max(known) >= SPAN * min(known)


def measured(folder: Path = Path()) -> list[Timing]:
    """Timings of every completed job of this machine's engine whose size is known; reused steps are left out."""
    known = _pipelines(folder)
    listed: list[Timing] = []
    for path in sorted((home() / "jobs").glob("*/job.json")):
        record = read_json(path) or {}
        nodes = known.get(str(record.get("display_name")))
        if record.get("status") == "Completed" and nodes and (size := size_of(record)):
            listed += _of_job(record, nodes, size)
    return listed


def _of_job(record: Mapping[str, Any], nodes: Sequence[Node], size: Size) -> Iterable[Timing]:
    steps = record.get("jobs") or {}
    for node in nodes:
        step = steps.get(node.name) or {}
        # A forked step has loaded its packages before, which no step on Azure has.
        ran = step.get("seconds") and not step.get("reused_from") and not step.get("forked")
        if ran and not _is_pushed_down(step):
            yield Timing(node, float(step["seconds"]), size)


def _is_pushed_down(step: Mapping[str, Any]) -> bool:
    """Whether a warehouse did the step's work (`sales.pushed`)."""
    return any(Path(str(path), "pushed_down.json").is_file() for path in (step.get("outputs") or {}).values())


def _pipelines(folder: Path) -> dict[str, list[Node]]:
    """Display name -> nodes, by which a job tells its pipeline."""
    read, paths = of_folder(folder), sorted((folder / pipelines.FOLDER).glob("*.yml"))
    relative = [f"{pipelines.FOLDER}/{path.name}" for path in paths]
    return {name: pipelines.nodes(read, path) for path in relative if (name := pipelines.display_name(read, path))}


def size_of(record: Mapping[str, Any]) -> Size | None:
    """The size of a job's data: what its aggregate step counted, or the rows of an import's files."""
    steps = record.get("jobs") or {}
    for step in steps.values():
        outputs = step.get("outputs") or {}
        for name in ("monthly", "sales"):
            counts = Path(str(outputs.get(name)), "rows.json")
            if counts.is_file():
                given = json.loads(counts.read_text(encoding="utf-8"))
                return Size(int(given["read"]), int(given["store_months"]))
        files = list(Path(str(outputs.get("sales"))).glob("*.parquet"))
        if files:
            import pyarrow.parquet as pq  # noqa: PLC0415  as above

            return Size(sum(pq.ParquetFile(file).metadata.num_rows for file in files), 0)
    return None

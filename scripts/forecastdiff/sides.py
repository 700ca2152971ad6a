"""Both sides of a change, trained and forecast in a workspace of their own; what did not change is reused."""

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml

from amlspec.errors import UserError
from host import git
from host.state import home
from localml import assets
from pipeline import imported, lineage
from pipeline.apart import Apart

TRAIN, FORECAST = Path("ml/pipelines/train.yml"), Path("ml/pipelines/forecast.yml")
# Steps that leave something outside of the comparison.
_LEFT_OUT = {TRAIN: ("register",), FORECAST: ("publish",)}


@dataclass(frozen=True)
class Side:
    """One side: its verdict, the back-test's rows behind it, its forecasts."""

    verdict: Mapping[str, Any]
    backtest: Path
    forecasts: Path


def recipe(source: Path, settings: Sequence[str] = ()) -> str:
    """Hash of all that decides a forecast: the training's recipe and the forecast's own specs and code.

    Sides with equal hashes forecast the same: a fit is the same by its seed, which the tests of the recipes hold.
    """
    digest = hashlib.sha256(lineage.recipe_hash(source, sorted(settings)).encode())
    for path in sorted((source / FORECAST, source / "ml/data/plan.csv", *lineage.steps_files(source / FORECAST))):
        name = path.resolve().relative_to(source.resolve()).as_posix()
        digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\0".encode())
    return digest.hexdigest()[:16]


@contextmanager
def base_of(root: Path, revision: str | None) -> Iterator[Path]:
    """The base's files in a folder, as long as the block lasts. Raises UserError for a revision that is not here."""
    with tempfile.TemporaryDirectory() as place:
        target = Path(place) / "base"
        merge_base = git.git("-C", str(root), "merge-base", revision or _default(root), "HEAD")
        git.check_out(root, target, merge_base)
        yield target


def trained(source: Path, settings: Sequence[str]) -> Side:
    """Train and forecast one side on the sales that are imported here.

    Raises:
        UserError: no sales, or a run that fails.
    """
    sales = imported.newest()
    if sales is None:
        raise UserError("no sales are imported here: `make run-pipeline` or `make import-data` first")
    content = assets.get("data", "sales", str(sales["version"])).content
    assert content is not None  # noqa: S101 - a data asset has files
    engine = Apart(source, _home(content, sales))
    engine.prepare(content)
    asked = [f"inputs.as_of={imported.day(sales)}"]
    train = _run(engine, TRAIN, [*asked, "inputs.data_version=1", *settings])
    evaluated = train["jobs"]["evaluate"]["outputs"]
    model = [f"inputs.model.path={evaluated['selected']}", "inputs.model_version=0"]
    forecast = _run(engine, FORECAST, [*asked, *model])
    verdict = Path(evaluated["verdict"])
    return Side(
        json.loads((verdict / "verdict.json").read_text(encoding="utf-8")),
        verdict / "forecasts.parquet",
        Path(forecast["jobs"]["forecast"]["outputs"]["forecasts"]) / "forecasts.parquet",
    )


def _home(content: Path, sales: Mapping[str, Any]) -> Path:
    """A workspace for these very sales, so that an asset's version never means two things."""
    mark = hashlib.sha256(f"{content}\0{sales.get('version')}\0{imported.day(sales)}".encode()).hexdigest()[:12]
    return home() / "forecast-diff" / mark


def _run(engine: Apart, pipeline: Path, settings: Sequence[str]) -> dict[str, Any]:
    """Run a pipeline without the steps that leave something behind; its record."""
    data = yaml.safe_load((engine.source / pipeline).read_text(encoding="utf-8"))
    for name in _LEFT_OUT[pipeline]:
        data["jobs"].pop(name, None)
    outputs = {name for job in data["jobs"].values() for name in _named_outputs(job)}
    data["outputs"] = {name: each for name, each in (data.get("outputs") or {}).items() if name in outputs}
    folder, job = (engine.source / pipeline).parent, f"{pipeline.stem}-{uuid4().hex[:12]}"
    with tempfile.TemporaryDirectory() as place:
        spec = Path(place) / pipeline.name
        spec.write_text(yaml.safe_dump(_absolute(data, folder), sort_keys=False), encoding="utf-8")
        engine.run(spec, job, settings)
    record: dict[str, Any] = json.loads((engine.state / "jobs" / job / "job.json").read_text(encoding="utf-8"))
    return record


def _named_outputs(job: Mapping[str, Any]) -> Iterator[str]:
    """Outputs of the pipeline that a job writes."""
    for value in (job.get("outputs") or {}).values():
        if isinstance(value, str) and value.startswith("${{parent.outputs."):
            yield value.removeprefix("${{parent.outputs.").rstrip("}")


def _absolute(data: Any, folder: Path) -> Any:
    """Relative paths of a spec as seen from anywhere."""
    if isinstance(data, Mapping):
        return {key: _absolute(value, folder) for key, value in data.items()}
    if isinstance(data, list):
        return [_absolute(value, folder) for value in data]
    is_path = isinstance(data, str) and data.startswith(("../", "./"))
    return str((folder / data).resolve()) if is_path else data


def _default(root: Path) -> str:
    """Origin's default branch, else main."""
    try:
        return git.git("-C", str(root), "rev-parse", "--verify", "--quiet", "origin/HEAD")
    except UserError:
        return "main"

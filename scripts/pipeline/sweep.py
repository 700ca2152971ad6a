"""What stands around the job of `make sweep`: its settings, and the best trial as lines for ml/pipelines/train.yml."""

import json
from pathlib import Path
from typing import Any

import yaml

from amlspec.document import display, read_document
from amlspec.errors import UserError
from demand.grain import GRAINS
from host.state import home
from pipeline import azml, imported, models, outputs

SPEC = Path("ml/pipelines/sweep.yml")
# The output, of the pipeline and of the step that writes it (`outputs.fetched`).
BEST = ("settings", "tune")
FILE = "settings.json"
NODE = "train_booster"


def settings(grain: str, trials: str | None, given: list[str]) -> list[str]:
    """`--set` values for ml/pipelines/sweep.yml. Raises UserError for a grain or a count that cannot be."""
    models.name_for(grain)  # refuses another word
    day = imported.day(imported.newest())
    chosen = [f"inputs.grain={grain}"] if grain != GRAINS[0] else []
    if trials:
        if not (trials.isdecimal() and 1 <= int(trials) <= 1000):
            raise UserError(f"TRIALS={trials}: give 1 to 1000")
        chosen.append(f"jobs.tune.limits.max_total_trials={trials}")
    return [f"inputs.as_of={day}", *chosen, *given]


def lines(job: str, train: Path) -> list[str]:
    """The best trial: its error, its settings beside those of the pipeline `train`, and what to do with them."""
    record = azml.call("job", "show", name=job)
    best = _best({**record, "name": job})
    changed = _changed(best["settings"], train)
    head = (
        f"Best of the trials: WAPE {best['wape']:.1%} one month ahead, over the last {best['origins']} training months"
    )
    log = (record.get("jobs") or {}).get(BEST[1], {}).get("log")
    trials = [f"Trials: {display(Path(log))}"] if log else []  # Azure ML's studio shows them on the job's page
    if not changed:
        return ["", head, f"They are the settings of {NODE} in {train}: nothing to change", *trials]
    return [
        "",
        head,
        f"To try it, put this among the inputs of {NODE} in {train} and run `make run-pipeline`:",
        "",
        *(f"      {line}" for line in yaml.safe_dump(changed, sort_keys=False).splitlines()),
        "",
        "The gate then judges it on the held-out months, which no trial has seen.",
        *trials,
    ]


def _changed(settings: dict[str, Any], train: Path) -> dict[str, Any]:
    """Settings that are others than those of the training pipeline: its node's inputs, or its component's defaults."""
    node = read_document(train).data["jobs"][NODE]
    declared = read_document(train.parent / node["component"]).data["inputs"]
    now = {name: node["inputs"].get(name, declared[name].get("default")) for name in settings}
    tidy = {name: float(f"{value:.6g}") if isinstance(value, float) else value for name, value in settings.items()}
    return {name: value for name, value in tidy.items() if now[name] != value}


def _best(record: dict[str, Any]) -> dict[str, Any]:
    local = (record.get("outputs") or {}).get(BEST[0], {}).get("path")
    folder = Path(local) if local and Path(local).is_dir() else home() / "sweeps" / str(record["name"])
    if not (folder / FILE).is_file():
        outputs.fetched(str(record["name"]), *BEST, folder)
    try:
        kept: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"the output {BEST[0]} of job {record['name']} holds no {FILE}", 1) from None
    return kept

"""Training runs, one line each: what they learned from, how they did, what the gate decided."""

from dataclasses import dataclass
from typing import Any

from amlspec.errors import UserError
from forecasting.verdict import Figures, Verdict
from pipeline import answers, azml, last_run

SHOWN = 50
PREFIX = "train-"


@dataclass(frozen=True)
class Run:
    """One line; figures are WAPEs as fractions, None where the run has none."""

    name: str
    began: str
    status: str
    data_version: str
    holdout: str
    selected: str
    wape: float | None
    far: float | None
    naive: float | None
    verdict: str
    model: str
    figures: dict[str, tuple[float | None, float | None]]


def known() -> list[Run]:
    """The newest runs first; verdicts of runs on Azure are those that this machine has fetched."""
    listed = [each for each in azml.listed("job", "list") if str(each["name"]).startswith(PREFIX)]
    ordered = sorted(listed, key=_began, reverse=True)[:SHOWN]
    return [_run(each) for each in ordered]


def _run(record: dict[str, Any]) -> Run:
    name, status = str(record["name"]), answers.state(record.get("status"))
    verdict = _verdict(name) if status == "completed" else None
    # A list has no inputs; to ask Azure for each run would take seconds for each.
    given = (azml.call("job", "show", name=name).get("inputs") if azml.is_local() else None) or {}
    chosen = verdict.candidates.get(verdict.selected) if verdict else None
    naive = [_wape(each) for each in verdict.baselines.values()] if verdict else []
    return Run(
        name,
        _began(record)[:16].replace("T", " "),
        status,
        str(given.get("data_version", "-")),
        f"{given['holdout_months']} months" if "holdout_months" in given else "-",
        verdict.selected if verdict else "-",
        _wape(chosen),
        chosen.multi_step.wape if chosen else None,
        min((each for each in naive if each is not None), default=None),
        "-" if verdict is None else "promoted" if verdict.promoted else "refused",
        f"{verdict.model['name']} {verdict.model['version']}" if verdict and verdict.model else "-",
        _figures(verdict) if verdict else {},
    )


def _verdict(name: str) -> Verdict | None:
    if not azml.is_local() and not last_run.is_fetched(name):
        return None
    try:
        return last_run.verdict(name)
    except UserError:
        return None


def _figures(verdict: Verdict) -> dict[str, tuple[float | None, float | None]]:
    everything = {**verdict.candidates, **verdict.baselines}
    return {name: (each.one_step.wape, each.multi_step.wape) for name, each in everything.items()}


def _wape(figures: Figures | None) -> float | None:
    return figures.one_step.wape if figures else None


def _began(record: dict[str, Any]) -> str:
    return str((record.get("creation_context") or {}).get("created_at") or "")

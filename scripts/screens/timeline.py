"""What happened in the loop, newest first: imports, trainings with their gates, forecasts, rollouts, alarms."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from pipeline import answers, azml, monitor
from screens import rollouts, runs

SHOWN = 60
KINDS = {"import": "Import", "forecast": "Forecast", "monitor": "Monitor"}


class Event(NamedTuple):
    """One line; `good` is None where it is neither good nor bad."""

    at: str
    what: str
    text: str
    good: bool | None


def known() -> list[Event]:
    """The last events of this environment."""
    events = [*_jobs(), *_trainings(), *_rollouts(), *_decisions()]
    return sorted(events, key=lambda event: event.at, reverse=True)[:SHOWN]


def _jobs() -> Iterator[Event]:
    for job in azml.listed("job", "list"):
        kind = str(job["name"]).split("-", maxsplit=1)[0]
        if kind in KINDS:
            state = answers.state(job.get("status"))
            began = str((job.get("creation_context") or {}).get("created_at") or "")
            yield Event(_minute(began), KINDS[kind], f"{job['name']}: {state}", state == "completed")


def _trainings() -> Iterator[Event]:
    for run in runs.known():
        gate = f"gate {run.verdict}" if run.verdict != "-" else run.status
        text = f"{run.name}: {gate}" + (f", {run.model}" if run.model != "-" else "")
        yield Event(
            run.began, "Training", text, {"promoted": True, "completed": True, "failed": False}.get(run.verdict)
        )


def _rollouts() -> Iterator[Event]:
    for report in rollouts.known():
        version = f"version {report['version']}" if report["version"] else report["verb"]
        outcome = str(report.get("outcome"))
        text = f"{report['endpoint']}, {version}: {outcome}"
        yield Event(
            _minute(str(report.get("began"))), "Rollout", text, {"done": True, "waiting": None}.get(outcome, False)
        )


def _decisions() -> Iterator[Event]:
    for each in monitor.decisions():
        alarms: list[Any] = each["alarms"]
        text = f"{', '.join(alarms)}: {each['decision']}, {each['rule']}" if alarms else "no alarm"
        yield Event(_minute(each["at"]), "Decision", text, not alarms)


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ")

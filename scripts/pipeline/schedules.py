"""What is said and set when the schedules of ml/schedules are created."""

from datetime import datetime, timedelta
from pathlib import Path

from amlspec import triggers
from amlspec.document import read_document

# Far enough for any trigger that fires at all.
_YEARS = timedelta(days=3 * 366)


def settings(spec: Path, commit: str) -> list[str]:
    """`--set` values: the commit that the schedule's job is of, where its pipeline keeps it."""
    given = read_document(spec).data.get("create_job")
    if not isinstance(given, dict) or "job" not in given:
        return []
    pipeline = read_document(spec.parent / str(given["job"]))
    return [f"create_job.inputs.git_commit={commit}"] if "git_commit" in (pipeline.data.get("inputs") or {}) else []


def line(spec: Path, now: datetime) -> str:
    """`train-monthly: next 2026-12-02 07:00 UTC`."""
    data = read_document(spec).data
    moment = next(triggers.read(data["trigger"]).due(now, now, now + _YEARS), None)
    return f"{data['name']}: {f'next {moment:%Y-%m-%d %H:%M} UTC' if moment else 'has ended'}"

"""What is said and set when the schedules of ml/schedules are created."""

import os
from datetime import datetime, timedelta
from pathlib import Path

from amlspec import triggers
from amlspec.document import read_document
from pipeline import signing

FOLDER, MONITOR = Path("ml/schedules"), Path("ml/deploy/monitor.yml")
# Far enough for any trigger that fires at all.
_YEARS = timedelta(days=3 * 366)


def settings(spec: Path, commit: str) -> list[str]:
    """`--set` values: the commit that the schedule's job is of, and where its metrics go, where its pipeline asks."""
    given = read_document(spec).data.get("create_job")
    if not isinstance(given, dict) or "job" not in given:
        return []
    known = read_document(spec.parent / str(given["job"])).data.get("inputs") or {}
    values = {"git_commit": commit, "insights": os.environ.get("INSIGHTS"), "signing_key": signing.key()}
    return [f"create_job.inputs.{name}={value}" for name, value in values.items() if value and name in known]


def line(spec: Path, now: datetime) -> str:
    """`train-monthly: next 2026-12-02 07:00 UTC`."""
    data = read_document(spec).data
    moment = next(triggers.read(data["trigger"]).due(now, now, now + _YEARS), None)
    return f"{data['name']}: {f'next {moment:%Y-%m-%d %H:%M} UTC' if moment else 'has ended'}"

"""Schedules: cron, recurrence, time zone, and what they start."""

import re
from collections.abc import Iterator

from amlspec import triggers
from amlspec.finding import Finding
from amlspec.kinds import Kind
from amlspec.wording import closest
from speccheck.loaders import time_zones
from speccheck.repo import PIPELINES, Repo, Spec


def check_schedules(repo: Repo, spec: Spec) -> Iterator[Finding]:
    """One schedule."""
    if spec.kind != Kind.SCHEDULE:
        return
    trigger = spec.doc.table("trigger")
    for problem in triggers.problems(trigger):
        yield spec.doc.find(str(problem), "trigger", *problem.path)
    zone = trigger.get("time_zone")
    if zone is not None and zone not in (zones := time_zones()):
        yield spec.doc.find(f"unknown time zone '{zone}': {_zone_fix(str(zone), zones)}", "trigger", "time_zone")
    yield from _check_target(repo, spec)


def _zone_fix(zone: str, zones: frozenset[str]) -> str:
    if re.fullmatch(r"[A-Z][\w+-]+/[\w/+-]+", zone):
        return "Azure ML takes Windows names such as Eastern Standard Time, not IANA ones"
    fix = closest(zone, zones)
    return fix if fix.startswith("did") else "use a Windows name such as UTC or Eastern Standard Time"


def _check_target(repo: Repo, spec: Spec) -> Iterator[Finding]:
    targets = [key for key in ("create_job", "import_data", "create_monitor") if key in spec.data]
    if len(targets) != 1:
        message = "a schedule starts exactly one thing: give one of create_job, import_data, create_monitor"
        yield spec.doc.find(message, targets[1] if targets else "name")
        return
    key, value = targets[0], spec.data[targets[0]]
    reference = value.get("job") if isinstance(value, dict) and "job" in value else value
    if not isinstance(reference, str) or reference.startswith("azureml:"):
        return
    kinds = {"create_job": PIPELINES, "import_data": (Kind.IMPORT,)}.get(key, ())
    target = repo.at(spec.folder, reference.removeprefix("file:"))
    if target is None or (kinds and target.kind not in kinds):
        where = (key, "job") if isinstance(value, dict) else (key,)
        message = f"{key} names '{reference}', which is not a {' or '.join(kinds)} here: correct the path"
        yield spec.doc.find(message, *where)
        return
    given = value.get("inputs") if isinstance(value, dict) else None
    known = target.doc.table("inputs")
    for name in given if isinstance(given, dict) else ():
        if name not in known:
            message = f"{target.doc.path.name} has no input '{name}': {closest(name, known)}"
            yield spec.doc.find(message, key, "inputs", name)

"""Schedules: cron, recurrence, time zone, and what they start."""

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from amlspec.finding import Finding
from amlspec.kinds import Kind
from amlspec.wording import closest
from speccheck.loaders import time_zones
from speccheck.repo import PIPELINES, Repo, Spec

_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 6))
_NAMES = {
    "month": ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    "day of week": ("sun", "mon", "tue", "wed", "thu", "fri", "sat"),
}
_FREQUENCIES = ("minute", "hour", "day", "week", "month")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_BOUNDS = {"hours": (0, 23), "minutes": (0, 59), "month_days": (1, 31)}


def _numbers(text: str, name: str, low: int, high: int) -> set[int]:
    """Values of one cron field. Raises ValueError with the problem."""
    values: set[int] = set()
    for part in text.split(","):
        body, slash, step = part.partition("/")
        if slash and (not step.isdigit() or int(step) == 0):
            raise ValueError(f"'{part}' of {name} has no step: write a number above 0 after '/'")
        first, dash, last = body.partition("-")
        if body == "*":
            start, end = low, high
        else:
            start = _number(first, name, low, high)
            end = _number(last, name, low, high) if dash else high if slash else start
        if start > end:
            raise ValueError(f"'{part}' of {name} runs backwards: swap its ends")
        values |= set(range(start, end + 1, int(step) if slash else 1))
    return values


def _number(text: str, name: str, low: int, high: int) -> int:
    names = _NAMES.get(name, ())
    if text.lower() in names:
        return names.index(text.lower()) + low
    if not text.isdigit():
        raise ValueError(f"'{text}' is not a valid {name}: write {low}-{high}{' or ' + names[0] if names else ''}")
    if not low <= int(text) <= high:
        raise ValueError(f"{name} {text} is outside {low}-{high}: correct it")
    return int(text)


def cron_problem(expression: str) -> str | None:
    """What is wrong with a five-field cron expression, or None."""
    fields = expression.split()
    if len(fields) != len(_FIELDS):
        return f"cron '{expression}' has {len(fields)} fields: write five, minute hour day month weekday"
    try:
        sets = [_numbers(text, *rule) for text, rule in zip(fields, _FIELDS, strict=True)]
    except ValueError as error:
        return f"cron '{expression}': {error}"
    _, _, days, months, _ = sets
    if fields[4] == "*" and min(days) > max(monthrange(2024, month)[1] for month in months):
        return f"cron '{expression}' never fires: no such day in the month, choose another"
    return None


def check_schedules(repo: Repo, spec: Spec) -> Iterator[Finding]:
    """One schedule."""
    if spec.kind != Kind.SCHEDULE:
        return
    doc, trigger = spec.doc, spec.doc.table("trigger")
    if trigger.get("type") == "cron":
        expression = trigger.get("expression")
        problem = 'a cron trigger needs an expression: add expression: "0 6 1 * *"'
        if isinstance(expression, str):
            yield from (doc.find(p, "trigger", "expression") for p in [cron_problem(expression)] if p)
        else:
            yield doc.find(problem, "trigger", "expression")
    elif trigger.get("type") == "recurrence":
        yield from _check_recurrence(spec, trigger)
    elif trigger:
        yield doc.find(f"unknown trigger '{trigger.get('type')}': write type: cron or recurrence", "trigger", "type")
    yield from _check_times(spec, trigger)
    yield from _check_target(repo, spec)


def _check_recurrence(spec: Spec, trigger: dict[str, Any]) -> Iterator[Finding]:
    doc, frequency, interval = spec.doc, trigger.get("frequency"), trigger.get("interval")
    if frequency not in _FREQUENCIES:
        message = f"unknown frequency '{frequency}': write one of {', '.join(_FREQUENCIES)}"
        yield doc.find(message, "trigger", "frequency")
    if not isinstance(interval, int) or isinstance(interval, bool) or interval < 1:
        yield doc.find(f"interval {interval} fires never: give 1 or more", "trigger", "interval")
    for field, (low, high) in _BOUNDS.items():
        for value in _items(doc.get("trigger", "schedule", field)):
            if not isinstance(value, int) or not low <= value <= high:
                yield doc.find(f"{field} {value} is outside {low}-{high}: correct it", "trigger", "schedule", field)
    for value in _items(doc.get("trigger", "schedule", "week_days")):
        if str(value).lower() not in _WEEKDAYS:
            message = f"unknown weekday '{value}': {closest(str(value).lower(), _WEEKDAYS)}"
            yield doc.find(message, "trigger", "schedule", "week_days")


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _check_times(spec: Spec, trigger: dict[str, Any]) -> Iterator[Finding]:
    zone = trigger.get("time_zone")
    if zone is not None and zone not in (zones := time_zones()):
        yield spec.doc.find(f"unknown time zone '{zone}': {_zone_fix(str(zone), zones)}", "trigger", "time_zone")
    moments = {}
    for field in ("start_time", "end_time"):
        value = trigger.get(field)
        if value is None:
            continue
        try:
            moments[field] = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        except ValueError:
            yield spec.doc.find(f"{field} '{value}' is not a time: write 2026-12-01T06:00:00", "trigger", field)
    start, end = moments.get("start_time"), moments.get("end_time")
    if start and end and end.replace(tzinfo=None) <= start.replace(tzinfo=None):
        yield spec.doc.find("the schedule ends before it starts: give a later end_time", "trigger", "end_time")


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

"""When a schedule is due: one reading of its trigger, for the check and for the local engine.

Sources: "Schedule machine learning pipeline jobs" and "CLI (v2) schedule YAML schema" on Microsoft Learn. There a cron
expression counts by minute, hour and day of the week: "DAYS and MONTH are not supported. If you pass one of these
values, it will be ignored and treated as *", so that a job meant for the first of the month runs every day. It is an
error here. A day that a month does not have is left out, the first moment is not before `start_time`, and without one
that is when the schedule was created.

Not documented, and so a choice: a time that the clock skips in spring is due as much later as the clock is put forward,
one that comes twice in autumn is due once, the first time. A schedule in UTC has neither.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import win_tz

from amlspec.wording import closest

Path = tuple[str, ...]
FREQUENCIES = ("minute", "hour", "day", "week", "month")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ELAPSED = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)}
_BOUNDS = {"hours": (0, 23), "minutes": (0, 59), "month_days": (1, 31)}
_CRON = (("minute", 0, 59), ("hour", 0, 23), ("day of week", 0, 6))
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FULL = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
WEEK = 7


class TriggerError(ValueError):
    """What is wrong with a trigger, and in which field of it."""

    def __init__(self, message: str, *path: str) -> None:
        super().__init__(message)
        self.path: Path = path


@dataclass(frozen=True)
class Trigger:
    """A trigger that is known to be right.

    Attributes:
        zone: in which its times are meant.
        start: not before; None: when the schedule was created.
        end: not after; None: never.
        frequency: of FREQUENCIES; a cron expression is a weekly one.
        interval: units of the frequency between two of its days.
        times: of a day; empty: the start's own.
        week_days: 0 is Monday; empty: any, or the start's own.
        month_days: 1 to 31; empty: the start's own.
    """

    zone: tzinfo
    start: datetime | None
    end: datetime | None
    frequency: str
    interval: int = 1
    times: tuple[time, ...] = ()
    week_days: frozenset[int] = frozenset()
    month_days: frozenset[int] = frozenset()

    def due(self, created: datetime, since: datetime, until: datetime) -> Iterator[datetime]:
        """Moments (UTC, whole seconds) from `since` to `until`, both included, the first one first."""
        start = _local(self.start or created, self.zone)
        first = max(since, _utc(start, self.zone), created)
        last = min(until, _utc(_local(self.end, self.zone), self.zone)) if self.end else until
        moments = self._elapsed(start, first) if self.frequency in _ELAPSED else self._daily(start, first)
        for moment in moments:
            if moment > last:
                return
            if moment >= first:
                yield moment

    def _elapsed(self, start: datetime, first: datetime) -> Iterator[datetime]:
        step, begin = _ELAPSED[self.frequency] * self.interval, _utc(start, self.zone)
        moment = begin + step * max(0, (first - begin) // step)
        while True:
            yield moment
            moment += step

    def _daily(self, start: datetime, first: datetime) -> Iterator[datetime]:
        # A day earlier, since the zone may be behind UTC.
        day = max(start.date(), first.astimezone(self.zone).date() - timedelta(days=1))
        while day.year < date.max.year:
            if self._is_due(day, start.date()):
                moments = {_utc(datetime.combine(day, at), self.zone) for at in self.times or (start.time(),)}
                yield from sorted(moments)
            day += timedelta(days=1)

    def _is_due(self, day: date, start: date) -> bool:
        if self.frequency == "day":
            return (day - start).days % self.interval == 0
        if self.frequency == "week":
            weeks = ((day - _monday(start)).days) // WEEK
            return weeks % self.interval == 0 and day.weekday() in (self.week_days or {start.weekday()})
        months = (day.year - start.year) * 12 + day.month - start.month
        if months % self.interval:
            return False
        return day.weekday() in self.week_days if self.week_days else day.day in (self.month_days or {start.day})


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _local(moment: datetime, zone: tzinfo) -> datetime:
    """Without a zone of its own a time is meant in the trigger's."""
    return (moment.astimezone(zone) if moment.tzinfo else moment).replace(tzinfo=None, microsecond=0)


def _utc(local: datetime, zone: tzinfo) -> datetime:
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def read(trigger: Mapping[str, Any]) -> Trigger:
    """A schedule's trigger. Raises TriggerError with the first thing that is wrong."""
    for problem in problems(trigger):
        raise problem
    zone = _zone(str(trigger.get("time_zone", "UTC")))
    start, end = _moment(trigger, "start_time"), _moment(trigger, "end_time")
    if trigger["type"] == "cron":
        minutes, hours, days = _cron(trigger["expression"])
        # Monday is 1 of cron and 0 here.
        week_days = frozenset((day - 1) % WEEK for day in days)
        return Trigger(zone, start, end, "week", 1, _times(hours, minutes), week_days)
    pattern = trigger.get("schedule") or {}
    return Trigger(
        zone,
        start,
        end,
        frequency=trigger["frequency"],
        interval=trigger["interval"],
        times=_times(_items(pattern.get("hours")), _items(pattern.get("minutes"))),
        week_days=frozenset(WEEKDAYS.index(str(each).lower()) for each in _items(pattern.get("week_days"))),
        month_days=frozenset(_items(pattern.get("month_days"))),
    )


def problems(trigger: Mapping[str, Any]) -> Iterator[TriggerError]:
    """Everything that is wrong with a trigger, but for the name of its time zone, which the SDK knows."""
    kind = trigger.get("type")
    if kind == "cron":
        if isinstance(expression := trigger.get("expression"), str):
            try:
                _cron(expression)
            except ValueError as error:
                yield TriggerError(f"cron '{expression}'{error}", "expression")
        else:
            yield TriggerError('a cron trigger needs an expression: add expression: "0 6 * * mon"', "expression")
    elif kind == "recurrence":
        yield from _recurrence(trigger)
    elif trigger:
        yield TriggerError(f"unknown trigger '{kind}': write type: cron or recurrence", "type")
    yield from _span(trigger)


def _recurrence(trigger: Mapping[str, Any]) -> Iterator[TriggerError]:
    frequency, interval = trigger.get("frequency"), trigger.get("interval")
    if frequency not in FREQUENCIES:
        yield TriggerError(f"unknown frequency '{frequency}': write one of {', '.join(FREQUENCIES)}", "frequency")
    if not isinstance(interval, int) or isinstance(interval, bool) or interval < 1:
        yield TriggerError(f"interval {interval} fires never: give 1 or more", "interval")
    pattern = trigger.get("schedule")
    if not isinstance(pattern, Mapping):
        return
    for field, (low, high) in _BOUNDS.items():
        for value in _items(pattern.get(field)):
            if not isinstance(value, int) or not low <= value <= high:
                yield TriggerError(f"{field} {value} is outside {low}-{high}: correct it", "schedule", field)
    for value in _items(pattern.get("week_days")):
        if str(value).lower() not in WEEKDAYS:
            message = f"unknown weekday '{value}': {closest(str(value).lower(), WEEKDAYS)}"
            yield TriggerError(message, "schedule", "week_days")
    yield from _pattern(frequency, pattern)


def _pattern(frequency: Any, pattern: Mapping[str, Any]) -> Iterator[TriggerError]:
    """Fields that say nothing at this frequency, as far as Azure ML's documents tell."""
    if frequency in _ELAPSED:
        yield TriggerError(f"a schedule within {frequency}s is not documented: remove it, or write day", "schedule")
        return
    if frequency == "day":
        for field in ("week_days", "month_days"):
            if pattern.get(field):
                yield TriggerError(f"{field} says nothing at frequency day: write week or month", "schedule", field)
    if frequency == "week" and pattern.get("month_days"):
        yield TriggerError("month_days says nothing at frequency week: write month", "schedule", "month_days")
    if frequency == "month" and bool(pattern.get("week_days")) == bool(pattern.get("month_days")):
        yield TriggerError("a monthly schedule needs either month_days or week_days: give one of them", "schedule")


def _span(trigger: Mapping[str, Any]) -> Iterator[TriggerError]:
    moments = {}
    for field in ("start_time", "end_time"):
        try:
            moments[field] = _moment(trigger, field)
        except ValueError:
            yield TriggerError(f"{field} '{trigger[field]}' is not a time: write 2026-12-01T06:00:00", field)
    start, end = moments.get("start_time"), moments.get("end_time")
    if start and end and end.replace(tzinfo=None) <= start.replace(tzinfo=None):
        yield TriggerError("the schedule ends before it starts: give a later end_time", "end_time")


def _moment(trigger: Mapping[str, Any], field: str) -> datetime | None:
    value = trigger.get(field)
    return value if value is None or isinstance(value, datetime) else datetime.fromisoformat(str(value))


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    if name not in win_tz:
        raise TriggerError(f"time zone '{name}' has no counterpart on this machine: choose another", "time_zone")
    return ZoneInfo(win_tz[name])


def _times(hours: Any, minutes: Any) -> tuple[time, ...]:
    return tuple(time(hour, minute) for hour in sorted(hours) for minute in sorted(minutes))


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _cron(expression: str) -> tuple[set[int], set[int], set[int]]:
    """Minutes, hours, days of the week of an expression. Raises ValueError whose text follows the expression."""
    fields = expression.split()
    if len(fields) != 5:
        raise ValueError(f" has {len(fields)} fields: write five, minute hour day month weekday")
    minute, hour, day, month, week_day = fields
    for name, text in (("day of month", day), ("month", month)):
        if text != "*":
            raise ValueError(
                f": Azure ML ignores the {name} and would start the job every day: "
                "write type: recurrence, frequency: month, with month_days"
            )
    texts = (minute, hour, week_day)
    try:
        minutes, hours, days = (_numbers(text, *rule) for text, rule in zip(texts, _CRON, strict=True))
    except ValueError as error:
        raise ValueError(f": {error}") from None
    return minutes, hours, days


def _numbers(text: str, name: str, low: int, high: int) -> set[int]:
    """Values of one field. Raises ValueError with the problem."""
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
    word = text.lower()
    if name == "day of week" and (word in _DAYS or word in _FULL):
        return (_DAYS if word in _DAYS else _FULL).index(word)
    if not text.isdigit():
        raise ValueError(f"'{text}' is not a valid {name}: write {low}-{high}{' or sun' if high == 6 else ''}")
    if not low <= int(text) <= high:
        raise ValueError(f"{name} {text} is outside {low}-{high}: correct it")
    return int(text)

"""When a schedule is due: cron and recurrence in UTC and over daylight saving, and what is refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlspec import triggers
from amlspec.triggers import TriggerError
from speccheck.loaders import time_zones

JANUARY = datetime(2027, 1, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
MONTHLY = {"type": "recurrence", "frequency": "month", "interval": 1}
DAILY = {"type": "recurrence", "frequency": "day", "interval": 1}


def due(trigger: dict[str, Any], since: datetime = JANUARY, until: datetime = JANUARY + YEAR) -> list[str]:
    """Moments in UTC, those of schedules that were created in January 2027."""
    return [f"{each:%Y-%m-%d %H:%M}" for each in triggers.read(trigger).due(JANUARY, since, until)]


def cron(expression: str, zone: str = "UTC") -> dict[str, Any]:
    return {"type": "cron", "expression": expression, "time_zone": zone}


@pytest.mark.parametrize(
    ("expression", "first"),
    [
        ("15 16 * * 1", ["2027-01-04 16:15", "2027-01-11 16:15"]),  # the documents' own: Mondays at 16:15
        ("0 0 * * sun", ["2027-01-03 00:00", "2027-01-10 00:00"]),
        ("30 6 * * mon-wed", ["2027-01-04 06:30", "2027-01-05 06:30", "2027-01-06 06:30"]),
        ("*/30 5 * * *", ["2027-01-01 05:00", "2027-01-01 05:30", "2027-01-02 05:00"]),
        ("0 1,13 * * Friday", ["2027-01-01 01:00", "2027-01-01 13:00", "2027-01-08 01:00"]),
    ],
)
def test_cron_counts_by_minute_hour_and_weekday(expression: str, first: list[str]) -> None:
    assert due(cron(expression))[: len(first)] == first


@pytest.mark.parametrize(
    ("trigger", "first"),
    [
        (MONTHLY | {"schedule": {"hours": 5, "minutes": 0, "month_days": 2}}, ["2027-01-02 05:00", "2027-02-02 05:00"]),
        (
            MONTHLY | {"schedule": {"hours": [5, 17], "minutes": 0, "month_days": [31]}},
            ["2027-01-31 05:00", "2027-01-31 17:00", "2027-03-31 05:00"],  # a month without a 31st is left out
        ),
        (
            MONTHLY | {"interval": 3, "schedule": {"hours": 1, "minutes": 30, "month_days": 15}},
            ["2027-01-15 01:30", "2027-04-15 01:30"],
        ),
        (
            {"type": "recurrence", "frequency": "week", "interval": 2, "schedule":
             {"hours": 8, "minutes": 0, "week_days": ["monday", "friday"]}},
            ["2027-01-01 08:00", "2027-01-11 08:00", "2027-01-15 08:00"],
        ),
        (DAILY | {"interval": 2, "start_time": "2027-01-02T07:00:00"}, ["2027-01-02 07:00", "2027-01-04 07:00"]),
        ({"type": "recurrence", "frequency": "hour", "interval": 5}, ["2027-01-01 00:00", "2027-01-01 05:00"]),
        (MONTHLY | {"start_time": "2027-01-31T04:00:00"}, ["2027-01-31 04:00", "2027-03-31 04:00"]),
    ],
)  # fmt: skip
def test_a_recurrence_counts_from_its_start(trigger: dict[str, Any], first: list[str]) -> None:
    assert due(trigger)[: len(first)] == first


def test_a_start_in_the_past_begins_at_its_next_time_and_an_end_ends() -> None:
    trigger = DAILY | {"start_time": "2020-05-01T07:00:00-04:00", "end_time": "2027-01-03T12:00:00"}
    assert due(trigger) == ["2027-01-01 11:00", "2027-01-02 11:00", "2027-01-03 11:00"]


def test_a_time_that_the_clock_skips_is_due_later_and_one_that_comes_twice_is_due_once() -> None:
    """New York puts its clocks forward on 2027-03-14 and back on 2027-11-07, both at two."""
    at = DAILY | {"time_zone": "Eastern Standard Time", "schedule": {"hours": 2, "minutes": 30}}
    spring = due(at, datetime(2027, 3, 13, tzinfo=UTC), datetime(2027, 3, 16, tzinfo=UTC))
    assert spring == ["2027-03-13 07:30", "2027-03-14 07:30", "2027-03-15 06:30"]
    twice = at | {"schedule": {"hours": 1, "minutes": 30}}
    autumn = due(twice, datetime(2027, 11, 6, tzinfo=UTC), datetime(2027, 11, 9, tzinfo=UTC))
    assert autumn == ["2027-11-06 05:30", "2027-11-07 05:30", "2027-11-08 06:30"]


def test_every_time_zone_of_azure_ml_is_known_here_but_two_that_are_gone() -> None:
    unknown = set()
    for zone in time_zones():
        try:
            triggers.read(cron("0 6 * * *", zone))
        except TriggerError:
            unknown.add(zone)
    assert unknown == {"Mid-Atlantic Standard Time", "Kamchatka Standard Time"}


@pytest.mark.parametrize(
    ("trigger", "path", "said"),
    [
        (cron("0 6 1 * *"), ("expression",), "Azure ML ignores the day of month and would start the job every day"),
        (cron("0 6 * jan *"), ("expression",), "Azure ML ignores the month"),
        (cron("0 6 * *"), ("expression",), "has 4 fields"),
        ({"type": "cron"}, ("expression",), "needs an expression"),
        (MONTHLY, (), None),
        (MONTHLY | {"schedule": {"hours": 1, "minutes": 0}}, ("schedule",), "either month_days or week_days"),
        (DAILY | {"schedule": {"hours": 1, "minutes": 0, "month_days": 3}}, ("schedule", "month_days"), "says nothing"),
        (
            {"type": "recurrence", "frequency": "hour", "interval": 1, "schedule": {"hours": 1, "minutes": 0}},
            ("schedule",),
            "is not documented",
        ),
        (DAILY | {"interval": 0}, ("interval",), "fires never"),
        (DAILY | {"start_time": "soon"}, ("start_time",), "is not a time"),
    ],
)
def test_what_would_not_do_what_it_says_is_refused(
    trigger: dict[str, Any], path: tuple[str, ...], said: str | None
) -> None:
    if said is None:
        triggers.read(trigger)
        return
    with pytest.raises(TriggerError, match=said) as caught:
        triggers.read(trigger)
    assert caught.value.path == path


ZONES = st.sampled_from(["UTC", "Eastern Standard Time", "Central European Standard Time", "Tokyo Standard Time"])


@given(
    zone=ZONES,
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    days=st.sets(st.integers(0, 6), min_size=1),
    cut=st.integers(0, 364 * 24 * 60),
)
def test_moments_rise_and_a_cut_in_two_gives_the_same(
    zone: str, hour: int, minute: int, days: set[int], cut: int
) -> None:
    trigger = triggers.read(cron(f"{minute} {hour} * * {','.join(map(str, sorted(days)))}", zone))
    whole = list(trigger.due(JANUARY, JANUARY, JANUARY + YEAR))
    assert whole == sorted(set(whole))
    at = JANUARY + timedelta(minutes=cut)
    first = list(trigger.due(JANUARY, JANUARY, at))
    assert whole == [*first, *trigger.due(JANUARY, at + timedelta(seconds=1), JANUARY + YEAR)]
    local = {each.astimezone(trigger.zone) for each in whole}
    assert {(each.weekday() + 1) % 7 for each in local} == days
    assert len(whole) >= 51 * len(days)

"""How often stores report: what the contract declares, what the rows show, and until when they cover the calendar.

The SQL runs unchanged in DuckDB and in Snowflake (`sales.pushdown`).
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

# Runs a query and gives its rows.
Ask = Callable[[str], Sequence[Sequence[Any]]]
# Whether a store reports weekly shows in half a year; Parquet's statistics skip what lies before.
WINDOW, MIN_SPAN = timedelta(weeks=26), timedelta(weeks=8)
# A weekday with sales in at least this share of the weeks is one on which there usually are any.
USUAL_SHARE = 0.5
CONSEQUENCES = {
    "daily": "the month in which they end counts as complete before its last day was sold",
    "weekly": "each row counts wholly in the month of its date, so that a month holds four weeks or five",
    "monthly": "the last month counts as incomplete and is not learned from, unless its row has the month's last day",
}
# 1900-01-01 was a Monday: Monday is 0.
_WEEKDAY = "mod(datediff('day', cast('1900-01-01' as date), SaleDay), 7)"


def _since(relation: str, first: date) -> str:
    return (
        f"select StoreID, cast(SaleDate as date) as SaleDay from {relation} where SaleDate >= cast('{first}' as date)"
    )


def observed(ask: Ask, relation: str, latest: date) -> dict[str, int]:
    """daily, weekly or monthly -> how many stores report so before `latest`; stores with too few dates are left out.

    A store whose dates all fall on one weekday reports weekly; on the first, the last, or one same day of the months,
    monthly.
    """
    query = f"""
        select Kind, count(*) as Stores from (
            select
                case
                    when datediff('day', min(SaleDay), max(SaleDay)) < {MIN_SPAN.days} then null
                    when min(case when SaleDay = last_day(SaleDay) then 1 else 0 end) = 1 then 'monthly'
                    when min(extract(day from SaleDay)) = max(extract(day from SaleDay)) then 'monthly'
                    when min({_WEEKDAY}) = max({_WEEKDAY}) then 'weekly'
                    else 'daily'
                end as Kind
            from ({_since(relation, latest - WINDOW)}) as days
            group by StoreID
        ) as kinds
        where Kind is not null
        group by Kind"""
    return {str(kind): int(stores) for kind, stores in ask(query)}


def mismatches(declared: str, stores: dict[str, int]) -> list[str]:
    """One line for each frequency that stores have and the contract does not declare."""
    known = sum(stores.values())
    return [
        f"{count} of {known} stores report {kind}, the contract declares {declared}: {CONSEQUENCES[kind]}; "
        f"declare `frequency: {kind}` in the contract, or correct the rows"
        for kind, count in sorted(stores.items())
        if kind != declared
    ]


def uncovered_from(frequency: str, last: date) -> date:
    """The first day that rows until `last` do not cover: a week's row has the first day of its week."""
    return next_month(last) if frequency == "monthly" else last + timedelta(days=7 if frequency == "weekly" else 1)


def is_over(ask: Ask, relation: str, last: date) -> bool:
    """Whether no more sales of the month of `last` are to be expected, by the weekdays on which there usually are any.

    So a month is whole whose last day is a Sunday, where shops are shut, and one whose last Friday is in weekly sales.
    False where less than MIN_SPAN before `last` is known.
    """
    weekdays = ask(
        f"select {_WEEKDAY} as Weekday, count(distinct SaleDay) as Days, min(SaleDay) as FirstDay "
        f"from ({_since(relation, last - WINDOW)}) as days group by {_WEEKDAY}"
    )
    span = last - min(first for _, _, first in weekdays)
    if span < MIN_SPAN:
        return False
    usual = {int(weekday) for weekday, days, _ in weekdays if days >= USUAL_SHARE * span.days / 7}
    ahead = ((last + timedelta(days=number)) for number in range(1, (next_month(last) - last).days))
    return bool(usual) and not any(day.weekday() in usual for day in ahead)


def next_month(day: date) -> date:
    """First day of the month after the one of `day`."""
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)

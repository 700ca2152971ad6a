"""Planted events: what each does to the sales, in which imports it is, and which alarm has to see it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from demand.months import month_of
from monitoring.words import WORDS
from replay.events import Event, first_day, planted, with_events

FIRST = month_of("2026-01") or 0
Ask = Callable[..., Any]


@pytest.fixture
def sales(tmp_path: Path) -> str:
    """A line a day of forty stores in two countries, from December 2025 to June 2026."""
    file = tmp_path / "sales.parquet"
    query = """
        select row_number() over () as SaleID, day::timestamp as SaleDate, 'S' || store as StoreID,
               case when store % 2 = 0 then 'Mexico' else 'U.S.' end as Country, 'City' as City,
               10.0 as Price, 5.0 as Quantity
        from range(date '2025-12-01', date '2026-07-01', interval 1 day) days(day), range(40) stores(store)
    """
    duckdb.sql(f"copy ({query}) to '{file}' (format parquet)")
    return f"select * from read_parquet('{file}')"


def ask(sales: str, events: list[Event], known_until: str, wanted: str) -> Any:
    query = with_events(sales, events, month_of(known_until) or 0)
    return duckdb.sql(f"select {wanted} from ({query})").fetchall()[0]


def event(name: str, month: str) -> Event:
    """One of the planted ones, moved to a month."""
    known = next(each for each in planted(FIRST, 12) if each.name == name)
    return Event(known.name, month_of(month) or 0, known.lasts, known.signals, known.change)


IN_MONTH = "count(*) filter (where SaleDate >= date '2026-03-01')"


def test_an_import_holds_the_sales_until_the_end_of_its_month(sales: str) -> None:
    assert ask(sales, [], "2026-02", "max(SaleDate)::date::varchar") == ("2026-02-28",)


@pytest.mark.parametrize(
    ("name", "wanted", "with_it", "without"),
    [
        ("price shock", "max(Price)", (14.0,), (10.0,)),
        ("changed unit", "max(Quantity)", (60.0,), (5.0,)),
        ("late data", IN_MONTH, (0,), (40 * 31,)),
    ],
)
def test_an_event_changes_its_month_alone(
    sales: str, name: str, wanted: str, with_it: tuple[Any, ...], without: tuple[Any, ...]
) -> None:
    planned = [event(name, "2026-03")]
    assert ask(sales, planned, "2026-03", wanted) == with_it
    assert ask(sales, [], "2026-03", wanted) == without
    assert ask(sales, planned, "2026-02", "max(Price), max(Quantity)") == (10.0, 5.0)


def test_a_closed_region_sells_nothing_from_then_on(sales: str) -> None:
    wanted = "count(*) filter (where Country = 'Mexico' and SaleDate >= date '2026-03-01')"
    assert ask(sales, [event("closed region", "2026-03")], "2026-05", wanted) == (0,)
    assert ask(sales, [], "2026-03", wanted) == (20 * 31,)


def test_a_new_country_brings_stores_whose_ids_are_as_those_before(sales: str) -> None:
    wanted = "count(distinct StoreID) filter (where Country = 'Brazil'), count(*) - count(distinct SaleID)"
    stores, twice = ask(sales, [event("new country", "2026-03")], "2026-03", wanted)
    assert stores >= 2 and twice == 0
    assert ask(sales, [event("new country", "2026-03")], "2026-03", "count(try_cast(SaleID as bigint)) - count(*)") == (
        0,
    )


def test_a_broken_feed_breaks_three_rows_in_ten_of_its_month(sales: str) -> None:
    wanted = (
        "avg((Price < 0)::int) filter (where SaleDate >= date '2026-03-01'), "
        "min(Price) filter (where SaleDate < date '2026-03-01')"
    )
    share, before = ask(sales, [event("broken feed", "2026-03")], "2026-03", wanted)
    assert 0.2 < share < 0.4 and before == 10.0


def test_what_does_not_last_is_mended_by_the_next_import(sales: str) -> None:
    for each in planted(FIRST, 12):
        assert each.is_in(each.month) and not each.is_in(each.month - 1)
        assert each.is_in(each.month + 1) is each.lasts


def test_every_event_names_alarms_that_there_are() -> None:
    names = {name for each in planted(FIRST, 12) for name in each.signals}
    assert names <= {*WORDS, "failed"}


def test_a_short_replay_has_the_events_that_an_import_of_it_still_sees() -> None:
    assert [each.name for each in planted(FIRST, 3)] == ["broken feed"]
    assert str(first_day(FIRST)) == "2026-01-01"

"""Events that are planted into sales at known months, so that it can be said which of them the monitor saw.

An event happens in a month of sales. What lasts is in every import after it; what does not is in the first import of
that month alone, as where a source sends the month anew once it was told.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from demand.months import month_name

# SQL of the sales -> SQL of the sales with the event; the date is the first day of its month.
Change = Callable[[str, date], str]


@dataclass(frozen=True)
class Event:
    """One event.

    Attributes:
        name: in words.
        month: index of the month of sales in which it happens (`demand.months`).
        lasts: whether later imports have it, too.
        signals: one of these has to be an alarm.
        change: what it does.
    """

    name: str
    month: int
    lasts: bool
    signals: frozenset[str]
    change: Change

    def is_in(self, known_until: int) -> bool:
        """Whether an import whose last month that is has the event."""
        return self.month <= known_until if self.lasts else self.month == known_until

    @property
    def label(self) -> str:
        """`price shock in 2026-08`."""
        return f"{self.name} in {month_name(self.month)}"


def _setting(column: str, value: str, where: str = "true") -> Change:
    """A column has another value from the first day on, in the rows that `where` chooses."""

    def change(sales: str, first: date) -> str:
        now = f"case when SaleDate >= DATE '{first}' and {where} then {value} else {column} end"
        return f"select * replace ({now} as {column}) from ({sales})"

    return change


def _late_data(sales: str, first: date) -> str:
    return f"select * from ({sales}) where SaleDate < DATE '{first}'"


def _new_country(sales: str, first: date) -> str:
    # Every sixth store has a twin in a country that was never seen.
    opened = f"SaleDate >= DATE '{first}' and hash(StoreID) % 6 = 0"
    # Numbers stay numbers: the id's type is that of the whole column.
    number = "case when try_cast(SaleID as bigint) is null then 'N' || SaleID else '9' || SaleID end as SaleID"
    twin = f"{number}, 'N' || StoreID as StoreID, 'Brazil' as Country, 'Sao Paulo' as City"
    known = f"select * replace (SaleID::varchar as SaleID) from ({sales})"
    return f"{known} union all by name select * replace ({twin}) from ({sales}) where {opened}"


def _closed_region(sales: str, first: date) -> str:
    return f"select * from ({sales}) where not (SaleDate >= DATE '{first}' and Country = 'Mexico')"


# Months after the first that is forecast; between the first four there are quiet ones.
_PLANTED: tuple[tuple[int, str, bool, frozenset[str], Change], ...] = (
    (1, "broken feed", False, frozenset({"quarantined", "failed"}), _setting("Price", "-1", "hash(SaleID) % 10 < 3")),
    (3, "late data", False, frozenset({"months_missing"}), _late_data),
    (5, "changed unit", False, frozenset({"sales_level"}), _setting("Quantity", "Quantity * 12")),
    (7, "new country", True, frozenset({"stores_new", "country_mix"}), _new_country),
    (9, "price shock", True, frozenset({"price_level", "price_shift"}), _setting("Price", "Price * 1.4")),
    (10, "closed region", True, frozenset({"stores_silent"}), _closed_region),
)


def planted(first: int, months: int) -> tuple[Event, ...]:
    """The events of a replay whose first forecast is of month `first`; those that an import of it still sees."""
    return tuple(Event(name, first + at, *more) for at, name, *more in _PLANTED if at < months - 1)  # type: ignore[arg-type]


def with_events(sales: str, events: Sequence[Event], known_until: int) -> str:
    """SQL of the sales as an import sees them whose last month is `known_until`."""
    known = f"select * from ({sales}) where SaleDate < DATE '{first_day(known_until + 1)}'"
    for event in events:
        if event.is_in(known_until):
            known = event.change(known, first_day(event.month))
    return known


def first_day(month: int) -> date:
    """The first day of a month by its index."""
    return date(month // 12, month % 12 + 1, 1)

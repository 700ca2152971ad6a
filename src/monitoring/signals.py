"""A signal: one figure a month, its limit, and since when it is above it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

OK, BREACHED, UNKNOWN = "ok", "breached", "unknown"
# What a breached signal calls for: a new model, somebody who looks at the import, or a look at the endpoint.
RETRAIN, LOOK = "retrain", "look"


@dataclass(frozen=True)
class Signal:
    """One row of the monitor.

    Attributes:
        name: as its limit in ml/monitor.yml, without `max_`.
        scope: "all", or a country.
        limit: above it the signal is breached.
        calls_for: RETRAIN or LOOK.
        months: YYYY-MM of the values, oldest first.
        values: a figure for each month; None where it cannot be told.
    """

    name: str
    scope: str
    limit: float
    calls_for: str
    months: Sequence[str]
    values: Sequence[float | None] = field(default_factory=tuple)

    @property
    def value(self) -> float | None:
        """The newest one."""
        return self.values[-1] if self.values else None

    @property
    def state(self) -> str:
        """OK, BREACHED or UNKNOWN."""
        return UNKNOWN if self.value is None else BREACHED if self.value > self.limit else OK

    @property
    def since(self) -> str | None:
        """The first month of those without a break, up to now, in which it is breached; None where it is not."""
        first = None
        for month, value in zip(reversed(self.months), reversed(self.values), strict=True):
            if value is None or value <= self.limit:
                break
            first = month
        return first

    def as_json(self) -> dict[str, Any]:
        """For signals.json."""
        return {**asdict(self), "value": self.value, "state": self.state, "since": self.since}


def breached(signals: Sequence[Signal]) -> list[Signal]:
    """Those that are alarms, the one that lasts longest first."""
    return sorted((each for each in signals if each.state == BREACHED), key=lambda each: str(each.since))


def of_json(kept: Mapping[str, Any]) -> Signal:
    """What `as_json` made."""
    names = ("name", "scope", "limit", "calls_for", "months", "values")
    return Signal(**{name: kept[name] for name in names})

"""A replay summed up: errors through the time, models, alarms, as a table of text and of Markdown."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from demand.health import NAIVE
from demand.months import month_name, month_of
from forecasting import baselines
from forecasting.features import TARGET, SalesHistory
from replay.events import Event
from replay.play import Played
from results.sets import of_file

HEAD = ("month", "forecast", "train once", "naive", "model", "rollout", "alarms", "planted")
KEYS = ["StoreID", "MonthYear"]


@dataclass(frozen=True)
class Errors:
    """WAPEs one month ahead, on the rows that all three forecast; None where there are none."""

    own: float | None
    once: float | None
    naive: float | None

    def cells(self) -> tuple[str, str, str]:
        """In percent."""
        return tuple("-" if each is None else f"{100 * each:.1f} %" for each in (self.own, self.once, self.naive))  # type: ignore[return-value]


@dataclass(frozen=True)
class Alarm:
    """One alarm of one month, and the event that explains it, if any was planted."""

    month: str
    signal: str
    scope: str
    since: str
    event: str | None


@dataclass(frozen=True)
class Summary:
    """What a replay amounts to."""

    played: tuple[Played, ...]
    events: tuple[Event, ...]
    errors: dict[str, Errors]
    alarms: tuple[Alarm, ...]

    @property
    def seen(self) -> dict[str, bool]:
        """Of each planted event, whether the first import after it raised one of its alarms."""
        return {each.label: self._is_seen(each) for each in self.events}

    def _is_seen(self, event: Event) -> bool:
        month = month_name(event.month + 1)
        return any(each.month == month and each.signal in event.signals for each in self.alarms)

    @property
    def unexplained(self) -> list[Alarm]:
        """Alarms in months of which no planted event is the reason: false ones, where events were planted."""
        return [each for each in self.alarms if each.event is None]

    def rows(self) -> Iterator[tuple[str, ...]]:
        """A line a month, and the whole."""
        planted = {month_name(each.month + 1): each.name for each in self.events}
        before = ""
        for each in self.played:
            model = (
                f"version {each.version}" + (", new" if each.version != before else "") if each.version else "none yet"
            )
            names = sorted({alarm[0] if alarm[0] != "failed" else f"{alarm[1]} failed" for alarm in each.alarms})
            cells = self.errors[each.month].cells()
            yield each.month, *cells, model, each.rollout, ", ".join(names), planted.get(each.month, "")
            before = each.version
        live = sum(each.rollout == "live" for each in self.played)
        back = sum(each.rollout == "taken back" for each in self.played)
        models = len({each.version for each in self.played} - {""})
        trained = f"{sum(each.trained for each in self.played)} trained, {models} promoted"
        seen = f"{sum(self.seen.values())} of {len(self.events)} seen" if self.events else ""
        alarms = f"{len({(each.signal, each.scope, each.since) for each in self.alarms})} alarms"
        if self.events:
            alarms += f", {len(self.unexplained)} without a reason"
        yield "all", *self.errors["all"].cells(), trained, f"{live} live, {back} taken back", alarms, seen

    def text(self) -> str:
        """For a terminal."""
        table = [HEAD, *self.rows()]
        widths = [max(len(row[at]) for row in table) for at in range(len(HEAD))]
        lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table)
        return "".join(f"{line.rstrip()}\n" for line in lines)

    def markdown(self) -> str:
        """For docs/monitoring.md."""
        table = [HEAD, ("---",) * len(HEAD), *self.rows()]
        return "".join(f"| {' | '.join(row)} |\n" for row in table)

    def as_json(self) -> dict[str, Any]:
        """For a program."""
        shown = [dict(zip(HEAD, row, strict=True)) for row in self.rows()]
        return {"months": shown[:-1], "all": shown[-1], "seen": self.seen}


def summary(played: Sequence[Played], events: Sequence[Event], truth: Path) -> Summary:
    """Compare what was forecast with the sales as they were in the end.

    Args:
        played: the months, in order.
        events: those that were planted.
        truth: Parquet of all sales, with the events that last.
    """
    table = _sold(of_file(truth).rows, [each.month for each in played])
    for name, files in (("Own", [each.forecast for each in played]), ("Once", [each.once for each in played])):
        made = [_forecasts(each.month, file, name) for each, file in zip(played, files, strict=True)]
        table = table.merge(pd.concat(made, ignore_index=True), on=KEYS, how="left")
    # Before the gate lets a model in, the naive forecast is what one has.
    has_model = table["MonthYear"].isin([each.month for each in played if each.version])
    for name in ("Own", "Once"):
        table[name] = table[name].where(has_model, table["Naive"])
    table = table.dropna(subset=["Actual", "Own", "Once", "Naive"])
    errors = {each.month: _errors(table[table["MonthYear"] == each.month]) for each in played}
    errors["all"] = _errors(table)
    return Summary(tuple(played), tuple(events), errors, tuple(_alarms(played, events)))


def _sold(rows: pd.DataFrame, months: Sequence[str]) -> pd.DataFrame:
    """Sales of these months, and the seasonal naive forecast of each."""
    recent = rows[rows["MonthYear"].isin(months)].reset_index(drop=True)
    naive = baselines.forecast(NAIVE, recent, SalesHistory.of(rows))
    sold = recent[TARGET].astype(float)
    return pd.DataFrame({"StoreID": recent["StoreID"].astype(str), "MonthYear": recent["MonthYear"], "Actual": sold,
                         "Naive": naive})  # fmt: skip


def _forecasts(month: str, file: str | None, name: str) -> pd.DataFrame:
    """Forecasts of the month itself, as the column `name`."""
    if file is None or not Path(file).is_file():
        return pd.DataFrame({"StoreID": [], "MonthYear": [], name: []}).astype({name: float})
    table = pd.read_parquet(file, columns=[*KEYS, "TotalSales"])
    of_month = table[table["MonthYear"] == month].rename(columns={"TotalSales": name})
    return of_month.assign(StoreID=of_month["StoreID"].astype(str))


def _errors(rows: pd.DataFrame) -> Errors:
    sold = float(np.abs(rows["Actual"]).sum())
    missed = [float((rows["Actual"] - rows[name]).abs().sum()) for name in ("Own", "Once", "Naive")]
    own, once, naive = (each / sold if sold > 0 else None for each in missed)
    return Errors(own, once, naive)


def _alarms(played: Sequence[Played], events: Sequence[Event]) -> Iterator[Alarm]:
    for each in played:
        known_until = (month_of(each.month) or 0) - 1
        reasons = [event.label for event in events if event.is_in(known_until)]
        for signal, scope, since in each.alarms:
            yield Alarm(each.month, signal, scope, since, reasons[-1] if reasons else None)

"""An estimate as lines for a terminal, and the difference of two as one line for a review."""

from collections.abc import Iterator, Mapping

from estimate.cost import Cost, Estimate
from estimate.settings import Settings, Size


def lines(
    title: str, estimated: Estimate, settings: Settings, size: Size, machine: str, count: int, runs: Mapping[str, int]
) -> Iterator[str]:
    """The table; `runs` says for each node how many runs of this machine its seconds rest on."""
    yield f"{title}: {size.rows:,} rows, {size.series_months:,} series-months, {count} x {machine}"
    yield f"  {'step':18} {'min:s':>8} {'USD':>8} {'kg CO2':>9}  from"
    for name, cost in estimated.nodes.items():
        if cost is None:
            yield f"  {name:18} {'unknown':>8} {'unknown':>8} {'unknown':>9}  no timing of it: run it once"
        else:
            number = runs.get(name, 0)
            source = f"{number} run{'s' * (number != 1)} here" if number else f"{settings.measured}, scaled"
            yield f"  {name:18} {_cells(cost)}  {source}"
    waiting = settings.waiting
    started = f"with a node's start ({waiting.start_seconds:.0f} s), and idle"
    yield f"  {'submit to end':18} {_cells(estimated.whole)}  {started}"
    if estimated.unknown:
        yield f"  What {', '.join(estimated.unknown)} would add is not in the sum."
    speed = settings.machine(machine).speed
    yield f"  Prices are assumptions of {settings.prices_of}; a core of {machine} counts as {speed:g} of one here."


def _cells(cost: Cost) -> str:
    minutes, seconds = divmod(round(cost.seconds), 60)
    return f"{f'{minutes}:{seconds:02d}':>8} {cost.dollars:8.4f} {cost.kg_co2:9.6f}"


def difference(before: tuple[float, float], after: tuple[float, float]) -> str | None:
    """`+0.42 USD a month, 38 s longer a training run` of (dollars a month, seconds of a run); None for neither."""
    dollars, seconds = after[0] - before[0], after[1] - before[1]
    parts = []
    if abs(dollars) >= 0.005:
        parts.append(f"{dollars:+.2f} USD a month")
    if abs(seconds) >= 0.5:
        parts.append(f"{abs(seconds):.0f} s {'longer' if seconds > 0 else 'shorter'} a training run")
    return ", ".join(parts) or None

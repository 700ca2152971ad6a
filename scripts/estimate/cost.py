"""The cost of a pipeline's run: each node on a machine of its own, as many side by side as there are nodes."""

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from estimate import pipelines
from estimate.settings import Node, Read, Settings, Size

SCHEDULES = "ml/schedules"


@dataclass(frozen=True)
class Cost:
    """Of one node or run: seconds of work, US dollars, kg CO2."""

    seconds: float
    dollars: float
    kg_co2: float


@dataclass(frozen=True)
class Estimate:
    """A run: each node's cost, None where nothing is known of its component; from submit to end, and all together."""

    nodes: Mapping[str, Cost | None]
    whole: Cost
    unknown: tuple[str, ...]


def estimate(settings: Settings, nodes: Sequence[Node], size: Size, machine: str, count: int) -> Estimate:
    """Of one run on `count` machines.

    A node of the compute costs from its start to the end of its idle time; the work counts once, that waiting once for
    each machine that the run needs.
    """
    price = settings.machine(machine)
    seconds = {node.name: _seconds(settings, node, size, price.speed) for node in nodes}
    known = {name: each for name, each in seconds.items() if each is not None}
    end, used = schedule(nodes, known, count)
    waiting = settings.waiting
    dollars = {name: each * price.per_hour / 3600 for name, each in known.items()}
    beside = used * (waiting.start_seconds + waiting.idle_seconds) * price.per_hour / 3600
    # A step works on one core most of the time.
    carbon = {name: settings.energy.kg(each) for name, each in known.items()}
    costs = {name: None if name not in known else Cost(known[name], dollars[name], carbon[name]) for name in seconds}
    whole = Cost(waiting.start_seconds + end, sum(dollars.values()) + beside, sum(carbon.values()))
    return Estimate(costs, whole, tuple(name for name in seconds if name not in known))


def _seconds(settings: Settings, node: Node, size: Size, speed: float) -> float | None:
    name = settings.name_of(node)
    return settings.components[name].seconds(size, node.inputs) / speed if name else None


def schedule(nodes: Sequence[Node], seconds: Mapping[str, float], count: int) -> tuple[float, int]:
    """(when the last node ends, most machines at work at once): each node begins as soon as it may, in their order."""
    ends: dict[str, float] = {}
    machines = [0.0] * count
    waiting = list(nodes)
    spans: list[tuple[float, float]] = []
    while waiting:
        ready = [node for node in waiting if node.after & {each.name for each in nodes} <= ends.keys()] or waiting
        node = min(ready, key=lambda each: max((ends.get(name, 0.0) for name in each.after), default=0.0))
        at = min(range(count), key=lambda place: machines[place])
        begin = max(machines[at], *(ends.get(name, 0.0) for name in node.after), 0.0)
        ends[node.name] = machines[at] = begin + seconds.get(node.name, 0.0)
        spans.append((begin, ends[node.name]))
        waiting.remove(node)
    most = max((sum(1 for other in spans if other[0] <= begin < other[1]) for begin, _ in spans), default=0)
    return max(ends.values(), default=0.0), max(1, most)


def dollars_a_month(settings: Settings, read: Read, schedules: Iterable[str]) -> float:
    """What the runs of the schedules (paths) cost at the usual size."""
    total = 0.0
    for path in schedules:
        if planned := pipelines.runs_a_month(read(path) or ""):
            name, runs = planned
            pipeline = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
            total += runs * of_a_run(settings, read, pipeline).dollars
    return total


def of_a_run(settings: Settings, read: Read, pipeline: str) -> Cost:
    """One run of a pipeline's file at the usual size."""
    usual = settings.usual
    size = Size(usual.rows, usual.series_months)
    return estimate(settings, pipelines.nodes(read, pipeline), size, usual.machine, usual.nodes).whole

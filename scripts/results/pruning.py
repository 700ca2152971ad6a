"""Leaving one set out: would the inputs that the other sets do not need be missed on this one?

An input that makes the error larger on every set is noise. One that does so on two of three may be what the third lives
on; this measures that, so that an input goes only where no set wants it back.
"""

from collections.abc import Callable, Mapping
from math import log
from typing import NamedTuple

from results import ablations
from results.ablations import Wapes
from results.sets import SalesSet

Errors = Mapping[tuple[str, str], Mapping[str, Wapes]]


class Pruned(NamedTuple):
    """One set: the groups that the others do not need, its errors with all and without those."""

    groups: tuple[str, ...]
    with_all: Wapes
    without: Wapes


def left_out(errors: Errors, sets: Mapping[str, SalesSet], say: Callable[..., Wapes]) -> dict[str, Pruned]:
    """What leaving each set out of the choice of inputs gives on it.

    Args:
        errors: (change, candidate) -> set -> errors, as the ablations have them.
        sets: the sets by name.
        say: calls a measurement and says how long it took: what, function, argument.
    """
    made = {}
    for name, sales in sets.items():
        groups = not_needed(errors, [other for other in sets if other != name])
        with_all = errors["as it is", "booster"][name]
        measure = ablations.of_booster_without(*groups)
        without = say(f"booster without {len(groups)} inputs, {name}", measure, sales) if groups else with_all
        made[name] = Pruned(groups, with_all, without)
    return made


def not_needed(errors: Errors, sets: list[str]) -> tuple[str, ...]:
    """Groups without which the error is smaller on every one of these sets (geometric mean of its three figures)."""
    return tuple(
        group
        for group in ablations.inputs()
        if sets and all(_change(errors, ablations.without(group), name) < 0 for name in sets)
    )


def _change(errors: Errors, change: str, name: str) -> float:
    before, after = errors["as it is", "booster"][name], errors[change, "booster"][name]
    return sum(log(new / old) for new, old in zip(after, before, strict=True))

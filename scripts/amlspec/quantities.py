"""Kubernetes quantities: `500m`, `1`, `2Gi`."""

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

_UNITS = {
    **{"": Fraction(1), "m": Fraction(1, 1000), "k": Fraction(10**3), "M": Fraction(10**6), "G": Fraction(10**9)},
    **{"T": Fraction(10**12), "Ki": Fraction(2**10), "Mi": Fraction(2**20), "Gi": Fraction(2**30)},
    "Ti": Fraction(2**40),
}
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)([A-Za-z]*)")
RESOURCES = ("cpu", "memory", "nvidia.com/gpu")


def parse_quantity(value: object) -> Fraction | None:
    """Cores or bytes; None where it is not a quantity."""
    match = _QUANTITY.fullmatch(str(value)) if isinstance(value, (str, int, float)) else None
    if match is None or isinstance(value, bool) or match.group(2) not in _UNITS:
        return None
    return Fraction(match.group(1)) * _UNITS[match.group(2)]


def resource_problems(resources: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """(key path, problem) of a block with requests and limits: quotes, units, requests above limits."""
    for side in ("requests", "limits"):
        block = resources.get(side)
        for name, value in block.items() if isinstance(block, dict) else ():
            if problem := _value_problem(str(name), value):
                yield (side, str(name)), problem
    requests, limits = (resources.get(side) or {} for side in ("requests", "limits"))
    for name, value in requests.items():
        low, high = parse_quantity(value), parse_quantity(limits.get(name))
        if low is not None and high is not None and low > high:
            yield ("requests", str(name)), f"request {name} {value} is above the limit {limits[name]}: lower it"


def _value_problem(name: str, value: object) -> str | None:
    if name not in RESOURCES:
        return f"unknown resource '{name}': use cpu, memory or nvidia.com/gpu"
    if value is None or parse_quantity(value) is None:
        return f"{name} '{value}' is not a quantity: write {'500m or 1' if name == 'cpu' else '512Mi or 2Gi'}"
    if not isinstance(value, str):
        return f'{name} {value} is not a string: write "{value}"'
    if name == "memory" and (parse_quantity(value) or 0) < 2**20:
        return f"memory {value} is less than one MiB: write a unit, such as {value.rstrip('mk')}Mi"
    return None

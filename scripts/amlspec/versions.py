"""The one order of versions: as people count them, 10 above 9, 1.10 above 1.9, and 1.0-rc1 before the 1.0 it leads to.

"latest" is another question: azure-ai-ml asks the service for the version that was created last (`_get_latest` in its
_utils/_asset_utils.py), whatever its name. Where versions have a time of creation, `@latest` takes that; this order is
for what has none, such as the specs of two commits, and for lists that people read.
"""

import re

# What is called so comes before the version that it leads to: 1.0-rc1 before 1.0.
_BEFORE = frozenset({"alpha", "beta", "dev", "pre", "preview", "rc", "snapshot"})
_END = (1, 0, "")


def order(version: str) -> tuple[tuple[int, int, str], ...]:
    """Key that sorts versions; numbers count as numbers, a longer version is above its own beginning."""
    parts = re.findall(r"\d+|[^\d.\-_+]+", version)
    return (*(_rank(part) for part in parts), _END)


def _rank(part: str) -> tuple[int, int, str]:
    if part.isdigit():
        return (3, int(part), "")
    return (0 if part.lower() in _BEFORE else 2, 0, part)


def is_higher(new: str, old: str) -> bool:
    """Whether `new` is above `old`."""
    return order(new) > order(old)


def highest(versions: list[str]) -> str:
    """The highest of at least one."""
    return max(versions, key=order)


def following(version: str) -> str:
    """The version after: the last number, plus one."""
    match = re.search(r"\d+(?=\D*$)", version)
    if match is None:
        return f"{version}.1" if version else "1"
    number = str(int(match.group()) + 1).zfill(len(match.group()))
    return version[: match.start()] + number + version[match.end() :]

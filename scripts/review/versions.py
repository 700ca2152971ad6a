"""Versions as people count them: 10 is above 9, and 1.10 above 1.9."""

import re


def order(version: str) -> tuple[tuple[int, int, str], ...]:
    """Key that sorts versions; numbers count as numbers, a longer version is above its own beginning."""
    parts = re.findall(r"\d+|[^\d.\-_]+", version)
    return tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts)


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

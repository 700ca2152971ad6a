"""Durations of ISO 8601, as Resource Manager writes them."""

import re

from workspace.messages import bad_request

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


def seconds(text: str) -> float:
    """Seconds of a duration such as PT2H or P1DT30M. Raises ServiceError for another text."""
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise bad_request(f"{text!r} is not a duration such as PT2H.")
    days, hours, minutes, rest = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


def text(duration: float) -> str:
    """The duration of a number of seconds."""
    whole = int(duration)
    return f"PT{whole}S" if whole == duration else f"PT{duration}S"

"""Words that several findings share."""

import difflib
from collections.abc import Iterable


def article(noun: object) -> str:
    """`an integer`, `a string`."""
    text = str(noun)
    return f"{'an' if text.startswith(('a', 'e', 'i', 'o', 'ml')) else 'a'} {text}"


def listed(names: Iterable[str]) -> str:
    """`a, b, c`, or `none`."""
    return ", ".join(sorted(names)) or "none"


def closest(name: str, names: Iterable[str]) -> str:
    """`did you mean 'inputs'?` where one name is near, else what there is."""
    known = sorted(names)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else f"there is: {listed(known)}"

"""Store ids that differ only in case or blanks: nearly always one store, written in two ways."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

MAX_SHOWN = 5


def normal(store: str) -> str:
    """What two spellings of one id have in common."""
    return " ".join(store.split()).casefold()


def similar(store: str, known: Iterable[str]) -> str | None:
    """The known id that differs from `store` only in case or blanks."""
    wanted = normal(store)
    return next((each for each in known if normal(each) == wanted and each != store), None)


def did_you_mean(store: str, known: Iterable[str]) -> str:
    """The id in quotation marks, since blanks do not show, with the known one that it resembles."""
    meant = similar(store, known)
    return f'"{store}" (did you mean "{meant}"?)' if meant else f'"{store}"'


def spelled_twice(months: Mapping[str, int]) -> list[str]:
    """One line for each store that has several spellings, given the months of sales of each."""
    spellings = defaultdict(list)
    for store in sorted(months, key=lambda each: (-months[each], each)):
        spellings[normal(store)].append(store)
    return [
        f'StoreID: {_listed(others)} differ from "{main}" only in case or blanks and count as stores of '
        f'their own: did you mean "{main}"? Correct them at the source'
        for main, *others in spellings.values()
        if others
    ]


def _listed(stores: list[str]) -> str:
    shown = ", ".join(f'"{store}"' for store in stores[:MAX_SHOWN])
    return shown if len(stores) <= MAX_SHOWN else f"{shown} and {len(stores) - MAX_SHOWN} more"

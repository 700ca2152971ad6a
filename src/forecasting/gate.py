"""Which candidate is the best, and whether it may be registered.

Candidates are ranked by one figure: WAPE one month ahead over all held-out store-months, Weather unknown. The best is
promoted only if it is strictly better there than every naive baseline and than the champion. A candidate that could
not know what it forecasts from, or that has seen the held-out months, is never promoted, however good it looks. One
that forecasts exactly what the champion does is the champion, and there is nothing to promote.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forecasting.features import KNOWN_BEFORE

ALLOWED = KNOWN_BEFORE | {"Weather"}


@dataclass(frozen=True)
class Entrant:
    """A candidate as the gate sees it.

    `forecasts` (units, all that were made of held-out months), `wape` one month ahead (None if undefined),
    `trained_until` as YYYY-MM, `leaks` names features that change with the sales that they are to forecast.
    """

    name: str
    wape: float | None
    features: Sequence[str]
    trained_until: str | None
    forecasts: npt.NDArray[np.float64]
    leaks: Sequence[str] = ()


@dataclass(frozen=True)
class Rival:
    """The champion as the gate sees it; `label` is what reasons call it, the rest as in `Entrant`.

    `refitted`: not the model itself was scored, but its recipe, fitted again on the months before the hold-out.
    """

    label: str
    wape: float | None
    forecasts: npt.NDArray[np.float64] | None = None
    refitted: bool = False


@dataclass(frozen=True)
class Decision:
    """The best candidate, whether it is promoted, and why (or why not)."""

    selected: str
    promoted: bool
    reasons: tuple[str, ...]


def refusals(entrant: Entrant, holdout_from: str, holdout_rows: int) -> list[str]:
    """Why an entrant cannot be promoted at all, whatever its figures."""
    reasons = []
    if not holdout_rows:
        reasons.append("the hold-out is empty, so nothing is known about it")
    if not entrant.features:
        reasons.append("does not state its features")
    unknown = sorted(set(entrant.features) - ALLOWED)
    if unknown:
        reasons.append(f"uses {', '.join(unknown)}, which is not known before the month begins")
    if entrant.leaks:
        reasons.append(f"saw the target: {', '.join(entrant.leaks)} depends on the sales to be forecast")
    if not entrant.trained_until:
        reasons.append("does not state until which month it was trained")
    elif entrant.trained_until >= holdout_from:
        reasons.append(f"saw the hold-out: trained until {entrant.trained_until}, held out from {holdout_from}")
    bad = int((~np.isfinite(entrant.forecasts)).sum())
    if bad:
        reasons.append(f"{bad} forecasts are not finite numbers")
    if entrant.wape is None or not math.isfinite(entrant.wape):
        reasons.append("has no WAPE")
    return reasons


def decide(
    entrants: Sequence[Entrant],
    baselines: Mapping[str, float | None],
    champion: Rival | None,
    holdout_from: str,
    holdout_rows: int,
) -> Decision:
    """Select the best entrant and say whether it is promoted.

    Args:
        entrants: at least one.
        baselines: name -> WAPE one month ahead, on the same rows; None if undefined.
        champion: on the same rows, or None if there is none.
        holdout_from: first held-out month, YYYY-MM.
        holdout_rows: how many store-months are held out.
    """
    refused = {entrant.name: refusals(entrant, holdout_from, holdout_rows) for entrant in entrants}
    reasons = [f"{name} refused: {fault}" for name, faults in refused.items() for fault in faults]
    fit = [entrant for entrant in entrants if not refused[entrant.name]]
    if not fit:
        return Decision(min(entrants, key=_rank).name, False, tuple(reasons))
    best = min(fit, key=_rank)
    compared = [_compare(best, name, rival) for name, rival in baselines.items()]
    if champion:
        compared.append(_compare_champion(best, champion))
    if not compared:
        compared = [(False, f"{best.name} was compared with no baseline")]
    lost = [text for won, text in compared if not won]
    return Decision(best.name, not lost, tuple(reasons + (lost or [text for _, text in compared])))


def _rank(entrant: Entrant) -> float:
    return entrant.wape if entrant.wape is not None and math.isfinite(entrant.wape) else math.inf


def _compare_champion(best: Entrant, champion: Rival) -> tuple[bool, str]:
    if champion.forecasts is not None and np.array_equal(best.forecasts, champion.forecasts):
        what = "the recipe of" if champion.refitted else "the same model as"
        return False, f"{best.name} is {what} {champion.label}, which is registered already: every forecast is the same"
    return _compare(best, champion.label, champion.wape)


def _compare(best: Entrant, name: str, rival: float | None) -> tuple[bool, str]:
    """Whether `best` wins against a rival, and the sentence that says so; an undefined rival is never beaten."""
    if rival is None or not math.isfinite(rival):
        return False, f"{name} has no WAPE to compare {best.name} with"
    own = _rank(best)
    won = own < rival
    left, right = _apart(own, rival)
    return won, f"{best.name} {'beats' if won else 'does not beat'} {name}: WAPE {left} against {right}"


def _apart(left: float, right: float) -> tuple[str, str]:
    """Two figures with as many digits as it takes to tell one from the other."""
    for digits in range(4, 17):
        shown = f"{left:.{digits}f}", f"{right:.{digits}f}"
        if shown[0] != shown[1] or left == right:
            return shown
    return repr(left), repr(right)

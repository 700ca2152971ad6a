"""Which candidate is the best, and whether it may be registered.

Candidates are ranked by one figure: back-test WAPE one month ahead, without a plan. The best is promoted only if its
errors are significantly less than those of every naive baseline and of the champion (`forecasting.significance`), and
if no segment is worse than the champion by more than a limit. A candidate that could not know what it forecasts from is
never promoted, however good it looks. Where the best does not beat the champion, the champion's own
recipe, fitted on newer months, may take its place (`refresh`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from forecasting.features import KNOWN_BEFORE
from forecasting.significance import p_value
from forecasting.thresholds import Gate

ALLOWED = KNOWN_BEFORE | {"Weather", "MonthYear"}
FloatArray = npt.NDArray[np.float64]
# A candidate that is worse than the best one with a p below this had no chance to be the best.
OUT_OF_REACH = 0.01


@dataclass(frozen=True)
class Entrant:
    """A candidate as the gate sees it.

    Attributes:
        name: what the verdict calls it.
        wape: back-test WAPE one month ahead; None if undefined.
        errors: sum of the absolute errors by judged month, in units, shape (months,), oldest first.
        features: names of its inputs.
        forecasts: all that were made of judged months, in units.
        saw: judged months that a model had learned from before it forecast them.
        leaks: features that change with the sales that they are to forecast.
        recipe: how it is learned, as JSON; equal for equal recipes.
    """

    name: str
    wape: float | None
    errors: FloatArray
    features: Sequence[str] = ("StoreID",)
    forecasts: FloatArray = field(default_factory=lambda: np.ones(1))
    saw: Sequence[str] = ()
    leaks: Sequence[str] = ()
    recipe: str = ""


@dataclass(frozen=True)
class Rival:
    """A baseline, or the champion, on the same rows; `label` is what reasons call it.

    `recipe` and `age_months` (latest months of these sales that it has not seen) are the champion's alone. `segments`
    maps a segment to {name of a candidate: its WAPE over the champion's, less 1}.
    """

    label: str
    wape: float | None
    errors: FloatArray
    recipe: str = ""
    age_months: int = 0
    segments: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """The best candidate, whether it is promoted, why (or why not), and the p against each rival."""

    selected: str
    promoted: bool
    reasons: tuple[str, ...]
    p_values: Mapping[str, float | None] = field(default_factory=dict)


def refusals(entrant: Entrant, rows: int) -> list[str]:
    """Why an entrant cannot be promoted at all, whatever its figures; `rows` is how many were judged."""
    refused = []
    if not rows:
        refused.append("the hold-out is empty, so nothing is known about it")
    if not entrant.features:
        refused.append("does not tell its features")
    unknown = sorted(set(entrant.features) - ALLOWED)
    if unknown:
        refused.append(f"uses {', '.join(unknown)}, which is not known before the month begins")
    if entrant.leaks:
        refused.append(f"saw the target: {', '.join(entrant.leaks)} depends on the sales to be forecast")
    if entrant.saw:
        refused.append(f"saw the hold-out: learned from {', '.join(entrant.saw)} before it forecast them")
    bad = int((~np.isfinite(entrant.forecasts)).sum())
    if bad:
        refused.append(f"{bad} forecasts are not finite numbers")
    if entrant.wape is None or not math.isfinite(entrant.wape):
        refused.append("has no WAPE")
    return refused


def decide(
    entrants: Sequence[Entrant], baselines: Sequence[Rival], champion: Rival | None, rows: int, gate: Gate | None = None
) -> Decision:
    """Select the best entrant and say whether it is promoted.

    Args:
        entrants: at least one.
        baselines: on the same rows.
        champion: on the same rows, or None if there is none.
        rows: how many store-months were judged one month ahead.
        gate: thresholds.
    """
    gate = gate or Gate()
    refused = {entrant.name: refusals(entrant, rows) for entrant in entrants}
    reasons = [f"{name} refused: {why}" for name, whys in refused.items() for why in whys]
    fit = [entrant for entrant in entrants if not refused[entrant.name]]
    if not fit:
        return Decision(min(entrants, key=_rank).name, False, tuple(reasons))
    best = min(fit, key=_rank)
    odds = _Odds(gate.alpha, [each.errors for each in _contenders(best, fit)])
    p_values = {rival.label: odds.of(rival.errors, best.errors) for rival in _rivals(baselines, champion)}
    too_few = _too_few(best, baselines, gate)
    lost = too_few or [
        *(text for rival in baselines for won, text in [_compare(best, rival, odds)] if not won),
        *(_against_champion(best, champion, gate, odds) if champion else []),
    ]
    if not lost:
        won = [_compare(best, rival, odds)[1] for rival in _rivals(baselines, champion)]
        return Decision(best.name, True, tuple(reasons + won), p_values)
    fresh = _refresh(fit, baselines, champion, gate) if champion and not too_few else None
    if fresh:
        return Decision(fresh[0], True, (*reasons, *lost, fresh[1]), p_values)
    return Decision(best.name, False, tuple(reasons + lost), p_values)


@dataclass(frozen=True)
class _Odds:
    """When a difference counts: `alpha`, for the best of the contenders with these `errors` by month."""

    alpha: float
    errors: Sequence[FloatArray]

    def of(self, rival: FloatArray, own: FloatArray) -> float | None:
        """p that the best of the contenders errs this much less than a rival that is as good as they are.

        The best of several is the luckiest of them too: its p is that of as many independent tries as they are worth.
        """
        p = p_value(rival, own)
        return None if p is None else 1 - (1 - p) ** independent([rival - each for each in self.errors])


def independent(gains: Sequence[FloatArray]) -> float:
    """How many independent tries correlated ones are worth, 1 to their number.

    Nyholt's (2004) measure, 1 + (n - 1)(1 - mean squared correlation); the squares are adjusted for few months, which
    make any two series look alike.
    """
    varying = [each for each in gains if float(np.std(each)) > 0]
    if len(varying) < 2:
        return 1.0
    count, months = len(varying), len(varying[0])
    squares = np.asarray(np.corrcoef(np.stack(varying)))[~np.eye(count, dtype=bool)] ** 2
    alike = max(0.0, 1 - (1 - float(squares.mean())) * (months - 1) / (months - 2))
    return 1 + (count - 1) * (1 - alike)


def _contenders(best: Entrant, fit: Sequence[Entrant]) -> list[Entrant]:
    """The best, and those that luck alone might have put in its place; the others do not count as tries."""
    behind = ((each, p_value(each.errors, best.errors)) for each in fit if each is not best)
    return [best, *(each for each, p in behind if p is None or p >= OUT_OF_REACH)]


def _rivals(baselines: Sequence[Rival], champion: Rival | None) -> list[Rival]:
    return [*baselines, *([champion] if champion else [])]


def _rank(entrant: Entrant) -> float:
    return entrant.wape if entrant.wape is not None and math.isfinite(entrant.wape) else math.inf


def _too_few(best: Entrant, baselines: Sequence[Rival], gate: Gate) -> list[str]:
    if not baselines:
        return [f"{best.name} was compared with no baseline"]
    if len(best.errors) < gate.min_months:
        return [
            f"{len(best.errors)} judged month(s) are too few to tell {best.name} from chance: it takes "
            f"{gate.min_months}; import more months, or raise holdout_months"
        ]
    return []


def _against_champion(best: Entrant, champion: Rival, gate: Gate, odds: _Odds) -> list[str]:
    """Why the best may not take the champion's place."""
    if champion.recipe and best.recipe == champion.recipe:
        return [f"{best.name} is the recipe of {champion.label}, which is registered already"]
    won, text = _compare(best, champion, odds)
    lost = [] if won else [text]
    for segment, rises in champion.segments.items():
        rise = rises.get(best.name, 0.0)
        if rise > gate.max_segment_rise:
            limit = f"{gate.max_segment_rise:.0%} is the limit"
            lost.append(f"{best.name} is worse than {champion.label} for {segment}: WAPE {rise:.1%} higher, {limit}")
    return lost


def _compare(best: Entrant, rival: Rival, odds: _Odds) -> tuple[bool, str]:
    """Whether `best` wins against a rival, and the sentence that says so; an undefined rival is never beaten."""
    if rival.wape is None or not math.isfinite(rival.wape):
        return False, f"{rival.label} has no WAPE to compare {best.name} with"
    p = odds.of(rival.errors, best.errors)
    own, other = _apart(_rank(best), rival.wape)
    figures = f"WAPE {own} against {other}"
    if p is None:
        return False, f"{best.name} cannot be told from {rival.label}: {figures}, too few months"
    if _rank(best) >= rival.wape:
        return False, f"{best.name} does not beat {rival.label}: {figures}"
    if p >= odds.alpha:
        return False, (
            f"{best.name} does not beat {rival.label} for certain: {figures}, {_shown(p)}, it must be below "
            f"{odds.alpha:g}"
        )
    return True, f"{best.name} beats {rival.label}: {figures}, {_shown(p)}"


def _shown(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3g}"


def _refresh(fit: Sequence[Entrant], baselines: Sequence[Rival], champion: Rival, gate: Gate) -> tuple[str, str] | None:
    """(name, reason) of the champion's recipe on newer months, where the champion is old and the recipe still good."""
    if not gate.refresh_months or champion.age_months <= gate.refresh_months:
        return None
    same = next((each for each in fit if champion.recipe and each.recipe == champion.recipe), None)
    if same is None or any(_is_worse(same, rival, gate) for rival in _rivals(baselines, champion)):
        return None
    return same.name, (
        f"{same.name} is the recipe of {champion.label}, fitted on {champion.age_months} months that it has not seen, "
        f"and not worse: refreshed, since more than {gate.refresh_months} months are"
    )


def _is_worse(entrant: Entrant, rival: Rival, gate: Gate) -> bool:
    """Whether an entrant is significantly worse than a rival."""
    p = p_value(entrant.errors, rival.errors)
    return p is not None and p < gate.alpha


def _apart(left: float, right: float) -> tuple[str, str]:
    """Two WAPEs in percent, with as many digits as it takes to tell one from the other."""
    for digits in range(1, 14):
        shown = f"{left:.{digits}%}", f"{right:.{digits}%}"
        if shown[0] != shown[1] or left == right:
            return shown
    return repr(left), repr(right)

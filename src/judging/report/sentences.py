"""Sentences and figures of report and card: percentages with one decimal, and odds instead of p."""

import math
from collections.abc import Mapping

from forecasting.verdict import Figures, Verdict

DASH = "-"
# Changes of a forecast below this are not worth a word.
HARDLY = 0.0005
ONE_IN_A_MILLION = 1e-6
RARE = 0.1


def percent(value: float | None) -> str:
    """0.0312 as 3.1%."""
    return DASH if value is None or not math.isfinite(value) else f"{value:z.1%}"


def signed(value: float | None) -> str:
    """-0.0312 as -3.1%, 0.02 as +2.0%."""
    return DASH if value is None or not math.isfinite(value) else f"{value:+z.1%}".replace("+0.0%", "0.0%")


def units(value: float | None) -> str:
    """Units without decimals from 100 on, with one below."""
    if value is None or not math.isfinite(value):
        return DASH
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.1f}"


def odds(p: float) -> str:
    """How often chance alone does what was seen: 0.0125 as 1 of 80, 0.34 as 34 of 100."""
    if p < ONE_IN_A_MILLION:
        return "less than 1 of 1,000,000"
    return f"1 of {round(1 / p):,}" if p < RARE else f"{round(100 * p)} of 100"


def headline(verdict: Verdict) -> list[str]:
    """The verdict as sentences: what was decided, how good the selected candidate is, and the odds of mere luck."""
    chosen = verdict.candidates[verdict.selected]
    outcome = "is promoted" if verdict.promoted else "is not promoted"
    return [f"{verdict.selected} {outcome}.", *_error(verdict, chosen), *_luck(verdict)]


def _error(verdict: Verdict, chosen: Figures) -> list[str]:
    rivals = {name: each.one_step.wape for name, each in verdict.baselines.items()}
    known = {name: wape for name, wape in rivals.items() if wape is not None}
    if chosen.one_step.wape is None:
        return ["Its error is unknown."]
    text = f"One month ahead it is off by {percent(chosen.one_step.wape)} of what is sold"
    if not known:
        return [f"{text}."]
    best = min(known, key=lambda name: known[name])
    return [f"{text}; the best naive forecast, {best}, by {percent(known[best])}."]


def _luck(verdict: Verdict) -> list[str]:
    """The least certain of the comparisons."""
    if not verdict.p_values:
        return []
    if any(p is None for p in verdict.p_values.values()):
        return ["There are too few months to tell its lead from luck."]
    tested = {name: p for name, p in verdict.p_values.items() if p is not None}
    rival = max(tested, key=lambda name: tested[name])
    return [f"Were it no better than {rival}, {odds(tested[rival])} back-tests would show such a lead all the same."]


def effects(verdict: Verdict) -> list[str]:
    """What promotion and price do to the forecast, each alone, in words."""
    return [f"{_EFFECTS[name]} {_moves(change)}." for name, change in verdict.effects.items() if name in _EFFECTS]


_EFFECTS: Mapping[str, str] = {
    "promotion": "A promotion, where there was none,",
    "price_up_10_percent": "A price that is 10% higher",
}


def _moves(change: float) -> str:
    if abs(change) < HARDLY:
        return "does not move the forecast"
    return f"{'raises' if change > 0 else 'lowers'} the forecast by {percent(abs(change))}"

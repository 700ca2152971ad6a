"""report.html: the run's verdict for planners and engineers; its charts are drawn by uPlot from the data inside it."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demand import health
from forecasting.verdict import Figures, Verdict
from judging.report import sentences
from judging.report.series import SalesSeries, Series
from pages import page as pages

FOLDER = Path(__file__).parent
# Of the 1 MB that a page may weigh, what is left beside code and tables.
MAX_DATA_BYTES = 700_000


# Figure, how it is called, whether it is a share of sales.
SPREAD = (
    ("bias", "bias", True),
    ("mase", "MASE", False),
    ("rmsse", "RMSSE", False),
    ("rmsse_intermittent", "RMSSE of intermittent series", False),
    ("pinball_p10", "pinball loss of P10", True),
    ("pinball_p90", "of P90", True),
)


@dataclass(frozen=True)
class Line:
    """One model of the comparison; figures are text, places are percentages of the scale."""

    kind: str
    name: str
    wape: str
    far: str
    planned: str
    bias: str
    mase: str
    rmsse: str
    coverage: str
    is_selected: bool
    at: float | None
    low: float | None
    high: float | None


def render(verdict: Verdict, sales: SalesSeries) -> str:
    """The page: verdict and odds, comparison, sales and forecasts of any store, where it errs, the data, what changed.

    Args:
        verdict: what the run decided.
        sales: of the selected candidate.
    """
    lines, scale = comparison(verdict)
    shown = _within(sales.stores, MAX_DATA_BYTES)
    data = {"months": sales.months, "series": [_data(each) for each in (*sales.totals, *shown)]}
    return pages.render(
        FOLDER,
        "page.html.jinja",
        verdict=verdict,
        headline=sentences.headline(verdict),
        lines=lines,
        spread=spread(verdict),
        is_intermittent=any(line.rmsse != sentences.DASH for line in lines),
        scale=scale,
        sales=sales,
        stores=sorted(shown, key=lambda store: store.name),
        segments=segments(verdict),
        rivals=_rivals(verdict),
        importance=_importance(verdict.importance),
        effects=sentences.effects(verdict),
        live=_live(verdict),
        sentences=sentences,
        listed=_listed,
        data=pages.embedded(data),
    )


def _data(series: Series) -> dict[str, Any]:
    """A series as the script reads it; forecasts only from the first forecast month on."""
    first = next((place for place, value in enumerate(series.forecast) if math.isfinite(value)), len(series.forecast))
    named = {"actual": series.actual, "forecast": series.forecast[first:], "low": series.low[first:]}
    named["high"] = series.high[first:]
    return {"name": series.name, "first": first, **{key: _numbers(values) for key, values in named.items()}}


def _numbers(values: Iterable[float]) -> list[float | None]:
    return [None if not math.isfinite(value) else _short(value) for value in map(float, values)]


def _short(value: float) -> float:
    return round(value) if abs(value) >= 100 else round(value, 1)


def _within(stores: tuple[Series, ...], limit: int) -> tuple[Series, ...]:
    """The first of the stores, as many as the page has room for."""
    taken = 0
    for count, store in enumerate(stores):
        taken += len(json.dumps(_data(store))) + 120  # its entry in the list of choices
        if taken > limit:
            return stores[:count]
    return stores


def comparison(verdict: Verdict) -> tuple[list[Line], str]:
    """(a line for each model, the WAPE at the right end of the scale as text)."""
    named = [("candidate", name, each) for name, each in verdict.candidates.items()]
    if verdict.champion:
        label = f"version {verdict.champion.version}" if verdict.champion.version else "champion"
        named.append(("champion", label, verdict.champion))
    named += [("baseline", name, each) for name, each in verdict.baselines.items()]
    known = [value for _, _, each in named for value in _span(each) if value is not None]
    end = max(known, default=0.0) or 1.0
    return [_line(kind, name, each, end, verdict.selected) for kind, name, each in named], sentences.percent(end)


def _span(figures: Figures) -> tuple[float | None, float | None, float | None]:
    """WAPE one month ahead, and the ends of its interval over months."""
    further = figures.further
    ends = (further.wape_low, further.wape_high) if further else (None, None)
    return figures.one_step.wape, *ends


def _line(kind: str, name: str, figures: Figures, end: float, selected: str) -> Line:
    wape, low, high = (None if value is None else 100 * value / end for value in _span(figures))
    further = figures.further
    return Line(
        kind,
        name,
        sentences.percent(figures.one_step.wape),
        sentences.percent(figures.multi_step.wape),
        sentences.percent(figures.one_step_with_plan.wape if figures.one_step_with_plan else None),
        sentences.signed(further.bias if further else None),
        _scaled(further.mase if further else None),
        _scaled(further.rmsse_intermittent if further else None),
        sentences.percent(figures.coverage_p10_p90),
        kind == "candidate" and name == selected,
        wape,
        low,
        high,
    )


def spread(verdict: Verdict) -> str:
    """Further figures of the selected candidate with their intervals over months; empty where a verdict has none."""
    chosen = verdict.candidates.get(verdict.selected)
    further = chosen.further if chosen else None
    parts = []
    for name, words, is_share in SPREAD:
        value, ends = getattr(further, name, None), (further.ranges.get(name) if further else None)
        if value is not None and ends:
            texts = [sentences.signed(each) if is_share else f"{each:.2f}" for each in (value, *ends)]
            parts.append(f"{words} {texts[0]} ({texts[1]} to {texts[2]})")
    return f"{verdict.selected}, one month ahead, with the range over months: {', '.join(parts)}." if parts else ""


def _scaled(value: float | None) -> str:
    return sentences.DASH if value is None else f"{value:.2f}"


def _rivals(verdict: Verdict) -> list[str]:
    """Columns of the tables by segment: the selected candidate, the champion, the baselines."""
    return [verdict.selected, *(["champion"] if verdict.champion else []), *verdict.baselines]


def segments(verdict: Verdict) -> list[tuple[str, list[str]]]:
    """(segment, WAPE of each of `_rivals`); countries where a verdict has no segments."""
    source = verdict.by_segment or verdict.by_country
    return [
        (name, [sentences.percent(_wape_of(models, rival)) for rival in _rivals(verdict)])
        for name, models in source.items()
    ]


def _wape_of(models: Mapping[str, Any], name: str) -> float | None:
    value = ((models.get(name) or {}).get("one_step") or {}).get("wape")
    return float(value) if isinstance(value, int | float) else None


def _importance(rises: Mapping[str, float]) -> list[tuple[str, str, float]]:
    """(feature, rise of the WAPE as text, percentage of the greatest); those that do nothing are left out."""
    top = max(rises.values(), default=0.0)
    return [(name, sentences.percent(rise), 100 * rise / top) for name, rise in rises.items() if rise >= 0.0005]


def _live(verdict: Verdict) -> str | None:
    live = verdict.live or {}
    return health.sentence(str(live.get("name")), str(live.get("version")), live)


def _listed(what: str, names: tuple[str, ...], limit: int = 10) -> str:
    """`what: a, b and 3 more.`"""
    more = f" and {len(names) - limit:,} more" if len(names) > limit else ""
    return f"{what}: {', '.join(names[:limit]) + more if names else 'none'}."

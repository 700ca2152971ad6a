"""The page of results, from what was measured; its words stand in results.md.jinja."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

import jinja2

from forecasting.baselines import NAMES
from forecasting.verdict import Figures
from results.ablations import Wapes
from results.measure import CANDIDATES, Result, best_naive
from results.pruning import Pruned

Of = Callable[[Figures], float | None]
# Heading of the page's table -> the figures in it, as fractions.
KINDS: Mapping[str, tuple[Of, Of]] = {
    "plain": (lambda each: each.one_step.wape, lambda each: each.multi_step.wape),
    "planned": (lambda each: _wape(each.one_step_with_plan), lambda each: _wape(each.multi_step_with_plan)),
    "coverage": (lambda each: each.coverage_p10_p90, lambda each: each.multi_step_coverage_p10_p90),
}
TITLES = {"seasonal_naive": "seasonal naive", "last_month": "last month", "mean_12_months": "mean of 12 months"}
# Seeds whose figures differ by less than this, in percent, are shown as one.
ALIKE = 0.15


def render(
    results: Mapping[str, Sequence[Result]],
    sizes: Mapping[str, str],
    ablations: Mapping[tuple[str, str], Mapping[str, Wapes]],
    left_out: Mapping[str, Pruned],
    seeds: Sequence[int],
    today: date,
) -> str:
    """The page as Markdown.

    Args:
        results: set -> its results, one a seed.
        sizes: set -> how large it is, in words.
        ablations: (change, candidate) -> set -> errors.
        left_out: set -> the booster without the inputs that the other sets do not need.
        seeds: of the learners and of the generated sales.
        today: the day of the measurement.
    """
    folder = jinja2.FileSystemLoader(Path(__file__).parent)
    # Markdown of our own, from figures and from names of files that the caller gave.
    template = jinja2.Environment(loader=folder, undefined=jinja2.StrictUndefined, autoescape=False).get_template(  # noqa: S701
        "results.md.jinja"
    )
    return template.render(
        today=today.isoformat(),
        seeds=", ".join(map(str, seeds)),
        sets={name: sizes[name] for name in results},
        plain=_table(results, "plain", [*CANDIDATES, *NAMES]),
        planned=_table(results, "planned", [name for name in CANDIDATES if name != "profile"]),
        coverage=_table(results, "coverage", CANDIDATES),
        ratios=_ratios(results),
        gate={name: _gate(each) for name, each in results.items()},
        ablations=_ablations(ablations, list(results)),
        left_out=[
            [name, ", ".join(each.groups) or "none", _three(each.with_all), _three(each.without)]
            for name, each in left_out.items()
        ],
    )


def _table(results: Mapping[str, Sequence[Result]], kind: str, names: Sequence[str]) -> list[list[str]]:
    near, far = KINDS[kind]
    lines = []
    for name in names:
        of_sets = [[one.figures[name] for one in each] for each in results.values()]
        cells = [f"{_spread(list(map(near, each)))} / {_spread(list(map(far, each)))}" for each in of_sets]
        lines.append([TITLES.get(name, name), *cells])
    return lines


def _spread(values: Sequence[float | None]) -> str:
    """The median in percent, and the range where the seeds differ."""
    known = [100 * value for value in values if value is not None]
    if not known:
        return "-"
    text = f"{statistics.median(known):.1f}"
    return text if max(known) - min(known) < ALIKE else f"{text} ({min(known):.1f} to {max(known):.1f})"


def _ratios(results: Mapping[str, Sequence[Result]]) -> list[list[str]]:
    """WAPE over the best naive's, and the geometric mean over the sets."""
    lines = []
    for name in CANDIDATES:
        pairs = [[_ratio(one, name) for one in each] for each in results.values()]
        of_sets = [tuple(statistics.median(pair[at] for pair in each) for at in (0, 1)) for each in pairs]
        means = [statistics.geometric_mean(pair[at] for pair in of_sets) for at in (0, 1)]
        lines.append([name, *(f"{near:.2f} / {far:.2f}" for near, far in of_sets), f"{means[0]:.2f} / {means[1]:.2f}"])
    return lines


def _ratio(result: Result, name: str) -> tuple[float, float]:
    near, far = best_naive(result.figures)
    own = result.figures[name]
    return (own.one_step.wape or 0.0) / near, (own.multi_step.wape or 0.0) / far


def _gate(results: Sequence[Result]) -> str:
    """What the gate decides, seed by seed."""
    said = []
    for result in results:
        odds = max((p for p in result.p_values.values() if p is not None), default=None)
        p = "too few months" if odds is None else "p < 0.001" if odds < 0.001 else f"p {odds:.3f}"
        said.append(f"{result.promoted or 'nothing'} ({p})")
    return said[0] if len(set(said)) == 1 else "; ".join(said)


def _ablations(rows: Mapping[tuple[str, str], Mapping[str, Wapes]], sets: Sequence[str]) -> list[list[str]]:
    return [
        [candidate, change, *(_three(errors[name]) for name in sets)] for (change, candidate), errors in rows.items()
    ]


def _three(errors: Wapes) -> str:
    return " / ".join(f"{100 * value:.1f}" for value in errors)


def _wape(errors: object) -> float | None:
    return getattr(errors, "wape", None)

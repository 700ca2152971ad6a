"""report.html: the verdict for people, in one file that needs nothing beside it."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd

from demand import health
from forecasting.features import TARGET
from forecasting.verdict import HEAD, Verdict, shown

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;margin:1rem 0}td,th{padding:.25rem .7rem;border-bottom:1px solid #ddd}"
    "td{text-align:right}td:first-child,th{text-align:left}.yes{color:#176f2c}.no{color:#a32020}"
    "svg{width:100%;height:auto}text{font-size:11px;fill:#555}"
)
COLORS = {"actual": "#222", "one month ahead": "#1b6ec2", "six months ahead": "#d9730d"}
WIDTH, HEIGHT, LEFT, BOTTOM = 900, 300, 70, 30


def render(verdict: Verdict, sales: pd.DataFrame, forecasts: pd.DataFrame) -> str:
    """The page: decision, figures, chart of all stores' sales and forecasts by month, by country, importance."""
    chosen = forecasts[forecasts["Model"] == verdict.selected]
    state = ("yes", "promoted") if verdict.promoted else ("no", "not promoted")
    parts = [
        f"<h1>Demand forecast: <span class={state[0]}>{escape(verdict.selected)} {state[1]}</span></h1>",
        "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in [*verdict.reasons, *_remarks(verdict)]) + "</ul>",
        _warnings(verdict.warnings),
        "<p>WAPE is sum |actual - forecast| / sum |actual| over the judged store-months: each month is forecast by a "
        "model that was learned from the months before it. Weather, Promotion and Holiday of a month to come are "
        "unknown and its price is the last one, but for the column with plan, where they are as recorded.</p>",
        _figures(verdict),
        f"<h2>Sales of all stores and forecasts of {escape(verdict.selected)}</h2>",
        _chart(sales, chosen),
        "<h2>WAPE by country, one month ahead</h2>",
        _countries(verdict.by_country),
        "<h2>Permutation importance</h2><p>How much the WAPE of the selected candidate rises when a feature is "
        "shuffled over the judged rows.</p>",
        _table(["Feature", "WAPE rise"], [[k, _number(v)] for k, v in verdict.importance.items()]),
        f"<p>Rows: {_counts(verdict.rows)}.</p>",
    ]
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Demand forecast</title><style>{STYLE}</style>'
    return head + "\n".join(parts) + "</html>\n"


def _remarks(verdict: Verdict) -> list[str]:
    """What a reader must know of the comparison, and of the model that is live."""
    live = verdict.live or {}
    said = health.sentence(str(live.get("name")), str(live.get("version")), live)
    return [*verdict.notes, *([said] if said else [])]


def _warnings(warnings: Sequence[Mapping[str, str]]) -> str:
    items = "".join(f"<li>{escape(one['step'])}: {escape(one['message'])}</li>" for one in warnings)
    return f"<h2>Warnings</h2><ul>{items}</ul>" if items else ""


def _counts(rows: Mapping[str, int | None]) -> str:
    named = {"read": "read", "quarantined": "quarantined", "train": "to train", "holdout": "held out"}
    return ", ".join(f"{rows.get(key) or 0:,} {name}" for key, name in named.items())


def _number(value: float | None, digits: int = 4) -> str:
    return "-" if value is None else f"{value:z,.{digits}f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"


def _figures(verdict: Verdict) -> str:
    rows = [[row.name, *row.cells, row.coverage] for row in verdict.table()]
    return _table(["", *HEAD, "P10-P90 coverage"], rows)


def _countries(countries: Mapping[str, Any]) -> str:
    names = list(next(iter(countries.values()), {}))
    rows = [
        [country, *(shown("wape", of[name]["one_step"]["wape"]) for name in names)] for country, of in countries.items()
    ]
    return _table(["Country", *names], rows)


def _chart(sales: pd.DataFrame, chosen: pd.DataFrame) -> str:
    """An SVG line chart of monthly totals in units."""
    actual = sales.groupby("MonthYear")[TARGET].sum().tail(36)
    ahead = {horizon: chosen[chosen["Horizon"] == horizon].groupby("MonthYear")["Forecast"].sum() for horizon in (1, 6)}
    lines = {"actual": actual, "one month ahead": ahead[1], "six months ahead": ahead[6]}
    top = max([float(line.max()) for line in lines.values() if len(line)] + [1.0]) * 1.05
    months = list(actual.index)
    step = (WIDTH - LEFT - 10) / max(1, len(months) - 1)

    def point(month: str, value: float) -> str:
        return f"{LEFT + months.index(month) * step:.1f},{(HEIGHT - BOTTOM) * (1 - max(0.0, value) / top):.1f}"

    drawn = [
        f'<polyline fill="none" stroke="{COLORS[name]}" stroke-width="2" '
        f'points="{" ".join(point(str(month), float(value)) for month, value in line.items() if month in months)}"/>'
        f'<text x="{LEFT + 10 + 150 * place}" y="12" style="fill:{COLORS[name]}">{name}</text>'
        for place, (name, line) in enumerate(lines.items())
    ]
    labels = [
        f'<text x="{LEFT + place * step:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{month}</text>'
        for place, month in enumerate(months)
        if place % max(1, len(months) // 8) == 0
    ]
    marks = [
        f'<text x="{LEFT - 8}" y="{(HEIGHT - BOTTOM) * (1 - share) + 4:.0f}" text-anchor="end">'
        f"{top * share:,.0f}</text>"
        for share in (0.0, 0.25, 0.5, 0.75)
    ]
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(drawn + labels + marks)}</svg>'

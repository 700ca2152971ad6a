"""The difference of two forecasts as Markdown, for a person who reviews the change."""

from collections.abc import Iterator

from forecastdiff.difference import Difference

TITLE = "## What it does to the forecast"
SHOWN = 10
# Half of the last digit that is shown of a change in points.
NOTHING = 0.0005


def unchanged(digest: str) -> str:
    """Of a change that cannot reach a forecast."""
    return (
        f"{TITLE}\n\nno forecast changes: specs, code, packages and settings that decide it are the same on both sides "
        f"(recipe `{digest}`).\n"
    )


def of(made: Difference) -> str:
    """Of a change that was trained and forecast."""
    if made.is_none:
        same = "no forecast changes: both sides were trained on the same sales, and every forecast is the same."
        return "\n".join([TITLE, "", same, *_headline(made), ""])
    return "\n".join([TITLE, "", *_headline(made), "", *_totals(made), "", *_movers(made), *_stock(made)])


def _headline(made: Difference) -> Iterator[str]:
    before, after = made.selected
    yield f"- Selected: {before}." if before == after else f"- Selected: {before} -> {after}."
    if made.promoted[0] != made.promoted[1]:
        words = ["refuses", "promotes"]
        yield f"- The gate {words[made.promoted[1]]} it; without the change it {words[made.promoted[0]]}."
    yield f"- WAPE one month ahead {made.wape[0]:.1%} -> {made.wape[1]:.1%}{_interval(made)}."
    if made.months[0] != made.months[1]:
        yield f"- Months ahead: {made.months[0]} -> {made.months[1]}."
    if made.series[0] != made.series[1]:
        yield f"- Series forecast: {made.series[0]:,} -> {made.series[1]:,}."
    yield f"- {_width(made)}"


def _interval(made: Difference) -> str:
    if made.wape_change is None:
        return ""
    low, high = made.wape_change
    if max(abs(low), abs(high)) < NOTHING:
        return ""
    meaning = "better" if high < 0 else "worse" if low > 0 else "within what months differ by"
    return f" ({low * 100:+.1f} to {high * 100:+.1f} points, 80 % interval over months: {meaning})"


def _width(made: Difference) -> str:
    before, after = made.width
    if abs(after - before) < 0.0005:
        return f"Intervals (P10 to P90) keep their width, {after:.1%} of the forecast."
    word = "wider" if after > before else "narrower"
    return f"Intervals (P10 to P90) get {word}: {before:.1%} -> {after:.1%} of the forecast."


def _totals(made: Difference) -> Iterator[str]:
    yield "| units, all months | before | after | change |"
    yield "|---|---:|---:|---:|"
    for name, (before, after) in made.totals.items():
        yield f"| {name} | {before:,.0f} | {after:,.0f} | {_percent(before, after)} |"


def _movers(made: Difference) -> Iterator[str]:
    if not made.movers:
        return
    shown = len(made.movers)
    yield f"{made.changed_series:,} of {max(made.series):,} series change; the {shown} that change most:"
    yield ""
    yield "| series | before | after | change | why |"
    yield "|---|---:|---:|---:|---|"
    for each in made.movers:
        change = _percent(each.before, each.after)
        yield f"| {each.series} | {each.before:,.0f} | {each.after:,.0f} | {change} | {each.reason} |"
    yield ""


def _stock(made: Difference) -> Iterator[str]:
    if not made.stock:
        yield "No forecast leaves the interval that it had before."
        return
    more = f" and {len(made.stock) - SHOWN} more" if len(made.stock) > SHOWN else ""
    yield (
        f"Stock ordered by the forecast before would be off for {len(made.stock)} series, whose forecast leaves the "
        f"interval that it had: {', '.join(made.stock[:SHOWN])}{more}."
    )


def _percent(before: float, after: float) -> str:
    return f"{(after - before) / before:+.1%}" if before else "new"

"""verdict.json: what was compared with what, on which rows, and what the gate decided. Read and written here alone.

Needs the standard library only, since the terminal, the report, the card and the review of a pull request show it.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from demand.errors import StepError

FILE = "verdict.json"
# Columns of the table of figures; a report adds the coverage.
METRICS = ("wape", "mae", "rmse", "r2")
HEAD = ("WAPE", "MAE", "RMSE", "R2", "WAPE 1-6 months", "WAPE with plan")


@dataclass(frozen=True)
class Errors:
    """WAPE as a fraction, MAE and RMSE in units, R2; None where undefined."""

    wape: float | None = None
    mae: float | None = None
    rmse: float | None = None
    r2: float | None = None


@dataclass(frozen=True)
class Further:
    """More of the forecasts one month ahead, each a fraction; None where undefined.

    Attributes:
        bias: sum of forecast - actual over sum of sales.
        mase, rmsse: mean absolute and root mean squared scaled error (`forecasting.scales`).
        rmsse_intermittent: the same of series that sell in some months only; an absolute error is least for a forecast
            of nothing there, a squared one for the mean (M5 guide, 2020). None without such series.
        pinball_p10, pinball_p90: pinball loss of the interval's ends, over sales.
        wape_low, wape_high: P10 and P90 of the WAPE, by how it differs from month to month.
        ranges: the same of the other figures, by their names: (low, high).
    """

    bias: float | None = None
    mase: float | None = None
    rmsse: float | None = None
    rmsse_intermittent: float | None = None
    pinball_p10: float | None = None
    pinball_p90: float | None = None
    wape_low: float | None = None
    wape_high: float | None = None
    ranges: Mapping[str, Sequence[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Figures:
    """Errors of one model in the back-test: one month ahead, and months 1 to 6; without and with the months' plan.

    `version` and `refitted` are the champion's alone.
    """

    one_step: Errors
    multi_step: Errors
    coverage_p10_p90: float | None = None
    multi_step_coverage_p10_p90: float | None = None
    one_step_with_plan: Errors | None = None
    multi_step_with_plan: Errors | None = None
    further: Further | None = None
    version: str | None = None
    refitted: bool | None = None

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "Figures":
        """From the JSON. Raises TypeError or KeyError where it is not a mapping of figures."""
        errors = ("one_step", "multi_step", "one_step_with_plan", "multi_step_with_plan")
        known = {each.name: content[each.name] for each in fields(cls) if content.get(each.name) is not None}
        parsed: dict[str, Any] = {"one_step": Errors(), "multi_step": Errors(), **known}
        parsed |= {key: Errors(**known[key]) for key in errors if key in known}
        return cls(**parsed | ({"further": Further(**known["further"])} if "further" in known else {}))

    def as_json(self) -> dict[str, Any]:
        """For the JSON; what only some models have is left out elsewhere."""
        rare = ("one_step_with_plan", "multi_step_with_plan", "further", "version", "refitted")
        return {key: value for key, value in asdict(self).items() if value is not None or key not in rare}


@dataclass(frozen=True)
class Row:
    """One model of the table of figures; the cells are text, under HEAD."""

    kind: str
    name: str
    cells: tuple[str, ...]
    coverage: str
    is_selected: bool = False


@dataclass(frozen=True)
class Verdict:
    """Everything that a run decided; `model` is None until a version is registered, `seconds` until the engine says.

    `effects`: change -> relative change of the forecast; `changes`: sentences on what is new since the champion;
    `quality`: `by_rule` (quarantined rows by rule) and `partial_months` (YYYY-MM, not learned from).
    """

    promoted: bool
    selected: str
    reasons: tuple[str, ...]
    candidates: Mapping[str, Figures]
    baselines: Mapping[str, Figures]
    champion: Figures | None = None
    model: Mapping[str, str] | None = None
    rows: Mapping[str, int | None] = field(default_factory=dict)
    warnings: tuple[Mapping[str, str], ...] = ()
    ranked_by: str = "candidates.*.one_step.wape"
    months: Mapping[str, list[str]] = field(default_factory=dict)
    by_country: Mapping[str, Any] = field(default_factory=dict)
    by_segment: Mapping[str, Any] = field(default_factory=dict)
    p_values: Mapping[str, float | None] = field(default_factory=dict)
    importance: Mapping[str, float] = field(default_factory=dict)
    features: tuple[str, ...] = ()
    live: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()
    effects: Mapping[str, float] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    quality: Mapping[str, Any] = field(default_factory=dict)
    seconds: Mapping[str, float | None] | None = None

    @classmethod
    def of(cls, content: Any) -> "Verdict":
        """From the JSON. Raises ValueError where it is not a verdict; one of an earlier release may lack fields."""
        if not isinstance(content, dict) or not isinstance(content.get("promoted"), bool):
            raise ValueError("`promoted` is missing")
        if not content.get("selected") or not isinstance(content.get("candidates", {}), dict):
            raise ValueError("`selected` or `candidates` is missing")
        known = {each.name: content[each.name] for each in fields(cls) if content.get(each.name) is not None}
        try:
            for key in ("candidates", "baselines"):
                known[key] = {name: Figures.of(entry) for name, entry in known.get(key, {}).items()}
            if "champion" in known:
                known["champion"] = Figures.of(known["champion"])
        except (AttributeError, TypeError) as error:
            raise ValueError(f"its figures cannot be read: {error}") from None
        listed = {key: tuple(known.get(key, ())) for key in ("reasons", "warnings", "features", "notes", "changes")}
        return cls(**{**known, **listed})

    def as_json(self) -> dict[str, Any]:
        """What the file holds; figures that are not finite become null, since JSON has none."""
        order = ("promoted", "reasons", "selected", "model", "candidates", "baselines", "champion")
        content = {each.name: getattr(self, each.name) for each in fields(self)}
        content |= {key: {name: each.as_json() for name, each in content[key].items()} for key in order[4:6]}
        content["champion"] = self.champion.as_json() if self.champion else None
        if self.seconds is None:
            del content["seconds"]
        plain = _plain({**{key: content[key] for key in order}, **content})
        return dict(plain)

    def table(self) -> list[Row]:
        """Candidates, champion, baselines: the one table of figures."""
        return list(self._rows())

    def _rows(self) -> Iterator[Row]:
        for name, each in self.candidates.items():
            yield _row("candidate", name, each, name == self.selected)
        if self.champion:
            label = f"version {self.champion.version}" if self.champion.version else "champion"
            yield _row("champion", f"{label}, refitted" if self.champion.refitted else label, self.champion)
        for name, each in self.baselines.items():
            yield _row("baseline", name, each)


def _row(kind: str, name: str, figures: Figures, is_selected: bool = False) -> Row:
    cells = [shown(metric, getattr(figures.one_step, metric)) for metric in METRICS]
    coverage = shown("coverage", figures.coverage_p10_p90)
    with_plan = figures.one_step_with_plan.wape if figures.one_step_with_plan else None
    cells += [shown("wape", figures.multi_step.wape), shown("wape", with_plan)]
    return Row(kind, name, tuple(cells), coverage, is_selected)


def shown(metric: str, value: float | None) -> str:
    """A figure as every reader sees it: WAPE and coverage in percent, R2 with three digits, units with one."""
    if not isinstance(value, int | float) or not math.isfinite(value):
        return "-"
    if metric in ("wape", "coverage"):
        return f"{value:.1%}"
    return f"{value:.3f}" if metric == "r2" else f"{value:,.1f}"


def write(verdict: Verdict, folder: Path) -> None:
    """Write verdict.json."""
    text = json.dumps(verdict.as_json(), indent=2, ensure_ascii=False, allow_nan=False)
    (folder / FILE).write_text(text + "\n", encoding="utf-8")


def read(folder: Path) -> Verdict:
    """The verdict in `folder`.

    Raises:
        StepError: none there, or not a verdict.
    """
    path = folder / FILE
    try:
        return Verdict.of(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise StepError(f"{path}: not there; give the verdict folder of the evaluate step") from error
    except json.JSONDecodeError as error:
        raise StepError(f"{path}:{error.lineno}: not JSON: {error.msg}") from error
    except ValueError as error:
        raise StepError(f"{path}: not a verdict: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

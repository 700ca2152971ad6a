"""Step evaluate: judge the candidates' back-tests beside naive baselines and the champion, and decide."""

import argparse
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from demand import outputs, tracking
from demand.errors import StepError
from demand.grain import grain_of, name_of
from demand.months import month_name
from demand.steps import run
from forecasting import baselines, blending, candidates, every_series, export, scoring, verdict
from forecasting import champion as champions
from forecasting.candidates import BACKTEST, Candidate, keyed
from forecasting.champion import Champion
from forecasting.effects import effects_of
from forecasting.features import HISTORY, SalesHistory, month_index, series_columns, series_keys, state_of
from forecasting.gate import Decision, Entrant, Rival, decide
from forecasting.importance import importance
from forecasting.packing import NONE, load
from forecasting.recipes import NaiveRecipe
from forecasting.rolling import Rolling, backtest
from forecasting.scales import Scales
from forecasting.thresholds import Gate
from judging.report import render, series_of
from judging.report.changes import changes

log = logging.getLogger(__name__)
CHAMPION = "champion"
YEAR = 12


def build_parser() -> argparse.ArgumentParser:
    """Flags of the component evaluate_candidates."""
    parser = argparse.ArgumentParser(prog="judging.evaluate", description=__doc__)
    parser.add_argument("--train", type=Path, required=True, help="training months of the prepare step")
    parser.add_argument("--holdout", type=Path, required=True, help="held-out months of the prepare step")
    parser.add_argument("--champion", default=NONE, help="registered version to beat, registered or none")
    parser.add_argument("--model-name", required=True, help="name of the store models; a finer grain adds its own")
    parser.add_argument("--attempt", default="first", help="another value judges anew what was judged before")
    parser.add_argument("--candidate", type=Path, action="append", required=True, help="MLflow model; may be repeated")
    parser.add_argument("--contract", type=Path, required=True, help="sales contract, packed with the selected model")
    parser.add_argument("--gate", type=Path, required=True, help="thresholds of the promotion, YAML")
    parser.add_argument("--verdict", type=Path, required=True, help="output folder")
    parser.add_argument("--selected", type=Path, required=True, help="output folder")
    return parser


@dataclass(frozen=True)
class Judged:
    """Judged back-tests on the same rows, of candidates, baselines and the champion, by name."""

    tables: Mapping[str, pd.DataFrame]
    rows: pd.DataFrame
    origins: int

    @cached_property
    def near(self) -> Mapping[str, pd.DataFrame]:
        """The rows one month ahead."""
        return {name: scoring.one_step(table) for name, table in self.tables.items()}

    @property
    def count(self) -> int:
        """Judged store-months one month ahead."""
        return len(next(iter(self.near.values())))

    def new_until(self) -> dict[str, int]:
        """Series -> the month (index) until which it counts as new; of those that begin with the data, none."""
        months = pd.Series(month_index(self.rows["MonthStart"]), index=series_keys(self.rows))
        first = months.groupby(level=0).min()
        return {str(key): int(month) + YEAR if month > months.min() else -1 for key, month in first.items()}


def judge(loaded: Mapping[str, Candidate], champion: Champion | None, rows: pd.DataFrame, origins: int) -> Judged:
    """Back-test what has none yet, and bring all to the same rows."""
    rolling = Rolling(origins)
    tables = {name: each.table for name, each in loaded.items()}
    if champion is not None:
        tables[CHAMPION] = champions.backtest_of(champion.recipe, loaded, rows, rolling)
    first = next(iter(tables.values()))
    for name in baselines.NAMES:
        table = keyed(backtest(NaiveRecipe(name), rows, rolling))
        tables[name] = blending.with_forecasts(first, table) if blending.has_rows_of(table, first) else table
    return Judged(scoring.judged(tables), rows, origins)


def decide_on(
    judged: Judged, loaded: Mapping[str, Candidate], champion: Champion | None, gate: Gate, leaks: Sequence[str] = ()
) -> Decision:
    """What the gate says of the candidates."""
    errors = {name: _monthly(table) for name, table in judged.tables.items()}
    wapes = {name: scoring.errors(table).wape for name, table in judged.near.items()}
    entrants = [
        Entrant(
            name,
            wapes[name],
            errors[name],
            each.features,
            judged.tables[name][["Forecast", "Planned"]].to_numpy(dtype=np.float64).ravel(),
            _saw(each.table),
            [leak for leak in leaks if leak in each.features],
            champions.text(each.metadata.get("recipe", {})),
        )
        for name, each in loaded.items()
    ]
    rivals = [Rival(name, wapes[name], errors[name]) for name in baselines.NAMES]
    known = None
    if champion is not None:
        age = champion.age_months(judged.rows)
        segments = _segment_rises(judged, list(loaded), gate.min_segment_rows)
        recipe = champions.text(champion.recipe)
        known = Rival(champion.label, wapes[CHAMPION], errors[CHAMPION], recipe, age, segments)
    return decide(entrants, rivals, known, judged.count, gate)


def _monthly(table: pd.DataFrame) -> npt.NDArray[np.float64]:
    return scoring.monthly_errors(table).to_numpy(dtype=np.float64)


def _saw(table: pd.DataFrame) -> list[str]:
    """Months that were forecast from an origin that is not before them."""
    return [month_name(int(month)) for month in sorted(table.loc[table["Origin"] >= table["Month"], "Month"].unique())]


def _segment_rises(judged: Judged, names: Sequence[str], min_rows: int) -> dict[str, dict[str, float]]:
    """Segment -> candidate -> its WAPE one month ahead over the champion's, less 1; small segments are left out."""
    near = judged.near
    rises: dict[str, dict[str, float]] = {}
    if near[CHAMPION].empty:
        return rises
    for segment, at in scoring.segments(near[CHAMPION], judged.new_until()).items():
        old = scoring.errors(near[CHAMPION][at]).wape
        if at.sum() >= min_rows and old:
            rises[segment] = {name: (scoring.errors(near[name][at]).wape or 0.0) / old - 1 for name in names}
    return rises


def leaking(rows: pd.DataFrame, origins: int) -> list[str]:
    """History features, stored with the last `origins` months, that are not what was known before each began."""
    months = month_index(rows["MonthStart"])
    stored = [name for name in HISTORY if name in rows]
    history, changed = SalesHistory.of(rows), set()
    for month in np.unique(months[months > months.max() - origins]):
        part = rows[months == month]
        honest = history.until(int(month)).features(part)
        for name in stored:
            if not np.allclose(part[name].to_numpy(np.float64), honest[name].to_numpy(np.float64), equal_nan=True):
                changed.add(name)
    return sorted(changed)


def result_of(
    decision: Decision,
    judged: Judged,
    loaded: Mapping[str, Candidate],
    champion: Champion | None,
    counts: dict[str, Any],
) -> verdict.Verdict:
    """The verdict of a decision; importance is added by the step."""
    scales = Scales.of(judged.rows)
    table = {name: scoring.figures(one, scales, name not in baselines.NAMES) for name, one in judged.tables.items()}
    months = sorted(judged.rows["MonthYear"].unique())
    cut = len(months) - judged.origins
    return verdict.Verdict(
        promoted=decision.promoted,
        selected=decision.selected,
        reasons=tuple(decision.reasons),
        candidates={name: table[name] for name in loaded},
        baselines={name: table[name] for name in baselines.NAMES},
        champion=replace(table[CHAMPION], version=champion.version, refitted=True) if champion else None,
        rows={name: counts.get(name) for name in ("read", "quarantined", "train", "holdout")},
        warnings=tuple(counts.get("warnings", ())),
        months={"train": _span(months[:cut]), "holdout": _span(months[cut:])},
        by_country=scoring.by_segment(judged.tables, judged.new_until(), "country "),
        by_segment=scoring.by_segment(judged.tables, judged.new_until()),
        p_values=decision.p_values,
        features=tuple(loaded[decision.selected].features),
        live=champions.live(champion, judged.rows, judged.origins) if champion else None,
        notes=tuple(champion.notes()) if champion else (),
    )


def _span(months: Sequence[str]) -> list[str]:
    return [str(months[0]), str(months[-1])] if months else []


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step."""
    args = build_parser().parse_args(argv)
    gate = Gate.read(args.gate)
    rows, origins = candidates.read(args.train, args.holdout, without=())
    _check_split(
        candidates.months_of(args.train, "train.parquet"), candidates.months_of(args.holdout, "holdout.parquet")
    )
    counts = json.loads((args.train / "rows.json").read_text(encoding="utf-8"))
    loaded = candidates.load_all(args.candidate)
    grain = grain_of(series_columns(rows))
    champion = champions.read(name_of(args.model_name, grain), args.champion, grain)
    judged = judge(loaded, champion, rows, origins)
    decision = decide_on(judged, loaded, champion, gate, leaking(rows, origins))
    chosen = loaded[decision.selected]
    packed = every_series.of_rows(load(chosen.folder), rows)
    result = replace(
        result_of(decision, judged, loaded, champion, counts),
        importance=importance(packed, rows, origins),
        effects=effects_of(packed, rows),
        changes=changes(champion.metadata, chosen.metadata) if champion else (),
        quality={name: counts.get(name) for name in ("by_rule", "partial_months")},
    )
    _write(args, result, judged)
    with outputs.staged(args.selected) as selected:
        outputs.publish(chosen.folder, selected)
        (selected / BACKTEST).unlink()
        export.write_state(every_series.state(args.train) or state_of(rows), args.contract, selected)
    _log(result, args.verdict)
    return 0


def _check_split(train: Sequence[str], holdout: Sequence[str]) -> None:
    """Raises StepError where a month is both learned from and held out."""
    if train and holdout and train[-1] >= holdout[0]:
        raise StepError(f"train.parquet reaches into the hold-out, which begins {holdout[0]}: run prepare again")


def _write(args: argparse.Namespace, result: verdict.Verdict, judged: Judged) -> None:
    args.verdict.mkdir(parents=True, exist_ok=True)
    verdict.write(result, args.verdict)
    _write_forecasts(judged.tables, args.verdict / "forecasts.parquet")
    chosen = scoring.with_bounds(judged.tables[result.selected])
    page = render(result, series_of(judged.rows, chosen))
    (args.verdict / "report.html").write_text(page, encoding="utf-8")


def _write_forecasts(tables: Mapping[str, pd.DataFrame], path: Path) -> None:
    """All back-tests one after the other, each row with its Model; never all in memory."""
    parts = (pa.Table.from_pandas(one.assign(Model=name), preserve_index=False) for name, one in tables.items())
    first = next(parts)
    with pq.ParquetWriter(path, first.schema) as writer:
        writer.write_table(first)
        for part in parts:
            writer.write_table(part.cast(first.schema))
    pa.default_memory_pool().release_unused()


def _log(result: verdict.Verdict, folder: Path) -> None:
    """Say the outcome, and keep figures and report with the run."""
    state = "promoted" if result.promoted else "not promoted"
    log.info("%s %s: %s", result.selected, state, "; ".join(result.reasons))
    with tracking.run("evaluate") as tracker:
        entries = {**result.candidates, **result.baselines, **({CHAMPION: result.champion} if result.champion else {})}
        for name, entry in ((name, each.as_json()) for name, each in entries.items()):
            for kind in ("one_step", "multi_step", "one_step_with_plan", "multi_step_with_plan", "further"):
                values = {key: value for key, value in (entry.get(kind) or {}).items() if key != "ranges"}
                tracker.log_metrics({f"{name}.{kind}.{key}": value for key, value in values.items()})
            tracker.log_metrics(
                {f"{name}.{key}": entry[key] for key in ("coverage_p10_p90", "multi_step_coverage_p10_p90")}
            )
        for file in ("verdict.json", "report.html"):
            tracker.log_file(folder / file)


if __name__ == "__main__":
    raise SystemExit(run(main))

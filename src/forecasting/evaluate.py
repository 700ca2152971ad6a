"""Step evaluate: back-test candidates, naive baselines and the champion on the held-out months, and decide."""

import argparse
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.inspection import permutation_importance

from demand import outputs, tracking
from demand.errors import StepError
from demand.grain import grain_of, name_of
from demand.steps import read_rows, run
from forecasting import baselines, export, figures, gate, metrics, report, verdict
from forecasting import champion as champions
from forecasting.backtest import Backtest, backtest, backtest_model, baseline_predictor, frame_of
from forecasting.champion import Champion
from forecasting.features import TARGET, SalesHistory, series_columns
from forecasting.packing import Packed, load

log = logging.getLogger(__name__)
CHAMPION = "champion"


def build_parser() -> argparse.ArgumentParser:
    """Flags of the component evaluate_candidates."""
    parser = argparse.ArgumentParser(prog="forecasting.evaluate", description=__doc__)
    parser.add_argument("--train", type=Path, required=True, help="training months of the prepare step")
    parser.add_argument("--holdout", type=Path, required=True, help="held-out months of the prepare step")
    parser.add_argument("--champion", default=champions.NONE, help="registered version to beat, or none")
    parser.add_argument("--model-name", required=True, help="name of the store models; a finer grain adds its own")
    parser.add_argument("--candidate", type=Path, action="append", required=True, help="MLflow model; may be repeated")
    parser.add_argument("--contract", type=Path, required=True, help="sales contract, packed with the selected model")
    parser.add_argument("--verdict", type=Path, required=True, help="output folder")
    parser.add_argument("--selected", type=Path, required=True, help="output folder")
    return parser


def load_candidates(folders: Sequence[Path]) -> dict[str, tuple[Path, Packed]]:
    """Candidates by name, in their order.

    Raises:
        StepError: a folder holds no model, or two candidates have one name.
    """
    candidates: dict[str, tuple[Path, Packed]] = {}
    for folder in folders:
        packed = load(folder)
        name = str(packed.metadata.get("candidate", folder.name))
        if name in candidates:
            raise StepError(f"{folder}: a candidate named {name} is there already; give each its own name")
        candidates[name] = (folder, packed)
    return candidates


def importance(packed: Packed, rows: pd.DataFrame, history: SalesHistory, seed: int = 7) -> dict[str, float]:
    """Feature -> rise of the WAPE when it is shuffled over the held-out rows, greatest first."""
    frame, sales = frame_of(packed, rows, history), rows[TARGET].to_numpy(dtype=np.float64)

    def negative_wape(model: Any, x: pd.DataFrame, y: Any) -> float:
        return -metrics.wape(y, model.predict(x))

    if rows.empty or not np.abs(sales).sum():
        return {}
    shuffled = permutation_importance(packed.model, frame, sales, scoring=negative_wape, n_repeats=5, random_state=seed)
    rises = dict(zip(frame.columns, map(float, shuffled.importances_mean), strict=True))
    return dict(sorted(rises.items(), key=lambda item: -item[1]))


def decide(
    packed: Mapping[str, Packed],
    backtests: Mapping[str, Backtest],
    champion: Champion | None,
    train: pd.DataFrame,
    rows: pd.DataFrame,
) -> gate.Decision:
    """What the gate says of the candidates in `packed`, given every back-test."""
    actual = rows[TARGET].to_numpy(dtype=np.float64)
    wapes = {name: metrics.errors(actual, one.one_step)["wape"] for name, one in backtests.items()}
    entrants = [
        gate.Entrant(
            name,
            wapes[name],
            one.features,
            one.metadata.get("trained_until"),
            _forecasts(backtests[name]),
            backtests[name].leaks,
        )
        for name, one in packed.items()
    ]
    rivals = {name: wapes[name] for name in baselines.NAMES}
    holdout_from = str(rows["MonthYear"].min()) if len(rows) else ""
    if len(rows) and train["MonthYear"].max() >= holdout_from:
        raise StepError(f"train.parquet reaches into the hold-out, which begins {holdout_from}: run prepare again")
    known = (
        None
        if champion is None
        else gate.Rival(champion.label, wapes[CHAMPION], _forecasts(backtests[CHAMPION]), champion.is_refitted)
    )
    return gate.decide(entrants, rivals, known, holdout_from, len(rows))


def _forecasts(result: Backtest) -> npt.NDArray[np.float64]:
    return np.concatenate([result.one_step, result.multi_step])


def evaluate(
    train: pd.DataFrame, holdout: pd.DataFrame, candidates: Mapping[str, Packed], champion: Champion | None
) -> tuple[gate.Decision, dict[str, Backtest], dict[str, Any]]:
    """(decision, back-tests of candidates, champion and baselines, further entries of the verdict)."""
    history = SalesHistory.of(pd.concat([train, holdout], ignore_index=True))
    backtests = {name: backtest_model(packed, holdout, history) for name, packed in candidates.items()}
    if champion is not None:
        backtests[CHAMPION] = backtest_model(champion.rival, holdout, history)
    backtests |= {name: backtest(baseline_predictor(name), holdout, history) for name in baselines.NAMES}
    decision = decide(candidates, backtests, champion, train, holdout)
    more = {
        "months": {"train": _span(train), "holdout": _span(holdout)},
        "by_country": figures.by_country(backtests, holdout),
        "importance": importance(candidates[decision.selected], holdout, history),
        "features": tuple(candidates[decision.selected].features),
        "live": champions.live(champion, holdout, history) if champion else None,
        "notes": tuple(champion.notes()) if champion else (),
    }
    return decision, backtests, more


def _span(rows: pd.DataFrame) -> list[str]:
    return [str(rows["MonthYear"].min()), str(rows["MonthYear"].max())] if len(rows) else []


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step."""
    args = build_parser().parse_args(argv)
    train, holdout = read_rows(args.train, "train.parquet"), read_rows(args.holdout, "holdout.parquet")
    counts = json.loads((args.train / "rows.json").read_text(encoding="utf-8"))
    loaded = load_candidates(args.candidate)
    grain = grain_of(series_columns(train))
    champion = champions.read(name_of(args.model_name, grain), args.champion, train, holdout, grain)
    decision, backtests, more = evaluate(train, holdout, {name: one for name, (_, one) in loaded.items()}, champion)
    table = {name: figures.figures(one, holdout) for name, one in backtests.items()}
    result = verdict.Verdict(
        promoted=decision.promoted,
        selected=decision.selected,
        reasons=tuple(decision.reasons),
        candidates={name: table[name] for name in loaded},
        baselines={name: table[name] for name in baselines.NAMES},
        champion=_champion_figures(table[CHAMPION], champion) if champion else None,
        rows={name: counts.get(name) for name in ("read", "quarantined", "train", "holdout")},
        warnings=tuple(counts.get("warnings", ())),
        **more,
    )
    _write(args, result, figures.forecast_table(backtests, holdout), train, holdout)
    with outputs.staged(args.selected) as selected:
        outputs.publish(loaded[decision.selected][0], selected)
        # The endpoint knows the held-out months too: they are the nearest past of what it forecasts.
        export.write_state(pd.concat([train, holdout], ignore_index=True), args.contract, selected)
    _log(result, args.verdict)
    return 0


def _champion_figures(figures: verdict.Figures, champion: Champion) -> verdict.Figures:
    return replace(figures, version=champion.version, refitted=champion.is_refitted)


def _write(
    args: argparse.Namespace, result: verdict.Verdict, table: pd.DataFrame, train: pd.DataFrame, holdout: pd.DataFrame
) -> None:
    args.verdict.mkdir(parents=True, exist_ok=True)
    verdict.write(result, args.verdict)
    table.to_parquet(args.verdict / "forecasts.parquet", index=False)
    page = report.render(result, train, holdout, table)
    (args.verdict / "report.html").write_text(page, encoding="utf-8")


def _log(result: verdict.Verdict, folder: Path) -> None:
    """Say the outcome, and keep figures and report with the run."""
    state = "promoted" if result.promoted else "not promoted"
    log.info("%s %s: %s", result.selected, state, "; ".join(result.reasons))
    with tracking.run("evaluate") as tracker:
        entries = {**result.candidates, **result.baselines, **({CHAMPION: result.champion} if result.champion else {})}
        for name, entry in ((name, each.as_json()) for name, each in entries.items()):
            for kind in ("one_step", "multi_step"):
                tracker.log_metrics({f"{name}.{kind}.{key}": value for key, value in entry[kind].items()})
            tracker.log_metrics(
                {f"{name}.{key}": entry[key] for key in ("coverage_p10_p90", "multi_step_coverage_p10_p90")}
            )
        for file in ("verdict.json", "report.html"):
            tracker.log_file(folder / file)


if __name__ == "__main__":
    raise SystemExit(run(main))

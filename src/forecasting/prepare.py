"""Step prepare: add calendar and history features, and hold the last months out of training."""

import argparse
import json
import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from demand import tracking
from demand.errors import StepError
from demand.months import month_name
from demand.step_warnings import StepWarnings
from demand.steps import run
from forecasting import every_series
from forecasting.features import SalesHistory, month_index, prepared
from forecasting.gaps import complete
from forecasting.sampling import MAX_SERIES, rows_of
from forecasting.series_parts import Table

log = logging.getLogger(__name__)
MIN_TRAINING_MONTHS = 2


def build_parser() -> argparse.ArgumentParser:
    """Flags of the component prepare_features."""
    parser = argparse.ArgumentParser(prog="forecasting.prepare", description=__doc__)
    parser.add_argument("--monthly", type=Path, required=True, help="output folder of the aggregate step")
    parser.add_argument("--holdout-months", type=int, default=12, help="last months that are forecast as if unseen")
    parser.add_argument("--max-series", type=int, default=MAX_SERIES, help="series that models learn from")
    parser.add_argument("--train", type=Path, required=True, help="output folder")
    parser.add_argument("--holdout", type=Path, required=True, help="output folder")
    return parser


def add_features(monthly: pd.DataFrame) -> pd.DataFrame:
    """Monthly rows with MonthYear, Season and the history features; one row in, one row out."""
    rows = prepared(monthly)
    return pd.concat([rows, SalesHistory.of(rows).features(rows)], axis=1)


def _rows(table: Table, most: int, warnings: StepWarnings) -> pd.DataFrame:
    """The rows that models learn from and are judged by."""
    rows, count = rows_of(table, most)
    if count < table.series:
        warnings.add(
            f"Learned from and judged by {count:,} of {table.series:,} series, drawn by country and size; every "
            "series is forecast. max_series of prepare takes more"
        )
    return rows


def held_out(rows: pd.DataFrame, wanted: int, warnings: StepWarnings) -> int:
    """How many of the last months to judge by: those wanted, or half of what there is where that is less."""
    months = month_index(rows["MonthStart"])
    span = int(months.max()) - int(months.min()) + 1
    if span < 2 * MIN_TRAINING_MONTHS or 2 * wanted <= span:
        return wanted
    warnings.add(f"Sales cover {span} months: the back-test judges the last {span // 2} of them, not {wanted}")
    return span // 2


def split(rows: pd.DataFrame, holdout_months: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows before the last `holdout_months` calendar months, and the rows of those.

    Raises:
        StepError: fewer months than holding out and training need; tells how many there are and how many it takes.
    """
    months = month_index(rows["MonthStart"])
    first, last = int(months.min()), int(months.max())
    needed = holdout_months + MIN_TRAINING_MONTHS
    if last - first + 1 < needed:
        raise StepError(
            f"sales cover {last - first + 1} complete month(s), {month_name(first)} to {month_name(last)}; holding "
            f"{holdout_months} out and training on {MIN_TRAINING_MONTHS} takes {needed}: import more months or "
            "lower holdout_months"
        )
    held = months > last - holdout_months
    train, holdout = rows[~held].reset_index(drop=True), rows[held].reset_index(drop=True)
    if train["MonthYear"].nunique() < MIN_TRAINING_MONTHS:
        raise StepError(
            f"only {train['MonthYear'].nunique()} month(s) with sales lie before the {holdout_months} held-out ones, "
            f"training needs {MIN_TRAINING_MONTHS}: import more months or lower holdout_months"
        )
    return train, holdout


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step."""
    args = build_parser().parse_args(argv)
    series = Table.of(args.monthly)
    counts = json.loads((args.monthly / "rows.json").read_text(encoding="utf-8"))
    warnings = StepWarnings("prepare", counts.get("warnings", ()))
    completed = complete(_rows(series, args.max_series, warnings), series.last_month)
    for line in completed.sentences():
        log.info("%s", line)
    rows = add_features(completed.rows)
    train, holdout = split(rows, held_out(rows, args.holdout_months, warnings))
    for folder, part, name in ((args.train, train, "train"), (args.holdout, holdout, "holdout")):
        folder.mkdir(parents=True, exist_ok=True)
        part.to_parquet(folder / f"{name}.parquet", index=False)
    if series.series > args.max_series:
        every_series.write(series, args.train)
    # The counts travel with the training months, so that the verdict can tell what was read and what was set aside.
    counts |= {"train": len(train), "holdout": len(holdout), "warnings": warnings.entries}
    counts |= {
        "series": series.series,
        "partial": completed.partial,
        "closed": completed.closed,
        "zeros": completed.zeros,
    }
    (args.train / "rows.json").write_text(json.dumps(counts, indent=2) + "\n", encoding="utf-8")
    log.info(
        "Training on %d store-months until %s, holding out %d from %s",
        len(train),
        train["MonthYear"].max(),
        len(holdout),
        holdout["MonthYear"].min(),
    )
    with tracking.run("prepare") as tracker:
        tracker.log_params({"holdout_months": args.holdout_months, "trained_until": train["MonthYear"].max()})
        tracker.log_metrics({"rows_train": len(train), "rows_holdout": len(holdout)})
    return 0


if __name__ == "__main__":
    raise SystemExit(run(main))

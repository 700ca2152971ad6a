"""The whole comparison, from a revision to Markdown."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from forecastdiff import difference, sides, text


def of(root: Path, revision: str | None, settings: Sequence[str] = ()) -> str:
    """Markdown on what the working tree does to the forecast, against the commit that it began at.

    Args:
        root: the checkout.
        revision: what the work is merged into; default: origin's default branch, else main.
        settings: `--set` values of both training runs, such as inputs.holdout_months=6.

    Raises:
        UserError: no sales, an unknown revision, or a run that fails.
    """
    with sides.base_of(root, revision) as base:
        digests = sides.recipe(base, settings), sides.recipe(root, settings)
        if digests[0] == digests[1]:
            return text.unchanged(digests[1])
        both = [sides.trained(source, settings) for source in (base, root)]
    made = difference.between(
        pd.read_parquet(both[0].forecasts),
        pd.read_parquet(both[1].forecasts),
        (pd.read_parquet(both[0].backtest), pd.read_parquet(both[1].backtest)),
        (both[0].verdict, both[1].verdict),
    )
    return text.of(made)

"""Options that several verbs have."""

from pathlib import Path
from typing import Annotated

import typer

Grain = Annotated[str, typer.Option(help="what a monthly row stands for: store, category or product", metavar="GRAIN")]
Sales = Annotated[Path | None, typer.Option(help="your own sales: CSV or Parquet with the contract's columns")]
Holdout = Annotated[str | None, typer.Option(help="months that judge the candidates; default: the pipeline's own")]
Settings = Annotated[list[str] | None, typer.Option("--set", help="further settings of the job, such as inputs.x=1")]
ModelVersion = Annotated[str | None, typer.Option(help="default: the champion")]
Base = Annotated[str | None, typer.Option(help="what the work is merged into; default: origin's default branch")]


def run_settings(holdout: str | None, given: list[str] | None) -> list[str]:
    """`--set` values of a training run."""
    return [*([f"inputs.holdout_months={holdout}"] if holdout else []), *(given or [])]


def words(**options: object) -> list[str]:
    """Words of a command line from options: None and False are left out, a list is given once for each."""
    made: list[str] = []
    for name, value in options.items():
        word = f"--{name.replace('_', '-')}"
        if value is None or value is False:
            continue
        made += [word] if value is True else [word, str(value)]
    return made

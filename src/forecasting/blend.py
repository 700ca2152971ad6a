"""Step blend: one candidate made of others, weighted by how little each erred in the back-test."""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from demand import outputs, tracking
from demand.direct_model import DirectModel
from demand.errors import StepError
from demand.steps import run
from forecasting import blending, candidates, direct
from forecasting.candidates import Candidate
from forecasting.packing import load

log = logging.getLogger(__name__)


def build_parser() -> argparse.ArgumentParser:
    """Flags of the component blend."""
    parser = argparse.ArgumentParser(prog="forecasting.blend", description=__doc__)
    parser.add_argument("--train", type=Path, required=True, help="training months of the prepare step")
    parser.add_argument("--holdout", type=Path, required=True, help="held-out months of the prepare step")
    parser.add_argument("--candidate", required=True, help="name of the candidate in the verdict")
    parser.add_argument("--part", type=Path, action="append", required=True, help="direct candidate; may be repeated")
    parser.add_argument("--model", type=Path, required=True, help="output folder")
    return parser


def blended(parts: dict[str, Candidate]) -> DirectModel:
    """The parts' models as one.

    Raises:
        StepError: a part is not a direct model.
    """
    models = [_direct(each) for each in parts.values()]
    tables = blending.aligned([each.table for each in parts.values()])
    plain, planned = (blending.weights(tables, column) for column in blending.FORECASTS)
    made = [
        (replace(part, weight=float(weight), weight_with_plan=float(with_plan)), booster)
        for model, weight, with_plan in zip(models, plain, planned, strict=True)
        for part, booster in model.parts
    ]
    return DirectModel(models[0].panel, made, models[0].key_columns)


def _direct(candidate: Candidate) -> DirectModel:
    model = load(candidate.folder).model
    if not isinstance(model, DirectModel):
        raise StepError(f"{candidate.folder}: {candidate.name} is not a profile or booster, which a blend is made of")
    return model


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step."""
    args = build_parser().parse_args(argv)
    rows, _ = candidates.read(args.train, args.holdout)
    parts = candidates.load_all(args.part)
    model = blended(parts)
    recipe: dict[str, Any] = {"kind": "blend", "parts": {name: each.metadata["recipe"] for name, each in parts.items()}}
    table = blending.blend({name: each.table for name, each in parts.items()})
    with outputs.staged(args.model) as folder:
        direct.write(model, rows, {"candidate": args.candidate, "recipe": recipe}, table, folder)
    weights = {part.name: round(part.weight, 3) for part, _ in model.parts}
    log.info("Blended %s with the weights %s", args.candidate, weights)
    with tracking.run(f"blend_{args.candidate}") as tracker:
        tracker.log_params({"candidate": args.candidate, **{f"weight_{name}": one for name, one in weights.items()}})
        tracker.log_metrics(candidates.metrics(args.model, table))
    return 0


if __name__ == "__main__":
    raise SystemExit(run(main))

"""What a forecast is asked for: months ahead, what is planned of them, and the model, by the flags of a step."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from demand.contract import load_contract
from demand.errors import StepError
from demand.grain import grain_of
from demand.requests import RequestRules
from demand.state import State
from demand.timeline import MAX_HORIZON
from planning.planned import Key, read_plan

Plan = Mapping[Key, dict[str, Any]]


class Asked(NamedTuple):
    """What is forecast: months ahead, with what is planned of them, by a model of a name and version."""

    horizon: int
    plan: Plan
    model: str
    version: str


def add_asked(parser: argparse.ArgumentParser) -> None:
    """The flags that say what is forecast, by which model."""
    parser.add_argument("--model", type=Path, required=True, help="registered model")
    parser.add_argument("--model-name", required=True, help="its name, kept with each forecast")
    parser.add_argument("--model-version", required=True, help="its version, kept with each forecast")
    parser.add_argument("--contract", type=Path, required=True, help="sales contract")
    parser.add_argument("--plan", type=Path, required=True, help="table of planned prices, promotions and holidays")
    parser.add_argument("--horizon", type=int, default=6, help="months ahead")


def _check_grain(model: str, metadata: dict[str, Any], columns: Sequence[str]) -> None:
    """Raises StepError where the sales are summed for another grain than the model's."""
    wanted, given = grain_of(metadata.get("features", ())), grain_of(columns)
    if wanted != given:
        raise StepError(f"{model} forecasts by {wanted}, the sales are summed by {given}: give the grain {wanted}")


def asked_of(args: argparse.Namespace, state: State, metadata: dict[str, Any]) -> Asked:
    """What the flags of a step ask for.

    Raises:
        StepError: a horizon that cannot be forecast, sales of another grain, a plan that breaks a rule.
    """
    if not 1 <= args.horizon <= MAX_HORIZON:
        raise StepError(f"--horizon {args.horizon}: 1 to {MAX_HORIZON} months can be forecast")
    _check_grain(f"{args.model_name} version {args.model_version}", metadata, state.key_columns)
    rules = RequestRules(load_contract(args.contract), state.key_columns, state.first_month, state.last_month)
    return Asked(args.horizon, read_plan(args.plan, rules, state.key_columns), args.model_name, args.model_version)

"""The model card: what a registered model is, how good, on what, and what it must not be used for."""

from collections.abc import Mapping
from typing import Any

from forecasting.verdict import HEAD, Verdict


def model_card(result: Verdict, metadata: Mapping[str, Any], origin: Mapping[str, str], name: str) -> str:
    """Markdown of the card, from the verdict, the model's own metadata and its provenance."""
    holdout = result.months.get("holdout", [])
    held = "No month was held out."
    if holdout:
        held = f"Held out {result.rows['holdout']}, {holdout[0]} to {holdout[-1]}."
    covered = _share(result.candidates[result.selected].coverage_p10_p90)
    return "\n".join(
        [
            f"# {name}: {result.selected}",
            "",
            "Forecasts the units that a store sells in a month: a Random Forest of "
            f"{metadata['parameters']['n_estimators']} trees inside one scikit-learn pipeline.",
            "",
            "## Data",
            "",
            f"Sales data asset version {origin['data_version']}: {result.rows['read']} rows read, "
            f"{result.rows['quarantined']} quarantined. Trained on {metadata['trained_rows']} store-months, "
            f"{metadata['trained_from']} to {metadata['trained_until']}. {held}",
            "",
            "## Features",
            "",
            ", ".join(metadata["features"]) + ".",
            "",
            "## Figures on the held-out months",
            "",
            *_table(result),
            "",
            "WAPE is sum |actual - forecast| / sum |actual|. One step: each month is forecast when it begins. "
            "All months: they are all forecast when the first begins. Weather is unknown ahead and masked; "
            "Price, Promotion and Holiday count as planned.",
            "",
            *(f"- {line}" for line in [*result.reasons, *result.notes]),
            "",
            "## Limits",
            "",
            "- A forest does not extrapolate: sales far above anything in training come out too low.",
            "- A store without history gets the forecast of an average one.",
            f"- The P10-P90 interval covers {covered} of the held-out sales; 80 % is meant.",
            "- Seasons are those of the northern hemisphere.",
            "",
            "## Reproduce",
            "",
            f"Commit `{origin['git_commit']}`, data version {origin['data_version']}, recipe `{origin['recipe']}`, "
            f"seed {metadata['parameters']['random_state']}: `make run-pipeline`. Fingerprint of the model: "
            f"`{origin['fingerprint']}`.",
            "",
        ]
    )


def _share(value: float | None) -> str:
    return "an unknown share" if value is None else f"{value:.0%}"


def _table(result: Verdict) -> list[str]:
    head = ["", *HEAD]
    rows = [[row.name, *row.cells] for row in result.table()]
    return [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *rows)]

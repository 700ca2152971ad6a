"""The model card: what a registered model is, how good, on what, and what it must not be used for."""

from collections.abc import Mapping, Sequence
from typing import Any

from forecasting.verdict import HEAD, Verdict
from judging.report import sentences


def model_card(result: Verdict, metadata: Mapping[str, Any], origin: Mapping[str, str], name: str) -> str:
    """Markdown of the card, from the verdict, the model's own metadata and its provenance."""
    holdout = result.months.get("holdout", [])
    held = "No month was held out."
    if holdout:
        held = f"Back-tested on {result.rows['holdout']} store-months, {holdout[0]} to {holdout[-1]}."
    covered = _share(result.candidates[result.selected].coverage_p10_p90)
    return "\n".join(
        [
            f"# {name}: {result.selected}",
            "",
            f"Forecasts the units that a store sells in a month: {_kind(metadata)}.",
            "",
            " ".join(sentences.headline(result)),
            "",
            "## Data",
            "",
            f"Sales data asset version {origin['data_version']}: {result.rows['read']} rows read, "
            f"{result.rows['quarantined']} quarantined. Trained on {metadata['trained_rows']} store-months, "
            f"{metadata['trained_from']} to {metadata['trained_until']}, all months that there were. {held}",
            "",
            "## Features",
            "",
            ", ".join(metadata["features"]) + ".",
            "",
            "## Figures of the back-test",
            "",
            *_table(result),
            "",
            "WAPE is sum |actual - forecast| / sum |actual|, one month ahead unless it says 1-6 months. At each origin "
            "the recipe was learned anew from the months before. Weather, Promotion and Holiday of a month to come are "
            "unknown and its price is the last one, but for the column with plan, where they are as recorded.",
            "",
            *(f"- {line}" for line in [*result.reasons, *result.notes]),
            "",
            *_section("What moves the forecast", sentences.effects(result)),
            *_section("Since the champion", result.changes),
            "## Limits",
            "",
            *_limits(metadata),
            "- A store without history gets the forecast of an average one.",
            f"- The P10-P90 interval covers {covered} of the judged sales; 80 % is meant.",
            "- Seasons are those of the northern hemisphere.",
            "",
            "## Reproduce",
            "",
            f"Commit `{origin['git_commit']}`, data version {origin['data_version']}, recipe `{origin['recipe']}`, "
            f"seed {_seed(metadata)}: `make run-pipeline`. Fingerprint of the model: "
            f"`{origin['fingerprint']}`.",
            "",
        ]
    )


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [f"## {title}", "", *(f"- {line}" for line in lines), ""] if lines else []


def _kind(metadata: Mapping[str, Any]) -> str:
    """What the model is, in words."""
    recipe = metadata.get("recipe") or {}
    kind = recipe.get("kind", "forest")
    if kind == "profile":
        return "a profile, level x month of the year x trading days"
    if kind == "booster":
        return f"gradient boosting of {recipe['max_iter']} trees on sales relative to each store's level"
    if kind == "blend":
        return f"a blend of {' and '.join(recipe['parts'])}, weighted by their errors in the back-test"
    return f"a Random Forest of {metadata['parameters']['n_estimators']} trees inside one scikit-learn pipeline"


def _limits(metadata: Mapping[str, Any]) -> list[str]:
    if (metadata.get("recipe") or {}).get("kind", "forest") != "forest":
        return [
            "- Beyond six months ahead the booster answers as for the sixth; season and trading days are the month's."
        ]
    return ["- A forest does not extrapolate: sales far above anything in training come out too low."]


def _seed(metadata: Mapping[str, Any]) -> Any:
    """Of the forest, or of the booster that takes part; a profile has none."""
    recipe = metadata.get("recipe") or {}
    seeds = [part.get("seed") for part in (recipe, *(recipe.get("parts") or {}).values())]
    return next(
        (seed for seed in seeds if seed is not None), (metadata.get("parameters") or {}).get("random_state", "-")
    )


def _share(value: float | None) -> str:
    return "an unknown share" if value is None else f"{value:.0%}"


def _table(result: Verdict) -> list[str]:
    head = ["", *HEAD]
    rows = [[row.name, *row.cells] for row in result.table()]
    return [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *rows)]

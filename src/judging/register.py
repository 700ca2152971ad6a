"""Step register: register the selected model with its card if the verdict promotes it, or say why not."""

import argparse
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from demand import tracking
from demand.errors import StepError
from demand.grain import grain_of, name_of
from demand.steps import run
from forecasting import verdict
from forecasting.packing import NONE, fingerprint, read_metadata
from forecasting.verdict import Verdict
from judging import provenance
from judging.card import model_card

log = logging.getLogger(__name__)
CARD = provenance.CARD
# Names the file of a private key on a laptop, where no vault is.
KEY_VARIABLE = "MODEL_SIGNING_KEY"
# Tag of a version that bears a signature, so that a run with a key registers anew what one without has registered.
SIGNED = "signed"
# The version that forecasts and deployments take: an alias in MLflow, a tag in Azure ML, which has no aliases.
CHAMPION = "champion"


@dataclass(frozen=True)
class Provenance:
    """Where a model comes from; kept as tags of the version."""

    data_version: str
    git_commit: str
    recipe: str
    fingerprint: str


def build_parser() -> argparse.ArgumentParser:
    """Flags of the component register_model."""
    parser = argparse.ArgumentParser(prog="judging.register", description=__doc__)
    parser.add_argument("--verdict", type=Path, required=True, help="verdict of the evaluate step")
    parser.add_argument("--selected", type=Path, required=True, help="model that the verdict speaks of")
    parser.add_argument("--model-name", required=True, help="name of the store models; a finer grain adds its own")
    parser.add_argument("--data-version", default="unknown", help="version of the sales data asset")
    parser.add_argument("--git-commit", default="unknown", help="commit that the run was submitted from")
    parser.add_argument("--recipe", default="unknown", help="hash of specs, code and data version")
    parser.add_argument("--monthly", type=Path, required=True, help="the rows that were learned from")
    parser.add_argument("--as-of", default="none", help="day on which the run asked")
    parser.add_argument("--holdout-months", default="unknown", help="months that judged the candidates")
    parser.add_argument("--signing-key", default="none", help="address of a Key Vault key, or none")
    parser.add_argument("--attempt", default="first", help="another value decides anew what was decided before")
    parser.add_argument("--report", type=Path, required=True, help="output folder")
    return parser


def register(client: Any, folder: Path, name: str, tags: dict[str, str], run_id: str) -> str:
    """The new version of model `name` that holds `folder`.

    Creating the version is the last thing done, so a killed step leaves none.
    """
    client.log_artifacts(run_id, str(folder), "model")
    _create_name(client, name)
    source = f"{client.get_run(run_id).info.artifact_uri}/model"
    return str(client.create_model_version(name, source, run_id, tags=tags).version)


def crown(client: Any, name: str, version: str, now: datetime) -> None:
    """Make a version the champion of its name, in one call, so that there is one champion at every moment.

    Azure ML's registry has no aliases (azureml-mlflow knows no such call): there the version with the newest time in
    its tag `champion` is the champion, and the older tags are its predecessors' history.
    """
    client.set_model_version_tag(name, version, CHAMPION, now.isoformat(timespec="seconds"))
    if not tracking.is_azure():
        client.set_registered_model_alias(name, CHAMPION, version)


def describe(client: Any, name: str, version: str, card: str) -> None:
    """Show the card on the version's page.

    Whether Azure ML's registry takes a description from MLflow after the version was made is not documented; the card
    is among the run's files in any case, so a refusal is no reason to register nothing.
    """
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    try:
        client.update_model_version(name, version, description=card)
    except MlflowException as error:
        log.warning("The card is not shown on the page of %s:%s: %s", name, version, error)


def find_version(client: Any, name: str, wanted: Mapping[str, str]) -> str | None:
    """Version of `name` with the same fingerprint, and signed where the new one would be."""
    for version in client.search_model_versions(f"name='{name}'"):
        is_same = version.tags.get("fingerprint") == wanted["fingerprint"]
        if is_same and (SIGNED in version.tags or SIGNED not in wanted):
            return str(version.version)
    return None


def _create_name(client: Any, name: str) -> None:
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def tags_of(result: Verdict, origin: Provenance) -> dict[str, str]:
    """Tags of the version: where it comes from, and the figures of its verdict."""
    entry = result.candidates[result.selected]
    metrics = {"one_step": asdict(entry.one_step), "multi_step": asdict(entry.multi_step)}
    tags = {
        "candidate": result.selected,
        "compared_with": (result.champion.version if result.champion else None) or NONE,
        "data_version": origin.data_version,
        "git_commit": origin.git_commit,
        "recipe": origin.recipe,
        "fingerprint": origin.fingerprint,
        "metrics": json.dumps(metrics, sort_keys=True),
    }
    return tags | {"wape": f"{entry.one_step.wape:.6f}"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step."""
    args = build_parser().parse_args(argv)
    result = verdict.read(args.verdict)
    metadata = read_metadata(args.selected)
    if metadata.get("candidate") != result.selected:
        raise StepError(
            f"{args.selected}: holds {metadata.get('candidate')}, but the verdict is about {result.selected}; "
            "give both outputs of the same evaluate step"
        )
    origin = Provenance(args.data_version, args.git_commit, args.recipe, fingerprint(args.selected))
    args.report.mkdir(parents=True, exist_ok=True)
    page = args.verdict / "report.html"
    if page.is_file():
        shutil.copy(page, args.report / page.name)
    name = name_of(args.model_name, grain_of(metadata.get("features", ())))
    card = args.report / CARD
    card.write_text(model_card(result, metadata, vars(origin), name), encoding="utf-8")
    if not result.promoted:
        log.warning("Nothing is registered: %s", "; ".join(result.reasons))
    elif not tracking.is_on():
        raise StepError("a model is to be registered, but there is no registry: set MLFLOW_TRACKING_URI")
    else:
        _promote(args, name, result, origin)
        return 0
    verdict.write(result, args.report)
    return 0


def _promote(args: argparse.Namespace, name: str, result: Verdict, origin: Provenance) -> None:
    """Register the model, write the verdict, and at last make it the champion: a killed step crowns none."""
    from mlflow.tracking import MlflowClient  # noqa: PLC0415  importing it takes a second

    key = args.signing_key if args.signing_key != "none" else os.environ.get(KEY_VARIABLE)
    tags = tags_of(result, origin) | ({SIGNED: "yes"} if key else {})
    with tracking.run("register") as tracker:
        tracker.log_params({key: tags[key] for key in ("candidate", "data_version", "git_commit", "recipe")})
        tracker.log_file(args.report / CARD)
        assert tracker.run_id  # noqa: S101  tracking is on here
        client = MlflowClient()
        version = find_version(client, name, tags)
        if version:
            log.info("%s:%s holds this very model already: no second version", name, version)
        else:
            with tempfile.TemporaryDirectory() as place:
                signed = _signed(args, name, origin, key, Path(place) / "model")
                version = register(client, signed, name, tags, tracker.run_id)
        verdict.write(replace(result, model={"name": name, "version": version}), args.report)
        describe(client, name, version, (args.report / CARD).read_text(encoding="utf-8"))
        crown(client, name, version, datetime.now(UTC))
    log.info("%s:%s, %s, is the champion", name, version, result.selected)


def _signed(args: argparse.Namespace, name: str, origin: Provenance, key: str | None, target: Path) -> Path:
    """A copy of the model with its provenance and, where there is a key, its signature."""
    shutil.copytree(args.selected, target)
    settings = {"as_of": args.as_of, "holdout_months": str(args.holdout_months), "attempt": args.attempt}
    made = provenance.Origin(
        name, origin.data_version, origin.git_commit, origin.recipe, origin.fingerprint,
        os.environ.get("AZUREML_ROOT_RUN_ID") or os.environ.get("AZUREML_RUN_ID") or "unknown", settings, args.monthly,
    )  # fmt: skip
    provenance.describe(target, args.verdict / provenance.VERDICT, args.report / CARD, made)
    if key:
        provenance.sign(target, key)
    else:
        log.warning("%s is not signed, and no rollout takes it: the run had no signing_key", name)
    return target


if __name__ == "__main__":
    raise SystemExit(run(main))

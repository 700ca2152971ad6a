"""Step register: register the selected model with its card if the verdict promotes it, or say why not."""

import argparse
import json
import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demand import tracking, verdict
from demand.card import model_card
from demand.errors import UserError, run
from demand.packing import fingerprint, read_metadata

log = logging.getLogger(__name__)
CARD = "model_card.md"


@dataclass(frozen=True)
class Provenance:
    """Where a model comes from; kept as tags of the version."""

    data_version: str
    git_commit: str
    recipe: str
    fingerprint: str


def build_parser() -> argparse.ArgumentParser:
    """Flags of the component register_model."""
    parser = argparse.ArgumentParser(prog="demand.register", description=__doc__)
    parser.add_argument("--verdict", type=Path, required=True, help="verdict of the evaluate step")
    parser.add_argument("--selected", type=Path, required=True, help="model that the verdict speaks of")
    parser.add_argument("--model-name", default="demand-forecast", help="name of the registered model")
    parser.add_argument("--data-version", default="unknown", help="version of the sales data asset")
    parser.add_argument("--git-commit", default="unknown", help="commit that the run was submitted from")
    parser.add_argument("--recipe", default="unknown", help="hash of specs, code and data version")
    parser.add_argument("--report", type=Path, required=True, help="output folder")
    return parser


def register(folder: Path, name: str, tags: dict[str, str], run_id: str) -> str:
    """Version of model `name` that holds `folder`: a new one, or the one with the same fingerprint.

    Creating the version is the last thing done, so a killed step leaves none.
    """
    from mlflow.tracking import MlflowClient  # noqa: PLC0415  importing it takes a second

    client = MlflowClient()
    known = find_version(client, name, tags["fingerprint"])
    if known:
        log.info("%s:%s holds this very model already: no second version", name, known)
        return known
    client.log_artifacts(run_id, str(folder), "model")
    _create_name(client, name)
    source = f"{client.get_run(run_id).info.artifact_uri}/model"
    return str(client.create_model_version(name, source, run_id, tags=tags).version)


def find_version(client: Any, name: str, wanted: str) -> str | None:
    """Version of `name` whose fingerprint tag is `wanted`."""
    for version in client.search_model_versions(f"name='{name}'"):
        if version.tags.get("fingerprint") == wanted:
            return str(version.version)
    return None


def _create_name(client: Any, name: str) -> None:
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def tags_of(result: dict[str, Any], origin: Provenance) -> dict[str, str]:
    """Tags of the version: where it comes from, and the figures of its verdict."""
    entry = result["candidates"][result["selected"]]
    metrics = {kind: entry[kind] for kind in ("one_step", "multi_step")}
    tags = {
        "candidate": str(result["selected"]),
        "data_version": origin.data_version,
        "git_commit": origin.git_commit,
        "recipe": origin.recipe,
        "fingerprint": origin.fingerprint,
        "metrics": json.dumps(metrics, sort_keys=True),
    }
    return tags | {"wape": f"{entry['one_step']['wape']:.6f}"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step."""
    args = build_parser().parse_args(argv)
    result = verdict.read(args.verdict)
    metadata = read_metadata(args.selected)
    if metadata.get("candidate") != result["selected"]:
        raise UserError(
            f"{args.selected}: holds {metadata.get('candidate')}, but the verdict is about {result['selected']}; "
            "give both outputs of the same evaluate step"
        )
    origin = Provenance(args.data_version, args.git_commit, args.recipe, fingerprint(args.selected))
    args.report.mkdir(parents=True, exist_ok=True)
    page = args.verdict / "report.html"
    if page.is_file():
        shutil.copy(page, args.report / page.name)
    card = args.report / CARD
    card.write_text(model_card(result, metadata, vars(origin), args.model_name), encoding="utf-8")
    if not result["promoted"]:
        log.warning("Nothing is registered: %s", "; ".join(result["reasons"]))
    elif not tracking.is_on():
        raise UserError("a model is to be registered, but there is no registry: set MLFLOW_TRACKING_URI")
    else:
        with tracking.run("register") as tracker:
            result["model"] = {"name": args.model_name, "version": _registered(args, result, origin, tracker)}
    verdict.write(result, args.report)
    return 0


def _registered(args: argparse.Namespace, result: dict[str, Any], origin: Provenance, tracker: tracking.Tracker) -> str:
    tags = tags_of(result, origin)
    tracker.log_params({name: tags[name] for name in ("candidate", "data_version", "git_commit", "recipe")})
    tracker.log_file(args.report / CARD)
    assert tracker.run_id  # noqa: S101  tracking is on here
    version = register(args.selected, args.model_name, tags, tracker.run_id)
    log.info("Registered %s:%s, %s", args.model_name, version, result["selected"])
    return version


if __name__ == "__main__":
    raise SystemExit(run(main))

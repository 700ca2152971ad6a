"""Where a run comes from: version of the sales, git commit, recipe; and which version it has to beat."""

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from amlspec.document import read_document
from amlspec.errors import UserError
from amlspec.schema import Component, parse
from localml import component_code
from pipeline import azml, imported, models

PIPELINE = "ml/pipelines/train.yml"
# What decides the outcome of a training run, besides its pipeline, its steps, the sales and the settings of the call.
RECIPE_PATHS = (
    "ml/data/sales.contract.yml",
    "ml/data/monthly_sales.sql",
    "ml/gate.yml",
    "ml/environments/demand*",
    "ml/environments/demand/*",
)


def settings(root: Path, model: str, given: list[str], attempt: str) -> list[str]:
    """`--set` values for ml/pipelines/train.yml; `model` is the name of the grain's models.

    A model is never its own champion: where this very recipe made the champion, the run compares with what that was
    compared with. So a rerun of an unchanged recipe asks the same question, gets the same answer, and reuses every
    step. `attempt`, a name that no run had before, makes it decide anew where this recipe's model lost the title
    without another winning it, as when the champion was moved by hand.
    """
    sales = imported.newest()
    if not sales and azml.is_local():
        raise UserError("the data asset sales is not registered yet: run `make import-data` first")
    # Without one in the workspace the spec's own sales@latest stands, and the service says what is missing.
    version = str(sales["version"]) if sales else "latest"
    recipe = recipe_hash(root, [version, *sorted(given)])
    known = models.versions(model)
    best = models.champion(known)
    is_known = any(models.tags(each).get("recipe") == recipe for each in known)
    is_champion = best is not None and models.tags(best).get("recipe") == recipe
    return [
        *([f"inputs.sales.path=azureml:sales:{version}"] if sales else []),
        f"inputs.as_of={imported.day(sales)}",
        f"inputs.data_version={version}",
        f"inputs.champion={rival(best, recipe)}",
        f"inputs.attempt={attempt if is_known and not is_champion else 'first'}",
        f"inputs.git_commit={git_commit(root)}",
        f"inputs.recipe={recipe}",
        *given,
    ]


def rival(champion: models.Version | None, recipe: str) -> str:
    """Version that a run of `recipe` has to beat, or none."""
    if champion is None:
        return "none"
    tags = models.tags(champion)
    # No rollout takes an unsigned champion, as a job without a key leaves one: it must not keep a signed one out.
    if "signed" not in tags:
        return tags.get("compared_with", "none")
    return tags.get("compared_with", "none") if tags.get("recipe") == recipe else str(champion["version"])


def recipe_hash(root: Path, more: list[str]) -> str:
    """Hash of the training pipeline, its components with the code they carry, and what else decides the outcome."""
    files = {path for pattern in RECIPE_PATHS for path in root.glob(pattern) if path.is_file()}
    files |= {root / PIPELINE, *steps_files(root / PIPELINE)}
    names = {path.resolve().relative_to(root.resolve()).as_posix(): path for path in files}
    digest = hashlib.sha256()
    for name, path in sorted(names.items()):
        digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\0".encode())
    digest.update("\0".join(more).encode())
    return digest.hexdigest()[:16]


def steps_files(pipeline: Path) -> Iterator[Path]:
    """Specs of the components that a pipeline names by path, and the files that they carry."""
    jobs = read_document(pipeline).data.get("jobs") or {}
    for reference in {str(job["component"]) for job in jobs.values() if "component" in job}:
        spec = pipeline.parent / reference
        document = read_document(spec)
        yield spec
        yield from component_code.of(parse(Component, document), document).members().values()


def git_commit(root: Path) -> str:
    """The commit that the run was submitted from; `-dirty` where the tree differs from it, unknown outside git."""
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (subprocess.CalledProcessError, FileNotFoundError):
        return "unknown"

"""Where a run comes from: version of the sales, git commit, recipe; and which version it has to beat."""

import hashlib
import subprocess
from pathlib import Path
from typing import Any

from localml.errors import UserError
from localml.paths import version_key
from pipeline import azml

# What decides the outcome of a training run, besides the sales and the settings of the call.
RECIPE_PATHS = (
    *("ml/pipelines/train.yml", "ml/components", "ml/environments", "src"),
    *("ml/data/sales.contract.yml", "ml/data/monthly_sales.sql"),
)


def settings(root: Path, model: str, given: list[str]) -> list[str]:
    """`--set` values for ml/pipelines/train.yml.

    The champion is the highest registered version that another recipe made: a model is never its own champion, so a
    rerun of an unchanged recipe asks the same question again, gets the same answer, and reuses every step.
    """
    # A list has no promised order; the label is the newest version's on either engine.
    latest = azml.optional("data", "show", "--name", "sales", "--label", "latest")
    if not latest and azml.is_local():
        raise UserError("the data asset sales is not registered yet: run `make import-data` first")
    # Without one in the workspace the spec's own sales@latest stands, and the service says what is missing.
    version = str(latest["version"]) if latest else "latest"
    recipe = recipe_hash(root, [version, *sorted(given)])
    return [
        *([f"inputs.sales.path=azureml:sales:{version}"] if latest else []),
        f"inputs.data_version={version}",
        f"inputs.champion={champion(model, recipe)}",
        f"inputs.git_commit={git_commit(root)}",
        f"inputs.recipe={recipe}",
        *given,
    ]


def champion(model: str, recipe: str) -> str:
    """Version to beat, or none. Versions compare as numbers."""
    others = [each for each in _versions(model) if (each.get("tags") or {}).get("recipe") != recipe]
    return max((str(each["version"]) for each in others), key=version_key, default="none")


def _versions(model: str) -> list[dict[str, Any]]:
    listed = azml.call("model", "list", "--name", model)
    # Lists of Azure ML may leave tags out; a version's own page has them.
    return [
        each if each.get("tags") else azml.call("model", "show", "--name", model, "--version", str(each["version"]))
        for each in listed or []
    ]


def recipe_hash(root: Path, more: list[str]) -> str:
    """Hash of specs and code (without caches), and of what else decides the outcome."""
    digest = hashlib.sha256()
    for name in RECIPE_PATHS:
        path = root / name
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(f"{file.relative_to(root)}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\0".encode())
    digest.update("\0".join(more).encode())
    return digest.hexdigest()[:16]


def git_commit(root: Path) -> str:
    """The commit that the run was submitted from; `-dirty` where the tree differs from it, unknown outside git."""
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (subprocess.CalledProcessError, FileNotFoundError):
        return "unknown"

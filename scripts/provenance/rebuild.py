"""A model trained again from its statement, in a workspace of its own, and its bytes compared."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from amlspec.errors import UserError
from demand.grain import GRAINS
from forecasting.packing import fingerprint
from host import git
from localml import assets
from pipeline import azml
from pipeline.apart import Apart
from provenance.check import Proved

PIPELINE = "ml/pipelines/train.yml"


def compare(proved: Proved, name: str, grain: str, say: Callable[[str], None]) -> int:
    """0 where the same model comes out, 1 where another does.

    What is compared is the fingerprint: estimator, metadata and serving files. Of an MLflow folder the times and ids
    that it notes of its own making differ from run to run.

    Raises:
        UserError: the commit or the sales of the model are not here, or the run fails.
    """
    commit, number = str(proved.made_of["commit"]), str(proved.made_of["data_version"])
    if len(commit) != 40:
        raise UserError(f"it was made of the commit {commit}, which cannot be checked out: commit, then train", 1)
    if azml.optional("data", "show", name="sales", version=number) is None:
        raise UserError(f"the sales that it was made of (version {number}) are not in this workspace", 1)
    sales = assets.get("data", "sales", number).content
    assert sales is not None  # noqa: S101 - a data asset has files
    with tempfile.TemporaryDirectory() as place:
        source, home = Path(place) / "source", Path(place) / "home"
        git.check_out(Path.cwd(), source, commit)
        say(f"Training {name} again from {commit[:12]} and sales version {number}, without anything kept")
        made = _train(source, home, sales, proved, grain)
        digest = fingerprint(made)
    same = digest == proved.made_of["fingerprint"]
    say(f"  fingerprint {digest}: {'the same' if same else 'another, ' + str(proved.made_of['fingerprint'])}")
    return 0 if same else 1


def _train(source: Path, home: Path, sales: Path, proved: Proved, grain: str) -> Path:
    """The selected model of the run."""
    engine = Apart(source, home)
    engine.prepare(sales)
    made_of = proved.made_of
    settings = {
        "sales.path": "azureml:sales:1",
        "as_of": made_of["as_of"],
        "holdout_months": made_of["holdout_months"],
        "data_version": made_of["data_version"],
        "git_commit": made_of["commit"],
        "recipe": made_of["recipe"],
        **({"grain": grain} if grain != GRAINS[0] else {}),
    }
    words = [f"inputs.{key}={value}" for key, value in settings.items()]
    engine.run(source / PIPELINE, "rebuilt", words)
    selected = sorted(home.glob("outputs/*/selected/MLmodel"))
    if len(selected) != 1:
        raise UserError("the run left no selected model", 1)
    return selected[0].parent

"""State of its own for a soak: the newest model of LOCALML_HOME three times, the third one broken."""

import os
import shutil
from pathlib import Path

from amlspec.document import read_document
from amlspec.errors import UserError
from host.state import home
from localml import verbs_endpoints
from pipeline import azml
from provenance import rehearsal

# A model that was cut off in the middle of its upload: whatever it is stored as, nothing of it loads.
BROKEN = (".pkl", ".onnx", ".npz")
CUT_AT = 100


def make() -> Path:
    """The new state's folder. Raises UserError where no model is registered."""
    os.environ["LOCALML_STRICT"] = "0"  # the path of a model is the local engine's own
    name = str(read_document(Path("ml/deploy/deployment.yml")).data["model"]).split(":")[1].split("@")[0]
    model = azml.optional("model", "show", name=name, label="latest")
    if model is None:
        raise UserError("no model is registered yet: `make run-pipeline` makes one")
    before, folder = home(), home() / "soak"
    try:
        os.environ["LOCALML_HOME"] = str(folder)
        if folder.is_dir():
            verbs_endpoints.stop_every()
            shutil.rmtree(folder)
        good = _copied(Path(str(model["path"])), home() / "good/model")
        for path in (good, good, _broken(good, home() / "broken/model")):
            tags = [f"tags.{key}={value}" for key, value in rehearsal.prepare(path, name).items()]
            azml.run("model", "create", name=name, path=str(path), type="mlflow_model", settings=tags)
        azml.run("environment", "create", spec=Path("ml/environments/score.yml"))
        azml.run("compute", "attach", spec=Path("ml/deploy/compute.yml"))
    finally:
        os.environ["LOCALML_HOME"] = str(before)
    return folder


def _copied(good: Path, target: Path) -> Path:
    shutil.copytree(good, target)
    for path in target.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return target


def _broken(good: Path, target: Path) -> Path:
    for path in _copied(good, target).rglob("*"):
        if path.suffix in BROKEN:
            os.truncate(path, CUT_AT)
    return target

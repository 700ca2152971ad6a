"""Models on disk: an MLflow model folder with its signature, its metadata and the code that loads it."""

import hashlib
import json
import logging
import shutil
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

import demand
from demand.errors import StepError
from demand.served_model import serving_folder
from forecasting.features import CATEGORICAL

REQUIREMENTS = ("mlflow-skinny", "scikit-learn", "pandas", "numpy", "cloudpickle")
PICKLE = "model.pkl"
# What a step is given in place of a registered version where there is none.
NONE = "none"
# Modules of `demand` that a saved model is made of.
LOADING = ("model", "direct_model", "booster_inputs", "known", "months", "panel", "parts", "profile", "state")
TEXTS, NEEDED = CATEGORICAL | {"MonthYear"}, ("StoreID", "MonthYear")


@dataclass(frozen=True)
class Packed:
    """A loaded model and what was noted when it was trained: candidate, features, trained_until, interval, ..."""

    model: Any
    metadata: dict[str, Any]

    @property
    def features(self) -> list[str]:
        """Names of its input columns."""
        return list(self.metadata.get("features", ()))


def save(model: Any, example: pd.DataFrame, metadata: dict[str, Any], folder: Path) -> None:
    """Write an MLflow model into `folder`, which must not exist or be empty.

    Args:
        model: fitted estimator.
        example: a few rows of its input; gives the signature its columns.
        metadata: what `Packed.metadata` returns; must be JSON.
        folder: where to.
    """
    import mlflow.sklearn  # noqa: PLC0415  importing it takes a second

    # It warns that pickles run code when loaded; skops, its answer, refuses a forest as an untrusted type.
    logging.getLogger("mlflow.sklearn").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as code:
        mlflow.sklearn.save_model(
            model,
            str(folder),
            serialization_format=mlflow.sklearn.SERIALIZATION_FORMAT_CLOUDPICKLE,
            signature=_signature(example),
            input_example=example,
            code_paths=[str(_loading_code(Path(code)))],
            pip_requirements=[f"{name}=={version(name)}" for name in REQUIREMENTS],
            metadata=metadata,
        )


def _loading_code(folder: Path) -> Path:
    """The part of `demand` that a saved model refers to by name."""
    source, package = Path(str(demand.__file__)).parent, folder / "demand"
    package.mkdir()
    for name in ("__init__", *LOADING):
        shutil.copy(source / f"{name}.py", package / f"{name}.py")
    return package


def _signature(example: pd.DataFrame) -> Any:
    """Text and numbers; StoreID, and MonthYear where it is an input, must be there, the rest may be missing."""
    from mlflow.models import ModelSignature  # noqa: PLC0415
    from mlflow.types import ColSpec, Schema  # noqa: PLC0415

    columns: list[Any] = [
        ColSpec("string" if name in TEXTS else "double", str(name), required=name in NEEDED) for name in example.columns
    ]
    return ModelSignature(inputs=Schema(columns), outputs=Schema([ColSpec("double")]))


def load(source: Path | str) -> Packed:
    """Load a model folder, or `models:/<name>/<version>` from the registry.

    Raises:
        StepError: no model there, or one that this code cannot load.
    """
    import mlflow.sklearn  # noqa: PLC0415
    from mlflow.models import Model  # noqa: PLC0415

    try:
        metadata = Model.load(str(source)).metadata or {}
        return Packed(mlflow.sklearn.load_model(str(source)), metadata)
    except Exception as error:  # whatever a broken pickle raises
        raise StepError(f"{source}: not a model that can be loaded: {type(error).__name__}: {error}") from error


def read_metadata(folder: Path) -> dict[str, Any]:
    """The metadata of a model folder, without loading the model.

    Raises:
        StepError: no model there.
    """
    path = folder / "MLmodel"
    if not path.is_file() or not (folder / PICKLE).is_file():
        raise StepError(f"{folder}: holds no model; give the selected output of the evaluate step")
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")).get("metadata") or {})


def fingerprint(folder: Path) -> str:
    """SHA-256 of estimator, metadata and serving files: equal for equal models, whenever they were saved."""
    digest = hashlib.sha256((folder / PICKLE).read_bytes())
    for path in sorted(serving_folder(folder).glob("*")):
        digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    digest.update(json.dumps(read_metadata(folder), sort_keys=True).encode())
    return digest.hexdigest()

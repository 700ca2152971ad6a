"""A registered model as the endpoint finds it: who it is, and where in its folder the files of the endpoint lie."""

import os
from pathlib import Path

# Not `serving`: azureml-mlflow lists artifacts by prefix, and MLflow writes a file serving_input_example.json.
SERVING = "endpoint"
# Models that were registered before that.
FORMER = "serving"


def serving_folder(model: Path) -> Path:
    """The folder below `model`; it need not exist."""
    return model / (FORMER if (model / FORMER).is_dir() else SERVING)


def identity(root: Path) -> tuple[str, str]:
    """(name, version) of the model: of MODEL_REFERENCE, <name>:<version>, or else as AZUREML_MODEL_DIR shows them.

    Microsoft's documents show .../azureml-models/<name>/<version>; for more than one model it is another folder.
    """
    name, _, version = os.environ.get("MODEL_REFERENCE", "").rpartition(":")
    if name and version:
        return name, version
    parts = root.parts
    if "azureml-models" in parts[:-2]:
        parts = parts[: parts.index("azureml-models") + 3]
    return parts[-2], parts[-1]

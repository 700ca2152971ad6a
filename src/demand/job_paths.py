"""Names of a step's files that its user can open: paths on a laptop, inputs and outputs of the job on Azure ML."""

import os
from pathlib import Path


def on_azure() -> bool:
    """Whether Azure ML runs this step: its tracking address is azureml://..., which nothing else uses."""
    return os.environ.get("MLFLOW_TRACKING_URI", "").startswith("azureml")


def job() -> str:
    """The job that this step is, as Azure ML and the local engine name it; empty outside of one."""
    return os.environ.get("AZUREML_RUN_ID", "")


def shown_input(path: Path) -> str:
    """An input file; on Azure ML its folder is the container's, so only its name helps."""
    return path.name if on_azure() else str(path)


def shown_folder(name: str, path: Path) -> str:
    """The folder of an input; on Azure ML it is a mount in the container, so the input's name and the job say it."""
    return f"input {name} of job {job()}" if on_azure() else str(path)


def shown_output(output: str, path: Path) -> str:
    """A file in the output folder that the component calls `output`."""
    return f"{path.name} in output {output} of job {job()}" if on_azure() else str(path)

"""The one place that talks to MLflow while a step runs: metrics, parameters and figures, on both engines alike."""

import logging
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from demand.errors import StepError

log = logging.getLogger(__name__)
LATEST = "latest"


class Tracker(Protocol):
    """What a step may record of its run."""

    run_id: str | None

    def log_metrics(self, metrics: Mapping[str, float | None]) -> None: ...

    def log_params(self, params: Mapping[str, Any]) -> None: ...

    def log_file(self, path: Path, folder: str | None = None) -> None: ...


class NoTracker:
    """Keeps nothing: there is no tracking server."""

    run_id: str | None = None

    def log_metrics(self, metrics: Mapping[str, float | None]) -> None:
        """Ignored."""

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Ignored."""

    def log_file(self, path: Path, folder: str | None = None) -> None:
        """Ignored."""


class MlflowTracker:
    """Records into the active MLflow run."""

    def __init__(self, mlflow: Any, run_id: str) -> None:
        self._mlflow = mlflow
        self.run_id: str | None = run_id

    def log_metrics(self, metrics: Mapping[str, float | None]) -> None:
        """Log finite figures; None and NaN are left out, since a tracking server refuses them."""
        finite = {name: float(value) for name, value in metrics.items() if value is not None and math.isfinite(value)}
        self._mlflow.log_metrics(finite)

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Log settings as text."""
        self._mlflow.log_params(dict(params))

    def log_file(self, path: Path, folder: str | None = None) -> None:
        """Keep one file with the run."""
        self._mlflow.log_artifact(str(path), folder)


def is_on() -> bool:
    """Whether a tracking server is set."""
    return bool(os.environ.get("MLFLOW_TRACKING_URI"))


def is_azure() -> bool:
    """Whether the tracking server is an Azure ML workspace."""
    return os.environ.get("MLFLOW_TRACKING_URI", "").startswith("azureml:")


def download(uri: str) -> Path:
    """A registered model's folder on this machine.

    Raises:
        StepError: there is no such model, or it cannot be read.
    """
    from mlflow.artifacts import download_artifacts  # noqa: PLC0415  importing it takes a second
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    try:
        return Path(download_artifacts(artifact_uri=uri))
    except (MlflowException, OSError) as error:
        raise StepError(f"{uri}: cannot be read: {error}") from error


def champion(name: str) -> str | None:
    """The version that was made champion last; the highest where none was; None where none is registered.

    On Azure ML, whose registry has no aliases, each promotion leaves its time in the tag `champion` of its version
    (`judging.register.crown`), and the newest counts.
    """
    from mlflow import MlflowClient  # noqa: PLC0415
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    client = MlflowClient()
    if not is_azure():
        try:
            return str(client.get_model_version_by_alias(name, "champion").version)
        except MlflowException:
            log.info("%s has no champion by an alias", name)
    known = list(client.search_model_versions(f"name='{name}'"))
    crowned = [each for each in known if each.tags.get("champion")]
    if crowned:
        return str(max(crowned, key=lambda each: str(each.tags["champion"])).version)
    return str(max((int(each.version) for each in known), default="")) or None


def number(name: str, version: str) -> str:
    """`version`, or the number behind the label `latest` as far as a registry tells it."""
    if version != LATEST or not is_on():
        return version
    from mlflow import MlflowClient  # noqa: PLC0415

    known = MlflowClient().search_model_versions(f"name='{name}'")
    return str(max((int(each.version) for each in known), default=LATEST))


@contextmanager
def run(step: str) -> Iterator[Tracker]:
    """Open the step's MLflow run; on Azure ML that resumes the run of the job (MLFLOW_RUN_ID).

    Without MLFLOW_TRACKING_URI nothing is recorded. Importing mlflow takes a second, so it is imported here.
    """
    if not is_on():
        log.info("MLFLOW_TRACKING_URI is not set: metrics of %s are not recorded", step)
        yield NoTracker()
        return
    import mlflow  # noqa: PLC0415

    with mlflow.start_run(run_name=step) as active:
        yield MlflowTracker(mlflow, active.info.run_id)

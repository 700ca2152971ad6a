"""MLflow of the local engine: one SQLite store for runs and models. Importing mlflow costs 1-2 s, so the engine never
does: what needs the library runs as `python -m localml.tracking`, what only looks reads the database (registry.py)."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from amlspec.errors import UserError
from host import process
from host.state import home
from localml import registry, runs, schema_guard

ATTEMPT = "localml.attempt"
# By this tag MLflow's page opens an experiment in its machine-learning view, not in that of agents and prompts. No page
# of its documentation names it: key and values are those of the page's own script (mlflow 3.15.0).
EXPERIMENT_KIND, MACHINE_LEARNING = "mlflow.experimentKind", "custom_model_development"


def uri() -> str:
    """Tracking and registry URI."""
    return f"sqlite:///{registry.database()}"


def start_job(experiment: str, job: str) -> str:
    """Start the run of a job; its id."""
    return runs.start(experiment, job, {"localml.job": job})


def start_step(experiment: str, parent: str, job: str, step: str) -> dict[str, str]:
    """Start the run of a step below its job's; the variables by which `mlflow.start_run()` resumes it."""
    tags = {"localml.job": job, "localml.step": step, ATTEMPT: f"{job}/{step}"}
    run = runs.start(experiment, step, {"mlflow.parentRunId": parent, **tags})
    return {
        "MLFLOW_TRACKING_URI": uri(),
        "MLFLOW_EXPERIMENT_NAME": experiment,
        "MLFLOW_RUN_ID": run,
        "AZUREML_RUN_ID": run,
        "AZUREML_ROOT_RUN_ID": parent,
        # For runs that the step opens besides.
        "MLFLOW_RUN_CONTEXT": json.dumps(tags),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PIP_CONSTRAINT": schema_guard.constraint(),
    }


def prepare(experiment: str) -> None:
    """Make the store and the experiment, where they are missing (about 3 s, once), and see that no step changes the
    store's layout."""
    if registry.has_experiment(experiment) and not schema_guard.is_needed():
        return
    with FileLock(home() / ".mlflow.lock"):
        if schema_guard.is_needed():  # made by another MLflow, or by an engine before this one
            schema_guard.lift()
            _run(["-m", "mlflow", "db", "upgrade", uri()])
        if not registry.has_experiment(experiment):
            _call("experiment", experiment)
        schema_guard.place()


def rollback(attempt: str) -> None:
    """Take back what a step that died had begun: its runs end as FAILED, its model versions go."""
    run_ids = registry.run_ids(ATTEMPT, attempt)
    if any(registry.has_versions_of(run) for run in run_ids):
        _call("rollback", attempt)
    for run in run_ids:
        runs.finish(run, runs.FAILED)


def register(name: str, path: Path, tags: dict[str, str], description: str | None, version: str | None = None) -> str:
    """Register a model folder; the new version, which is the next number where none is given."""
    prepare("model-registrations")
    registered = _call("register", name, str(path), json.dumps(tags), description or "").splitlines()[-1]
    if version is None or version == registered:
        return registered
    registry.renumber(name, registered, version)  # MLflow numbers versions itself
    return version


def tag(name: str, version: str, tags: dict[str, str]) -> None:
    """Set tags of a version; `champion` moves the alias, too, as the register step does."""
    _call("tag", name, version, json.dumps(tags))


def _call(*arguments: str) -> str:
    return _run(["-m", "localml.tracking", *arguments])


def _run(words: list[str]) -> str:
    variables = {**process.inherited(), "MLFLOW_TRACKING_URI": uri(), "MLFLOW_DISABLE_TELEMETRY": "true"}
    done = subprocess.run([sys.executable, *words], env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise UserError(f"the MLflow store {registry.database()} does not answer: {last}", exit_code=1)
    return done.stdout.strip()


def _make_experiment(name: str) -> None:
    from mlflow import MlflowClient  # noqa: PLC0415

    client = MlflowClient()
    if client.get_experiment_by_name(name) is None:
        place = (home() / "mlartifacts" / name).as_uri()
        client.create_experiment(name, artifact_location=place, tags={EXPERIMENT_KIND: MACHINE_LEARNING})


def _roll_back(attempt: str) -> None:
    from mlflow import MlflowClient  # noqa: PLC0415

    client = MlflowClient()
    for run in registry.run_ids(ATTEMPT, attempt):
        for version in client.search_model_versions(f"run_id = '{run}'"):
            client.delete_model_version(version.name, version.version)
            if not client.search_model_versions(f"name = '{version.name}'"):
                client.delete_registered_model(version.name)
        client.set_terminated(run, status="FAILED")


def _register(name: str, path: str, tags: str, description: str) -> None:
    import mlflow  # noqa: PLC0415

    mlflow.set_experiment("model-registrations")
    with mlflow.start_run(run_name=name) as run:
        (mlflow.log_artifact if Path(path).is_file() else mlflow.log_artifacts)(path, "model")
    client = mlflow.MlflowClient()
    with contextlib.suppress(mlflow.MlflowException):  # the name exists
        client.create_registered_model(name)
    # mlflow.register_model takes no model without a file MLmodel; a custom model has none.
    source = f"{run.info.artifact_uri}/model"
    version = client.create_model_version(name, source, run.info.run_id, json.loads(tags), description=description)
    sys.stdout.write(f"{version.version}\n")


def _tag(name: str, version: str, tags: str) -> None:
    from mlflow import MlflowClient  # noqa: PLC0415

    client = MlflowClient()
    for key, value in json.loads(tags).items():
        client.set_model_version_tag(name, version, key, value)
        if key == registry.CHAMPION:
            client.set_registered_model_alias(name, registry.CHAMPION, version)


def main(arguments: list[str]) -> None:
    """Verbs of the helper process: experiment NAME, rollback ATTEMPT, register NAME PATH TAGS DESCRIPTION, tag NAME
    VERSION TAGS."""
    verb, *rest = arguments
    verbs: dict[str, Callable[..., None]] = {
        "experiment": _make_experiment,
        "rollback": _roll_back,
        "register": _register,
        "tag": _tag,
    }
    verbs[verb](*rest)


if __name__ == "__main__":
    main(sys.argv[1:])

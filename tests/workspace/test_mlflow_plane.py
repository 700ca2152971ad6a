"""The MLflow plane: what a notebook tracks through azureml-mlflow, into the store that the engine keeps."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import Any

import pytest

pytestmark = pytest.mark.slow

NOTEBOOK = """\
import json, sys
import mlflow
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("notebook")
with mlflow.start_run() as run:
    mlflow.log_param("trees", 100)
    mlflow.log_metric("wape", 0.06)
    mlflow.set_tag("by", "hand")
found = mlflow.search_runs(experiment_names=["notebook"], output_format="list")
said = {"run": run.info.run_id, "found": [each.info.run_id for each in found], "data": found[0].data.metrics}
print(json.dumps(said))
"""


def test_a_notebooks_run_is_in_the_engines_own_store(workspace: Any, client: Any) -> None:
    uri = client.workspaces.get("local").mlflow_tracking_uri
    assert uri.startswith("azureml://127.0.0.1:")
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
    command = [sys.executable, "-c", NOTEBOOK, uri]
    done = subprocess.run(command, env={**kept, **workspace.variables}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "management.azure.com" not in done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert (said["found"], said["data"]) == ([said["run"]], {"wape": 0.06})
    with closing(sqlite3.connect(workspace.home / "mlflow.db")) as store:
        assert store.execute("select value from params where run_uuid = ?", (said["run"],)).fetchall() == [("100",)]


def test_the_plane_asks_for_a_token_and_takes_calls_of_mlflow_only(workspace: Any) -> None:
    path = f"/mlflow/v2.0{workspace.id}/api/2.0/mlflow"
    assert workspace.request("POST", f"{path}/experiments/search", {}, Authorization="").status_code == 401
    for call in ("..%2f..%2fhealth", "runs/%2e%2e/x", "a b"):
        assert workspace.request("GET", f"{path}/{call}").status_code == 400
    answer = workspace.request("GET", f"{path}/runs/get?run_id=nothing")
    assert (answer.status_code, answer.json()["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")

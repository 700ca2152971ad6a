"""Run history: a run with its state, its log and its outputs, in the service's words."""

from typing import Any

from workspace import tokens
from workspace.runs import LOG, Run, child_id
from workspace.site import ARTIFACTS, Site
from workspace.translate import data, ids

# Azure ML's run history writes types in this way, and azure-ai-ml 1.35 looks for another (azure-sdk-for-python #48941).
_TYPES = {"uri_folder": "UriFolder", "uri_file": "UriFile", "mltable": "MLTable"}
_MODELS = {"mlflow_model": "MLFlowModel", "custom_model": "CustomModel", "triton_model": "TritonModel"}


def run(site: Site, found: Run) -> dict[str, Any]:
    """A run (runhistory `Run`)."""
    record, own = found.record, found.own
    body = {
        "runId": found.id,
        "rootRunId": record["name"],
        "parentRunId": record["name"] if found.step else None,
        "experimentId": record["experiment_name"],
        "status": found.status,
        "displayName": found.step or record["display_name"],
        "name": found.step or record["display_name"],
        "description": None if found.step else record.get("description"),
        "createdUtc": own.get("started") or record["creation_context"]["created_at"],
        "startTimeUtc": own.get("started"),
        "runType": "azureml.StepRun" if found.step else "azureml.PipelineRun",
        "tags": {},
        "properties": _properties(found),
        "error": error(found),
        "outputs": outputs(site, found),
        "target": "local",
    }
    return ids.without_none(body)


def details(site: Site, found: Run) -> dict[str, Any]:
    """A run's details: its state, and signed addresses of its logs."""
    files = {}
    if found.log and found.log.is_file():
        blob = f"ExperimentRun/dcid.{found.id}/{LOG}"
        signature = tokens.sas(site.secrets, site.container(ARTIFACTS), "r", blob)
        files[LOG] = site.blob_url(ARTIFACTS, blob, signature)
    return {**run(site, found), "logFiles": files, "warnings": []}


def error(found: Run) -> dict[str, Any] | None:
    """Why a run failed."""
    if found.status != "Failed":
        return None
    steps = found.record["jobs"]
    said = [f"{name}: {step['error']}" for name, step in steps.items() if step.get("error")]
    message = found.own.get("error") or "; ".join(said) or "the log says why"
    return {"error": {"code": "UserError", "message": message, "details": []}}


def _properties(found: Run) -> dict[str, str]:
    reused: str | None = found.own.get("reused_from") if found.step else None
    if not reused:
        return {}
    return {"azureml.isreused": "true", "azureml.reusedrunid": child_id(reused, str(found.step))}


def outputs(site: Site, found: Run) -> dict[str, Any]:
    """Outputs that have been written: id and type of each, by which its address is asked for."""
    kinds = dict.fromkeys(found.outputs, "uri_folder")
    if not found.step:
        kinds = {name: str(found.own["outputs"][name]["type"]) for name in found.outputs}
    return {
        name: {"assetId": asset_id(site, found.id, name), "type": {**_TYPES, **_MODELS}.get(kind, kind)}
        for name, kind in kinds.items()
    }


def asset_id(site: Site, run_id: str, output: str) -> str:
    """Id of the data that a run wrote without registering it."""
    return f"azureml://locations/local/workspaces/{site.guid}/data/azureml_{run_id}_output_{output}/versions/1"


def address(site: Site, run_id: str, output: str) -> str:
    """Where an output lies."""
    return data.long(site, f"azureml://datastores/workspaceblobstore/paths/azureml/{run_id}/{output}/")

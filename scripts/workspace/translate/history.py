"""Run history: a run with its state, its log and its outputs, in the service's words."""

from typing import Any

from workspace import tokens
from workspace.runs import LOG, Run, child_id
from workspace.site import ARTIFACTS, Site
from workspace.translate import data, ids

# Azure ML's run history writes types in this way, and azure-ai-ml 1.35 looks for another (azure-sdk-for-python #48941).
_TYPES = {"uri_folder": "UriFolder", "uri_file": "UriFile", "mltable": "MLTable"}
_MODELS = {"mlflow_model": "MLFlowModel", "custom_model": "CustomModel", "triton_model": "TritonModel"}


def run(site: Site, result: Run) -> dict[str, Any]:
    """A run (runhistory `Run`)."""
    record, own = result.record, result.own
    body = {
        "runId": result.id,
        "rootRunId": record["name"],
        "parentRunId": record["name"] if result.step else None,
        "experimentId": record["experiment_name"],
        "status": result.status,
        "displayName": result.step or record["display_name"],
        "name": result.step or record["display_name"],
        "description": None if result.step else record.get("description"),
        "createdUtc": own.get("started") or record["creation_context"]["created_at"],
        "startTimeUtc": own.get("started"),
        "runType": "azureml.StepRun" if result.step else "azureml.PipelineRun",
        "tags": {},
        "properties": _properties(result),
        "error": error(result),
        "outputs": outputs(site, result),
        "target": "local",
    }
    return ids.without_none(body)


def details(site: Site, result: Run) -> dict[str, Any]:
    """A run's details: its state, and signed addresses of its logs."""
    files = {}
    if result.log and result.log.is_file():
        blob = f"ExperimentRun/dcid.{result.id}/{LOG}"
        signature = tokens.sas(site.secrets, site.container(ARTIFACTS), "r", blob)
        files[LOG] = site.blob_url(ARTIFACTS, blob, signature)
    return {**run(site, result), "logFiles": files, "warnings": []}


def error(result: Run) -> dict[str, Any] | None:
    """Why a run failed."""
    if result.status != "Failed":
        return None
    steps = result.record["jobs"]
    said = [f"{name}: {step['error']}" for name, step in steps.items() if step.get("error")]
    message = result.own.get("error") or "; ".join(said) or "the log says why"
    return {"error": {"code": "UserError", "message": message, "details": []}}


def _properties(result: Run) -> dict[str, str]:
    reused: str | None = result.own.get("reused_from") if result.step else None
    if not reused:
        return {}
    return {"azureml.isreused": "true", "azureml.reusedrunid": child_id(reused, str(result.step))}


def outputs(site: Site, result: Run) -> dict[str, Any]:
    """Outputs that have been written: id and type of each, by which its address is asked for."""
    kinds = dict.fromkeys(result.outputs, "uri_folder")
    if not result.step:
        kinds = {name: str(result.own["outputs"][name]["type"]) for name in result.outputs}
    return {
        name: {"assetId": asset_id(site, result.id, name), "type": {**_TYPES, **_MODELS}.get(kind, kind)}
        for name, kind in kinds.items()
    }


def asset_id(site: Site, run_id: str, output: str) -> str:
    """Id of the data that a run wrote without registering it."""
    return f"azureml://locations/local/workspaces/{site.guid}/data/azureml_{run_id}_output_{output}/versions/1"


def address(site: Site, run_id: str, output: str) -> str:
    """Where an output lies."""
    return data.long(site, f"azureml://datastores/workspaceblobstore/paths/azureml/{run_id}/{output}/")

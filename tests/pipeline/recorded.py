"""Answers of `az ml` in the shapes of extension 2.44.1 (azure-ai-ml 1.34.1) and 2.45.0 (azure-ai-ml 1.35.2).

The states were printed by both SDK versions (`JobStatus.COMPLETED`: azureml-examples #4123 too); the dots are those of
`_utils/_azureml_polling.py`; the texts of errors are public: `No environment exists for name: ...` with Code: and
Message: lines, `Model container with name: x not found`; a child job has the fields of `_BaseJob._load_from_rest`.
No workspace answered these: nothing here ran on Azure.
"""

from typing import Any

EXTENSIONS = ("2.44.1", "2.45.0")
DOTS = "......"
_ENUMS = {"job": "JobStatus", "endpoint": "EndpointProvisioningState"}


def word(extension: str, state: str, kind: str = "job") -> str:
    """A state as that extension prints it."""
    if extension.startswith("2.44"):
        return state
    spelled = "".join(f"_{each}" if each.isupper() and index else each for index, each in enumerate(state)).upper()
    return f"{_ENUMS[kind]}.{spelled}"


def refused(message: str, code: str = "UserError", exit_code: int = 1) -> dict[str, Any]:
    """An error as az prints it: a warning before it, many lines, the last of which says nothing."""
    lines = [
        "WARNING: Class AutoDeleteSettingSchema: This is an experimental class, and may change at any time.",
        f"ERROR: ({code}) {message}",
        f"Code: {code}",
        f"Message: {message}",
        "Additional Information:Type: ComponentName",
        'Info: {"value": "managementfrontend"}Type: Correlation',
        'Info: {"value": {"operation": "5f7a6c0e", "request": "a1b2c3"}}Type: Time',
        'Info: {"value": "2026-11-24T20:11:02.7151386+00:00"}',
    ]
    return {"stdout": "", "stderr": "\n".join(lines), "exit": exit_code}


def not_found(name: str) -> dict[str, Any]:
    """What a name without versions may be answered with (azure-cli ends such an error with 3)."""
    return refused(f"Model container with name: {name} not found.", exit_code=3)


def job(extension: str, name: str, state: str, **more: Any) -> dict[str, Any]:
    """`job show` of a pipeline: no seconds, no local path, its nodes without states."""
    nodes = {"register": {"type": "command", "outputs": {"report": "${{parent.outputs.report}}"}}}
    outputs = {"report": {"mode": "rw_mount", "type": "uri_folder"}}
    services = {"Studio": {"endpoint": f"https://ml.azure.com/runs/{name}?wsid=/w", "type": "Studio"}}
    shown = {"name": name, "type": "pipeline", "status": word(extension, state), "jobs": nodes, "outputs": outputs}
    return {**shown, "services": services, **more}


def child(extension: str, node: str, state: str, name: str = "", reused: str = "") -> dict[str, Any]:
    """An item of `job list --parent-job-name`."""
    properties = {"azureml.isreused": "true", "azureml.reusedrunid": reused} if reused else {}
    shown = {"name": name or f"guid-of-{node}", "display_name": node, "type": "base", "properties": properties}
    return {**shown, "status": word(extension, state), "creation_context": {"created_at": "2026-11-24T20:00:00Z"}}


def deployment(extension: str, colour: str, model: str, content: str) -> dict[str, Any]:
    """An item of `online-deployment list`."""
    state = word(extension, "Succeeded", "endpoint")
    return {"name": colour, "provisioning_state": state, "model": model, "tags": {"content": content}}

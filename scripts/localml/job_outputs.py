"""What a job that ended well hands on: a path that a person can read, a data asset or a model."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amlspec.schema import Output
from host import hashing
from localml import assets, records, tracking
from localml.plan import Plan
from localml.values import Data


def register(plan: Plan, job: str, outputs: Mapping[str, Mapping[str, Data]]) -> dict[str, dict[str, Any]]:
    """Register what has a name; what the record shows of each output of the job. `outputs` are those of its steps."""
    shown = {}
    for output, (source, declared) in plan.outputs.items():
        data = outputs[source.job][source.output]
        shown[output] = {"type": declared.type, "path": str(_link(job, output, data.path))}
        if declared.name:
            shown[output]["asset"] = _asset(job, output, declared, data)
    for source, declared in plan.named:
        _asset(job, f"{source.job}.{source.output}", declared, outputs[source.job][source.output])
    return shown


def _asset(job: str, output: str, declared: Output, data: Data) -> str:
    """Make an asset of an output: a model of a model's, else data; `azureml:<name>:<version>`."""
    name = str(declared.name)
    if declared.type.endswith("_model"):
        version = tracking.register(name, data.path, {"job": job}, declared.description)
        return f"azureml:{name}:{version}"
    record: dict[str, Any] = {"name": name, "version": declared.version, "type": declared.type}
    record["properties"] = {"job": job, "output": output}
    sha256 = hashing.of_data({"type": declared.type, "content": data.sha256})
    return f"azureml:{name}:{assets.register('data', record, sha256, link=data.path).version}"


def _link(job: str, output: str, path: Path) -> Path:
    """jobs/<job>/outputs/<output>, which leads to where the store keeps it."""
    link = records.folder(job) / "outputs" / output
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(os.path.relpath(path, link.parent))
    return link

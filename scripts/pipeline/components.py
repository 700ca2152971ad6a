"""Registered components in the place of a pipeline's files, so that what runs is what `make register-assets` made."""

from pathlib import Path
from typing import Any

from amlspec.document import read_document
from amlspec.errors import UserError


def nodes(spec: Path) -> dict[str, Any]:
    """The nodes of a pipeline's spec, in its order."""
    jobs = read_document(spec).data.get("jobs")
    return jobs if isinstance(jobs, dict) else {}


def settings(spec: Path) -> list[str]:
    """`--set` values that name each node's component as azureml:<name>:<version>.

    With a file Azure ML would make a component without a name at each submit, and the registered ones would be
    referred to by nobody. Raises UserError where a component has no name or version.
    """
    files = {(node, field): job.get(field) for node, job in nodes(spec).items() for field in ("component", "trial")}
    return [
        f"jobs.{node}.{field}={_reference(spec.parent / file)}"
        for (node, field), file in files.items()
        if isinstance(file, str) and not file.startswith("azureml:")
    ]


def _reference(path: Path) -> str:
    document = read_document(path)
    for field in ("name", "version"):
        if not document.data.get(field):
            raise UserError(f"{document.where()}: a component that is registered needs `{field}`")
    return f"azureml:{document.data['name']}:{document.data['version']}"

"""Connections and data imports."""

from collections.abc import Iterator

from amlspec.finding import Finding
from amlspec.kinds import Kind
from amlspec.references import bare, is_named
from amlspec.wording import closest
from speccheck.repo import Repo, Spec

_SECRET_KEYS = ("password", "key", "sas_token", "client_secret", "access_key_id", "secret_access_key", "pat")


def check_imports(repo: Repo, spec: Spec) -> Iterator[Finding]:
    """One data import or connection."""
    if spec.kind == Kind.IMPORT:
        yield from _check_import(repo, spec)
    elif spec.kind == Kind.CONNECTION:
        yield from _check_connection(spec)


def _check_import(repo: Repo, spec: Spec) -> Iterator[Finding]:
    doc, source, path = spec.doc, spec.doc.table("source"), spec.data.get("path")
    if source.get("type") == "database":
        if not source.get("query"):
            yield doc.find("a database import needs a query: add query: >- select ...", "source")
        if spec.data.get("type") != "mltable":
            yield doc.find(f"a database import makes a table: write type: mltable, not {spec.data.get('type')}", "type")
    yield from _check_source_connection(repo, spec, source.get("connection"))
    if isinstance(path, str) and not path.startswith("azureml://datastores/"):
        message = f"an import writes to a datastore, not to '{path}': write azureml://datastores/<name>/paths/<path>"
        yield doc.find(message, "path")


def _check_source_connection(repo: Repo, spec: Spec, connection: object) -> Iterator[Finding]:
    where, known = ("source", "connection"), repo.names(Kind.CONNECTION)
    if not isinstance(connection, str):
        yield spec.doc.find("the import has no connection: add connection: azureml:<name>", *where)
    elif not is_named(connection):
        yield spec.doc.find(f"connection '{connection}' has no azureml: before it: write azureml:{connection}", *where)
    elif (name := bare(connection)) not in known:
        yield spec.doc.find(f"no connection '{name}' in this repo: {closest(name, known)}", *where)


def _check_connection(spec: Spec) -> Iterator[Finding]:
    doc, target = spec.doc, spec.data.get("target")
    for key in _SECRET_KEYS:
        value = doc.get("credentials", key)
        if isinstance(value, str) and value and "${{" not in value:
            message = f"a secret in git: leave {key} empty, the step reads it from Key Vault or the environment"
            yield doc.find(message, "credentials", key)
    if spec.data.get("type") == "snowflake" and isinstance(target, str):
        if not target.startswith("jdbc:snowflake://"):
            message = "not a Snowflake target: write jdbc:snowflake://<account>.snowflakecomputing.com/?db=..."
            yield doc.find(message, "target")
            return
        missing = [key for key in ("db", "warehouse", "role") if f"{key}=" not in target.partition("?")[2]]
        if missing:
            yield doc.find(f"the target names no {', '.join(missing)}: add &{missing[0]}=<name>", "target")

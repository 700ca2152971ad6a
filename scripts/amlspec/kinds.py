"""What a file is: decided by its `$schema`, or by its shape where there is none."""

from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """Kinds of files under ml/. The value is the word that findings use."""

    COMPONENT = "command component"
    PIPELINE_COMPONENT = "pipeline component"
    PIPELINE = "pipeline job"
    COMMAND_JOB = "command job"
    SWEEP_JOB = "sweep job"
    ENVIRONMENT = "environment"
    DATA = "data asset"
    IMPORT = "data import"
    CONNECTION = "connection"
    MODEL = "model"
    SCHEDULE = "schedule"
    KUBERNETES_COMPUTE = "kubernetes compute"
    COMPUTE = "compute"
    ENDPOINT = "online endpoint"
    DEPLOYMENT = "online deployment"
    DATASTORE = "datastore"
    INSTANCE_TYPE = "instance type"
    CONTRACT = "data contract"
    UNCHECKED = "Azure ML spec"
    OTHER = "file"


# Stem of the schema's file name, lower case.
_SCHEMAS = {
    "commandcomponent": Kind.COMPONENT,
    "pipelinecomponent": Kind.PIPELINE_COMPONENT,
    "pipelinejob": Kind.PIPELINE,
    "commandjob": Kind.COMMAND_JOB,
    "sweepjob": Kind.SWEEP_JOB,
    "environment": Kind.ENVIRONMENT,
    "data": Kind.DATA,
    "dataimport": Kind.IMPORT,
    "workspaceconnection": Kind.CONNECTION,
    "connection": Kind.CONNECTION,
    "model": Kind.MODEL,
    "schedule": Kind.SCHEDULE,
    "monitorschedule": Kind.SCHEDULE,
    "kubernetescompute": Kind.KUBERNETES_COMPUTE,
    "amlcompute": Kind.COMPUTE,
    "computeinstance": Kind.COMPUTE,
    "kubernetesonlineendpoint": Kind.ENDPOINT,
    "managedonlineendpoint": Kind.ENDPOINT,
    "kubernetesonlinedeployment": Kind.DEPLOYMENT,
    "managedonlinedeployment": Kind.DEPLOYMENT,
    "azureblob": Kind.DATASTORE,
    "azuredatalakegen2": Kind.DATASTORE,
}
# Azure ML's own, too (names as in azure-ai-ml's CommonYamlFields and the documentation), which nothing here reads.
_UNCHECKED = (
    *("automljob", "sparkjob", "sparkcomponent", "paralleljob", "parallelcomponent", "importjob", "featureset"),
    *("batchendpoint", "batchdeployment", "modelbatchdeployment", "pipelinecomponentbatchdeployment", "featurestore"),
    *("workspace", "hub", "project", "registry", "vmcompute", "synapsesparkcompute", "modelversionpackage", "flow"),
    *("azurefile", "azuredatalakegen1", "onelake", "featurestoreentity", "marketplacesubscription", "run"),
    *("serverlessendpoint", "dataindex", "deploymenttemplate"),
)
_SCHEMAS |= dict.fromkeys(_UNCHECKED, Kind.UNCHECKED)


def schema_stem(data: dict[str, Any]) -> str | None:
    """`commandComponent` of `https://.../commandComponent.schema.json`; None where there is no $schema."""
    schema = data.get("$schema")
    if not isinstance(schema, str):
        return None
    return schema.rsplit("/", 1)[-1].removesuffix(".json").removesuffix(".schema")


def schema_stems() -> tuple[str, ...]:
    """Names of the schemas that are known here, lower case as they are compared."""
    return tuple(_SCHEMAS)


def kind_of(data: dict[str, Any]) -> Kind | None:
    """Kind of a parsed file. None: it claims to be an Azure ML spec, but of a schema that nobody here knows."""
    stem = schema_stem(data)
    if stem is not None:
        foreign = None if "azureml" in str(data["$schema"]).lower() else Kind.OTHER
        return _SCHEMAS.get(stem.lower(), foreign)
    if str(data.get("apiVersion", "")).startswith("amlarc.azureml.com/"):
        return Kind.INSTANCE_TYPE
    if "apiVersion" in data and "kind" in data:
        return Kind.OTHER  # Kubernetes
    if isinstance(data.get("columns"), list):
        return Kind.CONTRACT
    return _guess(data)


# Keys that only one kind has, first match wins.
_TELLING = (
    ({"jobs", "version"}, Kind.PIPELINE_COMPONENT),
    ({"jobs"}, Kind.PIPELINE),
    ({"trigger", "name"}, Kind.SCHEDULE),
    ({"endpoint_name"}, Kind.DEPLOYMENT),
    ({"auth_mode"}, Kind.ENDPOINT),
    ({"command", "name"}, Kind.COMPONENT),
    ({"source", "path"}, Kind.IMPORT),
    ({"build", "name"}, Kind.ENVIRONMENT),
    ({"image", "name"}, Kind.ENVIRONMENT),
    ({"image", "conda_file"}, Kind.ENVIRONMENT),
)
# Keys of other programs' files: workflows of GitHub and Azure DevOps, docker compose, other pipelines.
_FOREIGN = frozenset({"on", True, "steps", "stages", "services", "pool", "runs", "script"})


def _guess(data: dict[str, Any]) -> Kind:
    """Kind of a spec without $schema, so that the missing line is one finding and hides no other."""
    jobs = data.get("jobs", {})
    if _FOREIGN & data.keys() or not isinstance(jobs, dict) or any("runs-on" in (job or ()) for job in jobs.values()):
        return Kind.OTHER
    return next((kind for keys, kind in _TELLING if keys <= data.keys()), Kind.OTHER)

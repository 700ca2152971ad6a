"""Typed models of the specs of serving. Defaults and bounds are those of Azure ML's Kubernetes online deployments."""

from typing import Any, Literal

from pydantic import Field, field_validator

from amlspec.kinds import Kind
from amlspec.schema import Spec, Variables


class Compute(Spec):
    """An attached cluster. Locally it is a name that an endpoint may refer to."""

    schema_: str | None = Field(default=None, alias="$schema")
    name: str
    type: Literal["kubernetes"] = "kubernetes"
    description: str | None = None
    tags: dict[str, Any] = Field(default_factory=dict)
    resource_id: str
    namespace: str = "default"
    identity: dict[str, Any] | None = None
    properties: dict[str, Any] = Field(default_factory=dict)


class Endpoint(Spec):
    """An online endpoint; `traffic` in percent of each deployment."""

    schema_: str | None = Field(default=None, alias="$schema")
    name: str
    description: str | None = None
    tags: dict[str, Any] = Field(default_factory=dict)
    properties: dict[str, Any] = Field(default_factory=dict)
    compute: str
    auth_mode: Literal["key"] = "key"
    identity: dict[str, Any] | None = None
    traffic: dict[str, int] = Field(default_factory=dict)


class Code(Spec):
    """The scoring script and the folder that is copied with it."""

    code: str
    scoring_script: str


class Probe(Spec):
    """Seconds and counts of a Kubernetes probe."""

    initial_delay: int = Field(default=10, ge=0, le=3600)
    period: int = Field(default=10, ge=1, le=3600)
    timeout: int = Field(default=2, ge=1, le=3600)
    success_threshold: int = Field(default=1, ge=1, le=100)
    failure_threshold: int = Field(default=30, ge=1, le=1000)


class Requests(Spec):
    """What one replica takes at a time, and for how long."""

    request_timeout_ms: int = Field(default=5000, ge=1, le=180_000)
    max_concurrent_requests_per_instance: int = Field(default=1, ge=1, le=1000)
    max_queue_wait_ms: int = Field(default=500, ge=0, le=180_000)


class Scale(Spec):
    """Replicas: a fixed count, or a range. Locally the lower end of the range runs."""

    type: Literal["default", "target_utilization"] = "default"
    min_instances: int = Field(default=1, ge=1, le=1000)
    max_instances: int = Field(default=1, ge=1, le=1000)
    target_utilization_percentage: int = Field(default=70, ge=1, le=100)
    polling_interval: int = Field(default=1, ge=1, le=3600)


class Deployment(Spec):
    """A Kubernetes online deployment."""

    schema_: str | None = Field(default=None, alias="$schema")
    name: str
    endpoint_name: str
    type: Literal["kubernetes"] = "kubernetes"
    description: str | None = None
    tags: dict[str, Any] = Field(default_factory=dict)
    properties: dict[str, Any] = Field(default_factory=dict)
    model: str
    # Where a custom container has the model; its own image decides, so here a warning says that it has no effect.
    model_mount_path: str | None = None
    code_configuration: Code
    environment: str
    environment_variables: Variables = Field(default_factory=dict)
    app_insights_enabled: bool = False
    instance_type: str | None = None
    instance_count: int = Field(default=1, ge=1)
    resources: dict[str, Any] = Field(default_factory=dict)
    request_settings: Requests = Requests()
    liveness_probe: Probe = Probe()
    readiness_probe: Probe = Probe()
    scale_settings: Scale | None = None
    data_collector: dict[str, Any] | None = None

    _none = field_validator("tags", "properties", mode="before")(lambda value: value or {})

    @property
    def replicas(self) -> int:
        """Server processes that run here."""
        scale = self.scale_settings
        return scale.min_instances if scale and scale.type == "target_utilization" else self.instance_count

    @property
    def start_seconds(self) -> float:
        """How long a server may take until it is ready, as the readiness probe allows."""
        probe = self.readiness_probe
        return probe.initial_delay + probe.period * probe.failure_threshold


MODELS: dict[Kind, type[Spec]] = {
    Kind.KUBERNETES_COMPUTE: Compute,
    Kind.ENDPOINT: Endpoint,
    Kind.DEPLOYMENT: Deployment,
}
# Blocks of numbers in a deployment.
BLOCKS: dict[str, type[Spec]] = {
    "request_settings": Requests,
    "liveness_probe": Probe,
    "readiness_probe": Probe,
    "scale_settings": Scale,
}

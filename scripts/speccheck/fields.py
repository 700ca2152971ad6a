"""Which fields a kind of spec has, which it must have, and how it is formatted."""

from collections.abc import Iterator

from amlspec import serving
from amlspec.finding import Finding
from amlspec.kinds import Kind
from amlspec.schema import MODELS, Node, Settings, field_names
from amlspec.wording import closest
from speccheck.repo import PIPELINES, Repo, Spec
from specfmt.fmt import problems

# What Azure ML knows and the typed models leave out, because nothing here imitates it. Of an endpoint and a deployment
# these are for managed ones, which a finding of its own says.
_MORE: dict[Kind, frozenset[str]] = {
    Kind.ENDPOINT: frozenset({"mirror_traffic", "public_network_access"}),
    Kind.DEPLOYMENT: frozenset({"egress_public_network_access"}),
}
_CHECKED = (
    *(Kind.COMPONENT, Kind.PIPELINE_COMPONENT, Kind.PIPELINE, Kind.ENVIRONMENT, Kind.IMPORT),
    *(Kind.KUBERNETES_COMPUTE, Kind.ENDPOINT, Kind.DEPLOYMENT),
)
_FIELDS = {kind: field_names(({**MODELS, **serving.MODELS})[kind]) | _MORE.get(kind, frozenset()) for kind in _CHECKED}
_SETTINGS = field_names(Settings)
# Nodes whose fields are all known; what parallel, spark and automl have, their loader knows.
_NODES = ("command", "pipeline", "sweep")
# What a sweep's or pipeline's node has besides.
_NODE_FIELDS = field_names(Node) | frozenset(
    {"name", "properties", "comment", "trial", "services", "queue_settings", "sampling_algorithm", "search_space"}
    | {"objective", "early_termination", "experiment_name", "input_data", "mini_batch_size", "retry_settings"}
    | {"mini_batch_error_threshold", "max_concurrency_per_instance", "logging_level", "task", "error_threshold"}
    | {"settings"}
)
_REQUIRED: dict[Kind, tuple[str, ...]] = {
    Kind.COMPONENT: ("$schema", "name", "version", "display_name", "description", "type", "environment"),
    Kind.PIPELINE_COMPONENT: ("$schema", "name", "version", "description", "type", "jobs"),
    Kind.PIPELINE: ("$schema", "display_name", "description", "type", "experiment_name", "jobs"),
    Kind.ENVIRONMENT: ("$schema", "name", "version", "description"),
    Kind.DATA: ("$schema", "name", "version", "type", "path"),
    Kind.MODEL: ("$schema", "name", "version", "type", "path"),
    Kind.IMPORT: ("$schema", "name", "type", "source", "path"),
    Kind.CONNECTION: ("$schema", "name", "type", "target"),
    Kind.SCHEDULE: ("$schema", "name", "description", "trigger"),
    Kind.KUBERNETES_COMPUTE: ("$schema", "name", "type", "namespace"),
    Kind.ENDPOINT: ("$schema", "name", "description", "auth_mode"),
    Kind.DEPLOYMENT: ("$schema", "name", "type", "endpoint_name"),
}
# What this house wants of a spec, and Azure ML does not.
_HOUSE = frozenset({"$schema", "version", "display_name", "description", "experiment_name"})
# What Azure ML has a default for, or takes on the command line of `az ml` as well.
_DEFAULTED = frozenset(
    {(Kind.DATA, "type"), (Kind.MODEL, "type"), (Kind.DEPLOYMENT, "type"), (Kind.DEPLOYMENT, "endpoint_name")}
)
# Where a field is known to belong when it stands in the wrong place.
_ELSEWHERE = {
    (Kind.COMPONENT, "limits"): "put limits on the pipeline's node",
    (Kind.COMPONENT, "compute"): "put compute on the pipeline's node or in its settings",
    (Kind.COMPONENT, "environment_variables"): "put environment_variables on the pipeline's node",
    (Kind.COMPONENT, "identity"): "put identity on the pipeline's node",
    (Kind.PIPELINE, "version"): "a job has no version, remove it",
}


def check_fields(_repo: Repo, spec: Spec) -> Iterator[Finding]:
    """Unknown and missing fields of the spec, its nodes and its settings; then what `make fmt` would change."""
    unknown = list(_unknown(spec, spec.data, _FIELDS.get(spec.kind)))
    yield from unknown
    jobs = spec.doc.table("jobs") if spec.kind in PIPELINES else {}
    for name, node in jobs.items():
        if isinstance(node, dict) and node.get("type", "command") in _NODES:
            yield from _unknown(spec, node, _NODE_FIELDS, "jobs", name)
    if spec.kind in PIPELINES:
        yield from _unknown(spec, spec.doc.table("settings"), _SETTINGS, "settings")
    for field in _REQUIRED.get(spec.kind, ()):
        if spec.data.get(field) in (None, "") and not (field == "jobs" and "component" in spec.data):
            rule = "style/missing" if field in _HOUSE or (spec.kind, field) in _DEFAULTED else ""
            yield spec.doc.find(f"{spec.kind} has no {field}: add {field}: ...", field, rule=rule)
    if isinstance(spec.data.get("version"), float):
        message = f"version {spec.data['version']} is a number, and 1.10 would be 1.1: write it in quotes"
        yield spec.doc.find(message, "version", rule="style/version")
    if not unknown:
        yield from _format(spec)


def _unknown(spec: Spec, given: dict[str, object], known: frozenset[str] | None, *where: str) -> Iterator[Finding]:
    for field in given if known is not None else ():
        if field not in (known or ()):
            place = f"{'.'.join(where)} has" if where else f"a {spec.kind} has"
            fix = _ELSEWHERE.get((spec.kind, field)) if not where else None
            yield spec.doc.find(f"{place} no field '{field}': {fix or closest(str(field), known or ())}", *where, field)


def _format(spec: Spec) -> Iterator[Finding]:
    """What `make fmt` would change."""
    for problem in problems("\n".join(spec.doc.text) + "\n"):
        yield Finding(spec.doc.shown, problem.line, problem.message, "style/format")

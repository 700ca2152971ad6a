"""The verbs of `az ml`: each a function of the client and the call's flags, whose answer is printed."""

import argparse
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from azure.ai import ml

Verb = Callable[[Any, argparse.Namespace], Any]


def shown(entity: Any) -> Any:
    """What the extension prints of an entity."""
    return entity._to_dict() if hasattr(entity, "_to_dict") else entity


def _several(result: Iterable[Any], limit: int | None) -> list[Any]:
    return [shown(each) for each in islice(result, limit)]


def overrides(args: argparse.Namespace, *fields: str) -> list[dict[str, Any]]:
    """--set and the flags that stand for fields, as azure-ai-ml's loaders take them."""
    given = [{field: getattr(args, field)} for field in fields if getattr(args, field, None) is not None]
    pairs = (setting.partition("=") for setting in args.set or [])
    return [*given, *({key: value} for key, _, value in pairs)]


def _load(load: Callable[..., Any], args: argparse.Namespace, *fields: str) -> Any:
    return load(args.file, params_override=overrides(args, *fields))


def environment_create(client: Any, args: argparse.Namespace) -> Any:
    """Register an environment."""
    return client.environments.create_or_update(_load(ml.load_environment, args, "name", "version"))


def component_create(client: Any, args: argparse.Namespace) -> Any:
    """Register a component."""
    return client.components.create_or_update(_load(ml.load_component, args, "name", "version"))


def data_create(client: Any, args: argparse.Namespace) -> Any:
    """Register data of a file's spec."""
    return client.data.create_or_update(_load(ml.load_data, args, "name", "version"))


def model_create(client: Any, args: argparse.Namespace) -> Any:
    """Register a model of a file's spec."""
    return client.models.create_or_update(_load(ml.load_model, args, "name", "version"))


def model_download(client: Any, args: argparse.Namespace) -> Any:
    """A version's files, in a folder of its name below --download-path."""
    client.models.download(args.name, args.version, download_path=args.download_path or ".")


def asset_show(kind: str) -> Verb:
    """One version, or the one of a label."""

    def verb(client: Any, args: argparse.Namespace) -> Any:
        return getattr(client, kind).get(args.name, version=args.version, label=args.label)

    return verb


def asset_list(kind: str) -> Verb:
    """Versions of a name, or every name."""

    def verb(client: Any, args: argparse.Namespace) -> Any:
        return _several(getattr(client, kind).list(args.name), args.max_results)

    return verb


def job_create(client: Any, args: argparse.Namespace) -> Any:
    """Submit a job."""
    job = client.jobs.create_or_update(_load(ml.load_job, args, "name"))
    if args.stream:
        client.jobs.stream(job.name)
        job = client.jobs.get(job.name)
    return job


def job_show(client: Any, args: argparse.Namespace) -> Any:
    """One job."""
    return client.jobs.get(args.name)


def job_list(client: Any, args: argparse.Namespace) -> Any:
    """Jobs, or the children of one."""
    result = client.jobs.list(parent_job_name=args.parent_job_name)
    return _several(result, args.max_results)


def job_download(client: Any, args: argparse.Namespace) -> Any:
    """Copy outputs and logs of a job here."""
    client.jobs.download(args.name, download_path=args.download_path, output_name=args.output_name, all=bool(args.all))


def job_stream(client: Any, args: argparse.Namespace) -> Any:
    """Follow a job's log."""
    client.jobs.stream(args.name)


def job_cancel(client: Any, args: argparse.Namespace) -> Any:
    """End a job."""
    client.jobs.begin_cancel(args.name).result()


def compute_attach(client: Any, args: argparse.Namespace) -> Any:
    """Attach a cluster."""
    spec = _load(ml.load_compute, args, "name", "resource_id", "namespace")
    return client.compute.begin_attach(spec).result()


def compute_show(client: Any, args: argparse.Namespace) -> Any:
    """One compute."""
    return client.compute.get(args.name)


def compute_list(client: Any, args: argparse.Namespace) -> Any:
    """Every compute."""
    return _several(client.compute.list(), args.max_results)


def endpoint_create(client: Any, args: argparse.Namespace) -> Any:
    """Create an endpoint."""
    spec = _load(ml.load_online_endpoint, args, "name", "auth_mode")
    return client.online_endpoints.begin_create_or_update(spec).result()


def endpoint_update(client: Any, args: argparse.Namespace) -> Any:
    """Change an endpoint: its traffic, or fields by --set."""
    endpoint = client.online_endpoints.get(args.name)
    if args.traffic:
        pairs = (pair.partition("=") for pair in args.traffic.replace(",", " ").split())
        endpoint.traffic = {name: int(share) for name, _, share in pairs}
    for change in overrides(args):
        for key, value in change.items():
            _assign(endpoint, key, value)
    return client.online_endpoints.begin_create_or_update(endpoint).result()


def _assign(entity: Any, key: str, value: str) -> None:
    """`tags.stable=blue`, as azure-cli's generic update has it."""
    head, _, rest = key.partition(".")
    if rest:
        setattr(entity, head, {**(getattr(entity, head) or {}), rest: value})
    else:
        setattr(entity, head, value)


def endpoint_show(client: Any, args: argparse.Namespace) -> Any:
    """One endpoint."""
    return client.online_endpoints.get(args.name)


def endpoint_list(client: Any, args: argparse.Namespace) -> Any:
    """Every endpoint."""
    return _several(client.online_endpoints.list(), None)


def endpoint_delete(client: Any, args: argparse.Namespace) -> Any:
    """Delete an endpoint."""
    client.online_endpoints.begin_delete(args.name).result()


def endpoint_invoke(client: Any, args: argparse.Namespace) -> Any:
    """Send a request; the text of the answer."""
    return client.online_endpoints.invoke(
        args.name, request_file=args.request_file, deployment_name=args.deployment_name
    )


def endpoint_keys(client: Any, args: argparse.Namespace) -> Any:
    """Both keys of an endpoint."""
    keys = client.online_endpoints.get_keys(args.name)
    return {"primaryKey": keys.primary_key, "secondaryKey": keys.secondary_key}


def endpoint_regenerate(client: Any, args: argparse.Namespace) -> Any:
    """Make one key anew."""
    client.online_endpoints.begin_regenerate_keys(args.name, key_type=args.key_type or "primary").result()


def deployment_create(client: Any, args: argparse.Namespace) -> Any:
    """Bring a deployment up."""
    spec = _load(ml.load_online_deployment, args, "name", "endpoint_name")
    made = client.online_deployments.begin_create_or_update(spec, skip_script_validation=True).result()
    if args.all_traffic:
        endpoint = client.online_endpoints.get(made.endpoint_name)
        endpoint.traffic = {made.name: 100}
        client.online_endpoints.begin_create_or_update(endpoint).result()
    return made


def deployment_show(client: Any, args: argparse.Namespace) -> Any:
    """One deployment."""
    return client.online_deployments.get(args.name, endpoint_name=args.endpoint_name)


def deployment_list(client: Any, args: argparse.Namespace) -> Any:
    """Deployments of an endpoint."""
    return _several(client.online_deployments.list(args.endpoint_name), None)


def deployment_logs(client: Any, args: argparse.Namespace) -> Any:
    """The last lines of a deployment's log."""
    return client.online_deployments.get_logs(args.name, endpoint_name=args.endpoint_name, lines=args.lines or 5000)


def deployment_delete(client: Any, args: argparse.Namespace) -> Any:
    """Delete a deployment."""
    client.online_deployments.begin_delete(args.name, endpoint_name=args.endpoint_name).result()


def schedule_list(client: Any, args: argparse.Namespace) -> Any:
    """Every schedule."""
    return _several(client.schedules.list(), args.max_results)


def _asset(kind: str, create: Verb) -> dict[str, Verb]:
    return {"create": create, "show": asset_show(kind), "list": asset_list(kind)}


VERBS: dict[str, dict[str, Verb]] = {
    "environment": _asset("environments", environment_create),
    "component": _asset("components", component_create),
    "data": _asset("data", data_create),
    "model": {**_asset("models", model_create), "download": model_download},
    "job": {
        "create": job_create,
        "show": job_show,
        "list": job_list,
        "download": job_download,
        "stream": job_stream,
        "cancel": job_cancel,
    },
    "compute": {"attach": compute_attach, "show": compute_show, "list": compute_list},
    "online-endpoint": {
        "create": endpoint_create,
        "update": endpoint_update,
        "show": endpoint_show,
        "list": endpoint_list,
        "delete": endpoint_delete,
        "invoke": endpoint_invoke,
        "get-credentials": endpoint_keys,
        "regenerate-keys": endpoint_regenerate,
    },
    "online-deployment": {
        "create": deployment_create,
        "show": deployment_show,
        "list": deployment_list,
        "get-logs": deployment_logs,
        "delete": deployment_delete,
    },
    "schedule": {"list": schedule_list},
}

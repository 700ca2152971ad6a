"""Every verb and the function behind it. Its flags are that function's parameters; one without a default is required.

A caller in this process calls `run`, or the function itself where the answer need not look like the service's.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from amlspec.errors import UserError
from localml import (
    strict,
    verbs_assets,
    verbs_computes,
    verbs_deployments,
    verbs_endpoints,
    verbs_jobs,
    verbs_schedules,
)

_ASSET: dict[str, Callable[..., Any]] = {"show": verbs_assets.show, "list": verbs_assets.list_}
_VERBS: dict[str, dict[str, Callable[..., Any]]] = {
    "connection": {
        "create": verbs_assets.connection_create,
        "show": verbs_assets.connection_show,
        "list": verbs_assets.connection_list,
    },
    "data": {
        "create": verbs_assets.data_create,
        **{verb: partial(function, "data") for verb, function in _ASSET.items()},
        "import": verbs_jobs.data_import,
    },
    "environment": {
        "create": verbs_assets.environment_create,
        **{verb: partial(function, "environment") for verb, function in _ASSET.items()},
    },
    "component": {
        "create": verbs_assets.component_create,
        **{verb: partial(function, "component") for verb, function in _ASSET.items()},
    },
    "model": {
        "create": verbs_assets.model_create,
        "show": verbs_assets.model_show,
        "list": verbs_assets.model_list,
        "download": verbs_assets.model_download,
        "update": verbs_assets.model_update,
    },
    "job": {
        "create": verbs_jobs.create,
        "show": verbs_jobs.show,
        "list": verbs_jobs.list_,
        "stream": verbs_jobs.stream,
        "cancel": verbs_jobs.cancel,
        "download": verbs_jobs.download,
    },
    "compute": {
        "attach": verbs_computes.attach,
        "show": verbs_computes.show,
        "list": verbs_computes.list_,
    },
    "online-endpoint": {
        "create": verbs_endpoints.create,
        "update": verbs_endpoints.update,
        "show": verbs_endpoints.show,
        "list": verbs_endpoints.list_,
        "invoke": verbs_endpoints.invoke,
        "get-credentials": verbs_endpoints.get_credentials,
        "regenerate-keys": verbs_endpoints.regenerate_keys,
        "delete": verbs_endpoints.delete,
    },
    "online-deployment": {
        "create": verbs_deployments.create,
        "update": verbs_deployments.update,
        "show": verbs_deployments.show,
        "list": verbs_deployments.list_,
        "get-logs": verbs_deployments.get_logs,
        "delete": verbs_deployments.delete,
    },
    "schedule": {
        "create": verbs_schedules.create,
        "show": verbs_schedules.show,
        "list": verbs_schedules.list_,
        "enable": verbs_schedules.enable,
        "disable": verbs_schedules.disable,
        "trigger": verbs_schedules.trigger,
        "delete": verbs_schedules.delete,
        "run-due": verbs_schedules.run_due,
    },
}
# What a caller may hand to a verb to see its progress; the command line has no flag for it.
PROGRESS = frozenset({"screen", "say"})
# Parameters whose flag has another name.
FLAG_OF = {"spec": "file", "settings": "set"}


@dataclass(frozen=True)
class Command:
    """One verb of a group."""

    group: str
    verb: str
    function: Callable[..., Any]

    @property
    def help(self) -> str:
        """What it does."""
        function = self.function.func if isinstance(self.function, partial) else self.function
        return inspect.getdoc(function) or ""

    def parameters(self) -> dict[str, bool]:
        """Names of its parameters that have a flag, and whether each is required."""
        given = inspect.signature(self.function).parameters
        return {name: each.default is each.empty for name, each in given.items() if name not in PROGRESS}

    def progress(self) -> frozenset[str]:
        """Which ways to show its progress it takes."""
        return PROGRESS & inspect.signature(self.function).parameters.keys()


def flag(parameter: str) -> str:
    """`--max-results` of max_results."""
    return f"--{FLAG_OF.get(parameter, parameter).replace('_', '-')}"


def groups() -> list[str]:
    """Names of all groups."""
    return list(_VERBS)


def of_group(group: str) -> list[Command]:
    """The verbs of a group. Raises UserError for a group of `az ml` that is not imitated."""
    if group not in _VERBS:
        raise UserError(f"localml has no group {group!r}: it has {', '.join(_VERBS)}")
    return [Command(group, verb, function) for verb, function in _VERBS[group].items()]


def find(group: str, verb: str) -> Command:
    """One verb. Raises UserError for one that is not imitated."""
    verbs = {command.verb: command for command in of_group(group)}
    if verb not in verbs:
        raise UserError(f"localml {group} has no verb {verb!r}: it has {', '.join(verbs)}")
    return verbs[verb]


def run(group: str, verb: str, /, **parameters: Any) -> Any:
    """A verb's answer: this engine's own, or under LOCALML_STRICT=1 as the service would print it."""
    data = find(group, verb).function(**parameters)
    return strict.answer(group, verb, data, parameters.get("name")) if strict.is_on() else data

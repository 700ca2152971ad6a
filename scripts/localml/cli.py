"""Command line of localml: the verbs and flags of `az ml` that this repo uses; any other is an error that names it."""

import argparse
import errno
import logging
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from amlspec.errors import UserError
from localml import output, strict, verbs_assets, verbs_deployments, verbs_endpoints, verbs_jobs

Handler = Callable[[argparse.Namespace], Any]


class _Parser(argparse.ArgumentParser):
    """argparse that raises instead of printing its usage."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{self.prog}: {message}")


def main(argv: list[str] | None = None) -> int:
    """Run one command; its exit code: 0 done, 1 a job failed, 2 the call or its input is wrong, 130 interrupted."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        arguments = sys.argv[1:] if argv is None else argv
        _check_group(arguments)
        args = parser().parse_args(arguments)
        show(args, args.handler(args))
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted; nothing half-written is kept, finished steps are reused\n")
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
            raise
        where = error.filename or "LOCALML_HOME"
        sys.stderr.write(f"error: {where}: {error.strerror}: free space or set LOCALML_HOME\n")
        return 1
    return 0


def _check_group(arguments: list[str]) -> None:
    """Raises UserError for a group of `az ml` that is not imitated, or no group at all."""
    group = arguments[0] if arguments else "--help"
    if group not in {*_GROUPS, "_run", "_stop"} and not group.startswith("-"):
        raise UserError(f"localml has no group {group!r}: it has {', '.join(_GROUPS)}")


def show(args: argparse.Namespace, data: Any) -> None:
    """Print a verb's answer, as the service would under LOCALML_STRICT=1."""
    if strict.is_on() and hasattr(args, "group"):
        strict.waited(args)
        data = strict.answer(args, data)
    output.show(data, args.output, args.query)


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def parser() -> argparse.ArgumentParser:
    """All groups and verbs."""
    top = _Parser(prog="localml", description=__doc__, allow_abbrev=False)
    groups = top.add_subparsers(metavar="group", required=True, parser_class=_Parser)
    for name, build in _GROUPS.items():
        group = groups.add_parser(name, allow_abbrev=False)
        group.set_defaults(group=name)
        build(group.add_subparsers(metavar="verb", required=True, parser_class=_Parser))
    run = groups.add_parser("_run", allow_abbrev=False)
    run.add_argument("name")
    run.add_argument("--file", required=True)
    run.add_argument("--set", action="append")
    run.set_defaults(handler=verbs_jobs.run_detached, output="none", query=None)
    stop = groups.add_parser("_stop", allow_abbrev=False)
    stop.set_defaults(handler=verbs_endpoints.stop_all, output="none", query=None)
    return top


def _verb(verbs: Any, name: str, handler: Handler, *flags: str) -> None:
    """One verb with the CLI's common flags and those of `flags`; a trailing ! makes a flag required."""
    added = verbs.add_parser(name, allow_abbrev=False, help=handler.__doc__)
    added.set_defaults(handler=handler, verb=name)
    added.add_argument("--output", "-o", choices=output.FORMATS, default="json", metavar="FORMAT")
    added.add_argument("--query", help="JMESPath over the result")
    for ignored in (("--resource-group", "-g"), ("--workspace-name", "-w"), ("--subscription",)):
        added.add_argument(*ignored, help="taken and not needed here")
    for flag in flags:
        names, options = _FLAGS[flag.rstrip("!")]
        added.add_argument(*names, required=flag.endswith("!"), **options)


_TEXT: dict[str, Any] = {}
_FLAGS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "file": (("--file", "-f"), {"help": "YAML spec"}),
    "name": (("--name", "-n"), _TEXT),
    "version": (("--version", "-v"), _TEXT),
    "label": (("--label", "-l"), _TEXT),
    "set": (("--set",), {"nargs": "+", "action": "extend", "metavar": "KEY=VALUE"}),
    "path": (("--path", "-p"), _TEXT),
    "type": (("--type", "-t"), _TEXT),
    "stream": (("--stream", "-s"), {"action": "store_true"}),
    "max": (("--max-results", "-r"), {"type": int}),
    "parent": (("--parent-job-name",), _TEXT),
    "download": (("--download-path", "-p"), {"default": "."}),
    "output-name": (("--output-name",), _TEXT),
    "all": (("--all",), {"action": "store_true"}),
    "resource-id": (("--resource-id",), _TEXT),
    "namespace": (("--namespace",), _TEXT),
    "auth-mode": (("--auth-mode",), _TEXT),
    "traffic": (("--traffic", "-r"), {"help": 'percent of each deployment, "blue=90 green=10"'}),
    "request": (("--request-file", "-r"), _TEXT),
    "deployment": (("--deployment-name", "-d"), _TEXT),
    "endpoint": (("--endpoint-name", "-e"), _TEXT),
    "key-type": (("--key-type",), _TEXT),
    "all-traffic": (("--all-traffic",), {"action": "store_true"}),
    "no-validation": (("--skip-script-validation",), {"action": "store_true"}),
    "lines": (("--lines", "-l"), {"type": int}),
    "yes": (("--yes", "-y"), {"action": "store_true"}),
}


def _connection(verbs: Any) -> None:
    _verb(verbs, "create", verbs_assets.connection_create, "file!", "name", "set")
    _verb(verbs, "show", verbs_assets.connection_show, "name!")
    _verb(verbs, "list", verbs_assets.connection_list)


def _data(verbs: Any) -> None:
    _verb(verbs, "create", verbs_assets.data_create, "file", "name", "version", "set", "path", "type")
    _verb(verbs, "show", verbs_assets.show, "name!", "version", "label")
    _verb(verbs, "list", verbs_assets.list_, "name", "max")
    _verb(verbs, "import", verbs_jobs.data_import, "file!", "set")


def _environment(verbs: Any) -> None:
    _verb(verbs, "create", verbs_assets.environment_create, "file!", "name", "version", "set")
    _verb(verbs, "show", verbs_assets.show, "name!", "version", "label")
    _verb(verbs, "list", verbs_assets.list_, "name", "max")


def _component(verbs: Any) -> None:
    _verb(verbs, "create", verbs_assets.component_create, "file!", "name", "version", "set")
    _verb(verbs, "show", verbs_assets.show, "name!", "version", "label")
    _verb(verbs, "list", verbs_assets.list_, "name", "max")


def _model(verbs: Any) -> None:
    _verb(verbs, "create", verbs_assets.model_create, "file", "name", "version", "set", "path", "type")
    _verb(verbs, "show", verbs_assets.show, "name!", "version", "label")
    _verb(verbs, "list", verbs_assets.list_, "name", "max")
    _verb(verbs, "download", verbs_assets.model_download, "name!", "version!", "download")


def _job(verbs: Any) -> None:
    _verb(verbs, "create", verbs_jobs.create, "file!", "name", "set", "stream")
    _verb(verbs, "show", verbs_jobs.show, "name!")
    _verb(verbs, "list", verbs_jobs.list_, "max", "parent")
    _verb(verbs, "stream", verbs_jobs.stream, "name!")
    _verb(verbs, "cancel", verbs_jobs.cancel, "name!")
    _verb(verbs, "download", verbs_jobs.download, "name!", "output-name", "all", "download")


def _compute(verbs: Any) -> None:
    _verb(verbs, "attach", verbs_endpoints.compute_attach, "file", "name", "type", "resource-id", "namespace")
    _verb(verbs, "show", verbs_endpoints.compute_show, "name!")
    _verb(verbs, "list", verbs_endpoints.compute_list, "max")


def _endpoint(verbs: Any) -> None:
    _verb(verbs, "create", verbs_endpoints.create, "file", "name", "auth-mode", "set")
    _verb(verbs, "update", verbs_endpoints.update, "file", "name", "traffic", "set")
    _verb(verbs, "show", verbs_endpoints.show, "name!")
    _verb(verbs, "list", verbs_endpoints.list_)
    _verb(verbs, "invoke", verbs_endpoints.invoke, "name!", "request", "deployment")
    _verb(verbs, "get-credentials", verbs_endpoints.get_credentials, "name!")
    _verb(verbs, "regenerate-keys", verbs_endpoints.regenerate_keys, "name!", "key-type")
    _verb(verbs, "delete", verbs_endpoints.delete, "name!", "yes")


def _deployment(verbs: Any) -> None:
    _verb(verbs, "create", verbs_deployments.create, "file!", "name", "endpoint", "set", "all-traffic", "no-validation")
    _verb(verbs, "update", verbs_deployments.update, "file", "name", "endpoint", "set", "no-validation")
    _verb(verbs, "show", verbs_deployments.show, "name!", "endpoint!")
    _verb(verbs, "list", verbs_deployments.list_, "endpoint!")
    _verb(verbs, "get-logs", verbs_deployments.get_logs, "name!", "endpoint!", "lines")
    _verb(verbs, "delete", verbs_deployments.delete, "name!", "endpoint!", "yes")


_GROUPS = {
    "connection": _connection,
    "data": _data,
    "environment": _environment,
    "component": _component,
    "model": _model,
    "job": _job,
    "compute": _compute,
    "online-endpoint": _endpoint,
    "online-deployment": _deployment,
}

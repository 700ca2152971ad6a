"""Command line of localml: the verbs and flags of `az ml` that this repo uses; any other is an error that names it."""

import argparse
import errno
import logging
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from amlspec.errors import UserError
from localml import commands, output, strict, verbs_endpoints, verbs_jobs, view
from localml.commands import Command

# Not verbs of `az ml`: the engine calls the first itself, `make` the second.
_HIDDEN = ("_run", "_stop")
_INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """argparse that raises instead of printing its usage."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{self.prog}: {message}")


def main(argv: list[str] | None = None) -> int:
    """Run one command; its exit code: 0 done, 1 a job failed, 2 the call or its input is wrong, 130 interrupted."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        sys.stdout.write(_answer(sys.argv[1:] if argv is None else argv))
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted; nothing half-written is kept, finished steps are reused\n")
        return _INTERRUPTED
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


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _answer(arguments: list[str]) -> str:
    """Do what the arguments say; what is to be printed."""
    group = arguments[0] if arguments else "--help"
    if group not in _HIDDEN and not group.startswith("-"):
        commands.of_group(group)
    given = vars(parser().parse_args(arguments))
    if (hidden := given.pop("hidden", None)) is not None:
        hidden(**given)
        return ""
    command, form, query = given.pop("command"), given.pop("output"), given.pop("query")
    for ignored in _IGNORED:
        given.pop(ignored)
    progress = {name: _ON_SCREEN[name] for name in command.progress()}
    data = commands.run(command.group, command.verb, **given, **progress)
    dots = strict.dots(command.group, command.verb) if strict.is_on() else ""
    return dots + output.text(data, form, query)


def parser() -> argparse.ArgumentParser:
    """All groups and verbs; what is parsed are a verb's parameters, its command, and how to print the answer."""
    top = _Parser(prog="localml", description=__doc__, allow_abbrev=False)
    groups = top.add_subparsers(metavar="group", required=True, parser_class=_Parser)
    for name in commands.groups():
        verbs = groups.add_parser(name, allow_abbrev=False).add_subparsers(
            metavar="verb", required=True, parser_class=_Parser
        )
        for command in commands.of_group(name):
            _add(verbs, command)
    run = groups.add_parser("_run", allow_abbrev=False)
    run.add_argument("name")
    run.set_defaults(hidden=lambda name: verbs_jobs.run_detached(name, screen=view.of_job))
    groups.add_parser("_stop", allow_abbrev=False).set_defaults(hidden=verbs_endpoints.stop_every)
    return top


def _add(verbs: Any, command: Command) -> None:
    """One verb with its own flags and those that every verb of the CLI has."""
    added = verbs.add_parser(command.verb, allow_abbrev=False, help=command.help)
    added.set_defaults(command=command)
    added.add_argument("--output", "-o", choices=output.FORMATS, default="json", metavar="FORMAT")
    added.add_argument("--query", help="JMESPath over the result")
    for name, short in _IGNORED.items():
        added.add_argument(commands.flag(name), *short, help="taken and not needed here")
    for name, required in command.parameters().items():
        short, options = _FLAGS[name]
        flag = commands.flag(name)
        # What is not given is left out, so that the function's own default holds.
        added.add_argument(flag, *short, dest=name, required=required, default=argparse.SUPPRESS, **options)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


_ON_SCREEN: dict[str, Callable[..., Any]] = {"screen": view.of_job, "say": _say}
_IGNORED = {"resource_group": ("-g",), "workspace_name": ("-w",), "subscription": ()}
_SWITCH: dict[str, Any] = {"action": "store_true"}
_TEXT: dict[str, Any] = {}
# Parameter -> the short flag, and how its value is read.
_FLAGS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "spec": (("-f",), {"help": "YAML spec"}),
    "name": (("-n",), _TEXT),
    "version": (("-v",), _TEXT),
    "label": (("-l",), _TEXT),
    "settings": ((), {"nargs": "+", "action": "extend", "metavar": "KEY=VALUE"}),
    "path": (("-p",), _TEXT),
    "type": (("-t",), _TEXT),
    "stream": (("-s",), _SWITCH),
    "max_results": (("-r",), {"type": int}),
    "parent_job_name": ((), _TEXT),
    "download_path": (("-p",), _TEXT),
    "output_name": ((), _TEXT),
    "all": ((), _SWITCH),
    "resource_id": ((), _TEXT),
    "namespace": ((), _TEXT),
    "auth_mode": ((), _TEXT),
    "traffic": (
        ("-r",),
        {"type": verbs_endpoints.parse_traffic, "help": 'percent of each deployment, "blue=90 green=10"'},
    ),
    "request_file": (("-r",), _TEXT),
    "deployment_name": (("-d",), _TEXT),
    "endpoint_name": (("-e",), _TEXT),
    "key_type": ((), _TEXT),
    "all_traffic": ((), _SWITCH),
    "skip_script_validation": ((), _SWITCH),
    "lines": (("-l",), {"type": int}),
    "yes": (("-y",), _SWITCH),
    "include_disabled": ((), _SWITCH),
    "no_wait": ((), _SWITCH),
    "disabled_only": ((), _SWITCH),
    "now": ((), {"metavar": "TIME", "help": "do what is due by then; default: by now"}),
}

"""python -m agent PIPELINE: run a pipeline of .azuredevops on this machine."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from agent import expand, model, project, runner, screen, workspace
from agent.contexts import CANCELED, GOOD
from agent.job import Cancel
from agent.variables import Variables
from amlspec.errors import UserError
from host.state import home


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m agent", description=__doc__)
    parser.add_argument("pipeline", help="name of its file, such as pr")
    parser.add_argument("--approve", action="append", default=[], help="environment that is approved, such as prod")
    parser.add_argument("--reject", action="append", default=[], help="environment that is rejected")
    parser.add_argument("--fail", help="name or title of a step that is made to fail")
    parser.add_argument("--branch", help="branch that the run is of; default: the one that is checked out")
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE", help="of the pipeline")
    parser.add_argument("--root", type=Path, default=Path(), help="the checkout")
    parser.add_argument("--list", action="store_true", help="say the steps, run nothing")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code: 0 the run succeeded, 1 it failed, 2 the pipeline or the call is wrong, 130 canceled."""
    args = build_parser().parse_args(argv)
    try:
        with FileLock(home() / "ci.lock", timeout=0):
            return _run(args)
    except Timeout:
        sys.stderr.write("error: another run of a pipeline is at work here: wait until it has ended\n")
        return 2
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code


def _run(args: argparse.Namespace) -> int:
    root = args.root.resolve()
    path = runner.pipeline_file(root, project.FOLDER, args.pipeline)
    commit, here = workspace.snapshot(root)
    reason = "PullRequest" if args.pipeline == "pr" else "Manual"
    now = datetime.now(UTC)
    known = runner.predefined(args.branch or here, commit, int(now.timestamp()), reason, "main")
    data = expand.pipeline(path, root, dict(_pairs(args.parameter)), known)
    stages = model.stages(data)
    if args.list:
        for stage, job, step in model.every_step(stages):
            screen.say(f"{stage.name}.{job.name}: {step.title}")
        return 0
    name = f"{now:%Y%m%d-%H%M%S-%f}-{args.pipeline}"
    place = workspace.Workspace(root, home(), name, commit)
    cancel = Cancel()
    ask = partial(runner.asked_on_terminal, cancel)
    answers = runner.Answers(frozenset(args.approve), frozenset(args.reject), args.fail, ask)
    # Environments of Azure are workspaces of this machine, which stay from run to run.
    stands = {"DEMAND_ENVIRONMENTS": str(home() / "ci" / "environments"), "PYTHONUNBUFFERED": "1"}
    run = runner.Runner(stages, Variables(known), place, project.read(root), answers, stands, cancel)
    run.variables.add(model.variables(data["variables"]), run.group, {}, data.where)
    run.check()
    before = {each: signal.signal(each, lambda *_: cancel.ask()) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        result = run.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    screen.say(f"{args.pipeline}: {result}; logs and artifacts: {os.path.relpath(place.run)}")
    return 130 if result == CANCELED else 0 if result in (*GOOD, "Skipped") else 1


def _pairs(given: Sequence[str]) -> list[tuple[str, str]]:
    for each in given:
        if "=" not in each:
            raise UserError(f"--parameter {each}: write NAME=VALUE")
    return [(name, value) for name, _, value in (each.partition("=") for each in given)]


if __name__ == "__main__":
    raise SystemExit(main())

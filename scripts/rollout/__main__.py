"""python -m rollout deploy|rollback|status: a model version behind the endpoint, over `az ml` verbs ($AZ_ML)."""

import argparse
import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from filelock import FileLock, Timeout

from amlspec.errors import UserError
from demand import health
from host.state import home
from pipeline import azml, last_run, models
from rollout import batch, checks, engine, notify, policy
from rollout.report import Report, say
from rollout.site import Site

DEPLOY = Path("ml/deploy")


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m rollout", description=__doc__)
    parser.add_argument("verb", choices=("deploy", "rollback", "status"))
    parser.add_argument("--model-version", help="default: the champion")
    parser.add_argument("--grain", default="store", help="grain of the models: store, category or product")
    parser.add_argument("--colour", help="blue or green; default: the idle one")
    parser.add_argument("--endpoint", type=Path, default=DEPLOY / "endpoint.yml", help="spec of the endpoint")
    parser.add_argument("--deployment", type=Path, default=DEPLOY / "deployment.yml", help="spec of both colours")
    parser.add_argument("--request", type=Path, action="append", help="golden request (JSON); may be repeated")
    parser.add_argument(
        "--batch", type=Path, help="result of a batch job of the same version, to agree with; default: its newest"
    )
    parser.add_argument("--policy", type=Path, default=DEPLOY / policy.FILE, help="steps, load, bake and limits")
    parser.add_argument(
        "--approve", type=int, action="append", default=[], help="step that the policy asks a person before"
    )
    parser.add_argument("--samples", type=int, help="requests to each deployment at each step; default: the policy's")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one verb; its exit code: 0 done or nothing to do, 1 taken back, 2 a wrong call, 3 it waits for a person."""
    args = build_parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        if args.verb == "status":
            return _status(args)
        with FileLock(_lock(), timeout=0):
            return _run(args)
    except Timeout:
        sys.stderr.write("error: another rollout runs: wait until it has ended\n")
        return 2
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted: `make status` shows where the endpoint is, `make deploy` goes on\n")
        return 130


def _lock() -> Path:
    folder = home() / "rollouts"
    folder.mkdir(exist_ok=True)
    return folder / f".{os.environ.get('ENV', 'local')}.lock"


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _run(args: argparse.Namespace) -> int:
    site = Site(args.endpoint, args.deployment, args.grain)
    report = Report(args.verb, site.name)
    sample = args.deployment.with_name(f"{models.name_for(args.grain, 'sample-request')}.json")
    requests = checks.read_requests(args.request or [sample])
    given = batch.read(args.batch) if args.batch else None
    how = policy.Policy.read(args.policy)
    how = replace(how, samples=args.samples) if args.samples else how
    rollout = engine.Rollout(site, requests, given, how, report, frozenset(args.approve))
    try:
        done = rollout.rollback() if args.verb == "rollback" else rollout.deploy(args.model_version, args.colour)
    except UserError as error:
        if report.data["steps"]:
            notify.post(how.notify_variable, f"{args.verb} of {site.name}: {error}")
        raise
    if report.data["steps"]:
        report.data["result"] = done
        notify.post(how.notify_variable, f"{args.verb} of {site.name}: {done}")
        say(f"{done}; report: {report.write('done')}\n")
    else:
        say(f"{done}\n")
    return 0


def _status(args: argparse.Namespace) -> int:
    site = Site(args.endpoint, args.deployment, args.grain)
    if azml.is_stopped(site.name):
        sys.stdout.write(f"Endpoint {site.name} is stopped: make deploy, make predict or make rollback starts it\n")
        return 0
    rows = site.rows()
    if not rows:
        raise UserError(f"endpoint {site.name} has no deployment: `make deploy` makes one")
    sys.stdout.write(json.dumps(rows, indent=1) + "\n")
    for said in filter(None, (_worse(site.model, row) for row in rows)):
        sys.stderr.write(f"warning: {said}\n")
    return 0


def _worse(model: str, row: dict[str, object]) -> str | None:
    """What the last run said of a version that has traffic: whether last year's sales would forecast better."""
    live = last_run.live(model)
    version = str(row["model"]).rsplit(":", 1)[-1]
    if not row["traffic"] or str(live.get("version")) != version:
        return None
    return health.sentence(model, version, live)


if __name__ == "__main__":
    raise SystemExit(main())

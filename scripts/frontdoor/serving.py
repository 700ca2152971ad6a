"""Verbs of the endpoint."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from amlspec.errors import UserError
from demand.grain import GRAINS
from frontdoor import environment, ready, site, soak_home
from frontdoor.app import SERVING, verb
from frontdoor.options import Grain, ModelVersion, words
from infra import instance_types as types_of_pods
from localml import verbs_endpoints
from overview import facts, screen
from pipeline import models
from predict import __main__ as predictions
from predict import example
from rollout import __main__ as rollout
from rollout import open_loop
from rollout import soak as soaking
from rollout.load import Target
from rollout.site import Site

# An objective of `make load` that was not met.
MISSED = 3


@verb(hidden=True)
def setup_serving() -> None:
    """Make the environment of the inference server, whose pins clash with ours."""
    environment.beside(ready.SCORE_VENV, ready.SCORE_LOCK, "the inference server's locked packages")


@verb(SERVING, "./demand deploy", "make deploy ENV=dev MODEL_VERSION=7")
def deploy(
    grain: Grain = GRAINS[0],
    model_version: ModelVersion = None,
    colour: Annotated[str | None, typer.Option(help="blue or green; default: the idle one")] = None,
    batch: Annotated[Path | None, typer.Option(help="forecasts of the same version to agree with")] = None,
    approve: Annotated[
        str | None, typer.Option(help="a step that ml/deploy/rollout.yml asks a person before, such as 50")
    ] = None,
) -> int:
    """Put the champion behind the endpoint, step by step."""
    site.needs_az()
    ready.serving()
    given = words(grain=grain, model_version=model_version, colour=colour, batch=batch, approve=approve)
    return rollout.main(["deploy", *given])


@verb(SERVING)
def rollback(grain: Grain = GRAINS[0]) -> int:
    """Give all traffic back to the version before."""
    site.needs_az()
    ready.serving()
    return rollout.main(["rollback", *words(grain=grain)])


@verb(SERVING, "./demand status --output json")
def status(
    grain: Grain = GRAINS[0],
    output: Annotated[str, typer.Option("--output", "-o", help="text or json")] = "text",
) -> int:
    """Everything on one screen: data, last run, champion, endpoint with a ready curl, last forecast, disk."""
    if output not in ("text", "json"):
        raise UserError(f"OUTPUT={output}: give text or json")
    site.needs_az()
    known = facts.gather(grain)
    request = f"ml/deploy/{models.name_for(grain, 'sample-request')}.json"
    ml = "./demand ml" if site.is_local() else "az ml"
    sys.stdout.write(f"{json.dumps(known, indent=1)}\n" if output == "json" else screen.text(known, ml, request))
    return int(any("error" in each for each in known.values() if isinstance(each, dict)))


@verb(SERVING, "./demand predict --store S001 --month 2026-12 --fields Price=4.5 --fields Promotion=true")
def predict(
    store: Annotated[str | None, typer.Option(help="StoreID")] = None,
    month: Annotated[str | None, typer.Option(help="YYYY-MM")] = None,
    grain: Grain = GRAINS[0],
    fields: Annotated[list[str] | None, typer.Option(help="FIELD=VALUE, such as Price=4.5")] = None,
) -> int:
    """Ask the live endpoint and say why; without a store, for the one that sells most."""
    site.needs_az()
    if not (store and month):
        chosen = example.pick(grain, month)
        store, month = store or chosen.store, month or chosen.month
        fields = [*(f"{name}={value}" for name, value in chosen.more.items()), *(fields or [])]
        sys.stderr.write(f"STORE={store} MONTH={month}, since none was given\n")
    more = ["--set", *fields] if fields else []
    return predictions.main([*words(grain=grain, store=store, month=month), *more])


@verb(SERVING)
def soak(
    minutes: Annotated[float, typer.Option(help="how long")] = 10,
    rate: Annotated[float, typer.Option(help="requests a second, in all")] = 20,
) -> int:
    """Serve under load through two rollouts and a failed one (local engine)."""
    ready.serving()
    # In a state of its own, so that it neither touches the endpoint in use nor registers versions beside the real ones.
    os.environ["LOCALML_HOME"] = str(soak_home.make())
    try:
        return rollout.main(["deploy", "--model-version", "1"]) or soaking.main(
            ["--minutes", str(minutes), "--rate", str(rate), "--good", "2", "1", "--bad", "3"]
        )
    finally:
        verbs_endpoints.stop_every()


@verb(SERVING, "make load RATE=100 SLO_MS=50", "make load RATE=20 SLO_MS=200 ROWS=100 SECONDS=60 ENV=dev")
def load(
    rate: Annotated[float, typer.Option(help="requests a second, sent whether the endpoint keeps up or not")] = 50,
    slo_ms: Annotated[float, typer.Option(help="milliseconds within which a request must be answered")] = 100,
    percent: Annotated[float, typer.Option(help="share of the requests that must")] = 99,
    seconds: Annotated[float, typer.Option(help="how long")] = 20,
    rows: Annotated[int, typer.Option(min=1, help="rows in each request")] = 1,
    grain: Grain = GRAINS[0],
) -> int:
    """Load the live endpoint at a constant rate: exit code 3 where it misses its objective."""
    site.needs_az()
    live = Site(rollout.DEPLOY / "endpoint.yml", rollout.DEPLOY / "deployment.yml", grain)
    state = live.read()
    if state is None or state.stable is None:
        raise UserError(f"endpoint {live.name} serves nothing yet: make deploy")
    chosen = example.pick(grain, None)
    row = {"StoreID": chosen.store, "MonthYear": chosen.month, **chosen.more}
    wanted = open_loop.Objective(rate, seconds, slo_ms, percent)
    verdict = open_loop.run(Target(*live.address()), [{"input_data": [row] * rows}], wanted)
    sys.stdout.writelines(f"{line}\n" for line in verdict.lines(wanted))
    return MISSED if verdict.problem else 0


@verb(SERVING)
def instance_types() -> int:
    """Apply the pods' sizes to the cluster, once and after each change (ENV=dev|prod)."""
    if site.is_local():
        raise UserError("ENV=local has no cluster: make instance-types ENV=dev (or prod)")
    site.needs_az()
    return types_of_pods.main(["--name", os.environ["CLUSTER"], "--group", os.environ["GROUP"]])

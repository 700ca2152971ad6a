"""Verbs of the main job: import, train, forecast, tune."""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from amlspec.errors import UserError
from demand.grain import GRAINS
from frontdoor import ready, site
from frontdoor.app import JOB, SETUP, verb
from frontdoor.options import Grain, Holdout, ModelVersion, Sales, Settings, run_settings
from host.state import home
from pipeline import forecast as forecasts
from pipeline import runs, sweep
from provenance import keys
from rollout.__main__ import DEPLOY
from rollout.site import Site

PushDown = Annotated[bool, typer.Option("--pushdown", help="the warehouse sums; only monthly rows leave it")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="submit, print the job's name, and end")]


@verb(JOB, "./demand run-pipeline --sales mine.csv", "make run-pipeline HOLDOUT_MONTHS=3 STRICT=1")
def run_pipeline(
    sales: Sales = None,
    holdout_months: Holdout = None,
    grain: Grain = GRAINS[0],
    settings: Settings = None,
    strict: Annotated[bool, typer.Option("--strict", help="exit code 3 where the gate refuses")] = False,
    no_wait: NoWait = False,
    pushdown: PushDown = False,
) -> int:
    """Train: sales to a registered model."""
    ready.for_jobs(sales, grain if pushdown else "")
    if no_wait:
        return runs.begin_training(grain, run_settings(holdout_months, settings))
    return runs.train(grain, run_settings(holdout_months, settings), strict)


Job = Annotated[str | None, typer.Option(help="name of the job")]


@verb(JOB, "./demand watch --job train-20261201-060000-1")
def watch(
    job: Job = None,
    minutes: Annotated[
        float | None, typer.Option(help="at most so long; a job that goes on then has not failed")
    ] = None,
) -> int:
    """Follow a job that was submitted before, to its end."""
    site.needs_az()
    return runs.follow(_named(job, "watch"), minutes)


@verb(JOB, "./demand job-state --job train-20261201-060000-1")
def job_state(job: Job = None) -> None:
    """Print the state of a job, such as running or completed, and nothing else."""
    site.needs_az()
    runs.state(_named(job, "job-state"))


@verb(JOB, "./demand cancel --job train-20261201-060000-1")
def cancel(job: Job = None) -> None:
    """Cancel a job; one that has ended stays as it is."""
    site.needs_az()
    runs.cancel(_named(job, "cancel"))


def _named(job: str | None, verb_name: str) -> str:
    if not job:
        raise UserError(f"which job? make {verb_name} JOB=<name>")
    return job


@verb(JOB, "./demand import-data", "make import-data PUSHDOWN=1 GRAIN=product")
def import_data(no_wait: NoWait = False, pushdown: PushDown = False, grain: Grain = GRAINS[0]) -> int:
    """Import: sales from the warehouse to the data asset `sales`."""
    if grain != GRAINS[0] and not pushdown:
        raise UserError("raw sales have no grain: GRAIN is for PUSHDOWN=1 alone")
    return ready.import_sales(grain if pushdown else "", waits=not no_wait)


@verb(JOB, "./demand estimate --rows 50000000", "make estimate PIPELINE=forecast MACHINE=Standard_D8s_v3")
def estimate(
    pipeline: Annotated[str, typer.Option(help="of ml/pipelines")] = "train",
    rows: Annotated[int | None, typer.Option(min=1, help="raw rows; default: those of the last run here")] = None,
    series_months: Annotated[int | None, typer.Option(min=1, help="monthly rows; default: the same")] = None,
    machine: Annotated[str | None, typer.Option(help="size of machine; default: prod's")] = None,
    nodes: Annotated[int | None, typer.Option(min=1, help="how many machines; default: prod's")] = None,
) -> int:
    """Say what a run on Azure takes, before it is submitted: minutes, US dollars and kg CO2 by step."""
    from estimate import __main__ as estimates  # noqa: PLC0415  a tenth of a second for every verb

    return estimates.run(pipeline, rows, series_months, machine, nodes)


@verb(JOB, "./demand forecast --horizon 3 --plan plan.csv")
def forecast(
    horizon: Annotated[str | None, typer.Option(help="months ahead, 1 to 60; default: the spec's own")] = None,
    plan: Annotated[
        Path | None, typer.Option(help="planned prices, promotions and holidays by store and month")
    ] = None,
    grain: Grain = GRAINS[0],
    model_version: ModelVersion = None,
    force: Annotated[bool, typer.Option("--force", help="publish even what last year's sales would beat")] = False,
    parallel: Annotated[
        int | None, typer.Option(min=1, help="machines that share the series; for very many, docs/scale.md")
    ] = None,
) -> int:
    """Forecast every store's next months."""
    ready.for_jobs()
    settings = forecasts.settings(grain, model_version, horizon, plan, force)
    if site.is_local():
        ready.start_warehouse()
    return runs.predict_all(settings, site.vault(), parallel)


@verb(JOB, "./demand sweep --trials 32")
def sweep_verb(
    trials: Annotated[str | None, typer.Option(help="how many; default: the spec's own")] = None,
    grain: Grain = GRAINS[0],
    sales: Sales = None,
    holdout_months: Holdout = None,
    settings: Settings = None,
) -> int:
    """Tune the booster on the training months and say the best settings."""
    ready.for_jobs(sales)
    return runs.tune(sweep.settings(grain, trials, run_settings(holdout_months, settings)))


@verb(JOB, "./demand monitor --act")
def monitor(
    grain: Grain = GRAINS[0],
    model_version: ModelVersion = None,
    act: Annotated[bool, typer.Option("--act", help="train anew where an alarm calls for it")] = False,
) -> int:
    """Watch the sales and the live model: drift, errors, freshness; exit code 3 where a limit is passed."""
    ready.for_jobs()
    return runs.watch_model(grain, model_version, act)


@verb(JOB, "make verdict FIELD=promoted", "make verdict FOLDER=report")
def verdict(
    field: Annotated[str | None, typer.Option(help="print this one alone, such as promoted")] = None,
    folder: Annotated[Path | None, typer.Option(help="copy verdict, report and card there, too")] = None,
) -> None:
    """Print the last run's verdict as JSON."""
    site.needs_az()
    runs.verdict(field, folder)


@verb(JOB)
def ui(ui_port: Annotated[int, typer.Option(help="port on this machine")] = 5000) -> int:
    """Open MLflow's page with every run and model (local engine)."""
    sys.stdout.write(f"MLflow: http://127.0.0.1:{ui_port} (Ctrl-C ends it)\n")
    sys.stdout.flush()
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    address = ["--host", "127.0.0.1", "--workers", "1", "--port", str(ui_port)]
    store = ["--backend-store-uri", f"sqlite:///{home()}/mlflow.db"]
    command = [str(Path(sys.prefix) / "bin/mlflow"), "ui", *address, *store]
    return subprocess.run(command, env={**os.environ, **quiet}, check=False).returncode


@verb(JOB)
def register_assets() -> None:
    """Register environments and components under their versions."""
    ready.assets()


@verb(hidden=True)
def ready_verb(sales: Sales = None) -> None:
    """Have everything that a job needs: registered environments, and here sales and their import."""
    ready.for_jobs(sales)


@verb(
    SETUP,
    "./demand ml job list -o table",
    "./demand ml model show --name demand-forecast --label latest --env dev",
    raw=True,
)
def ml(context: typer.Context) -> int:
    """Any verb of `az ml`, by the engine of the environment, with what its jobs need to sign in to the warehouse."""
    site.needs_az()
    if site.is_local():
        os.environ.update(ready.warehouse_variables())
        keys.give_to_jobs()
    return subprocess.run([*shlex.split(os.environ["AZ_ML"]), *context.args], check=False).returncode


@verb(hidden=True)
def environments() -> None:
    """Register environments under their versions."""
    ready.environments()


@verb(JOB, "./demand schedules --env dev")
def schedules() -> int:
    """Create or replace the schedules of ml/schedules: import, monitor, train, forecast once a month."""
    site.needs_az()
    ready.environments() if site.is_local() else ready.assets()
    return runs.schedule_all(_served())


def _served() -> str | None:
    """The live deployment for Azure ML's own monitor; None here, and where nothing is live."""
    if site.is_local():
        return None
    served = Site(DEPLOY / "endpoint.yml", DEPLOY / "deployment.yml")
    state = served.read()
    return f"azureml:{served.name}:{state.stable}" if state and state.stable else None


@verb(JOB, "./demand run-due --now 2027-01-02T10:00Z")
def run_due(
    now: Annotated[str | None, typer.Option(help="do what is due by this time; default: the clock's")] = None,
) -> int:
    """Run what the schedules have had due since the last time (this machine; Azure ML does so itself)."""
    if not site.is_local():
        raise UserError("Azure ML starts the jobs of its schedules itself: `az ml schedule list` shows them")
    ready.environments()
    ready.start_warehouse()
    return runs.run_due(now)


Months = Annotated[int, typer.Option(help="how many months to play")]


@verb(JOB, "./demand replay --sales mine.csv --from 2025-01", "make replay SALES=mine.csv MONTHS=24")
def replay(
    sales: Sales = None,
    first: Annotated[str | None, typer.Option("--from", help="first month to forecast, YYYY-MM")] = None,
    months: Months = 12,
    faults: Annotated[bool, typer.Option("--faults", help="plant events, and say which of them are seen")] = False,
    holdout_months: Holdout = None,
) -> int:
    """What this repo would have done with your last months, by its schedules, gate and rollout (this machine)."""
    return _replay(sales, None, first, months, faults, holdout_months)


@verb(JOB, "./demand simulate-year --seed 7")
def simulate_year(
    seed: Annotated[int | None, typer.Option(help="of the generated sales")] = None, months: Months = 12
) -> int:
    """Replay a year of generated sales in which events are planted."""
    return _replay(None, seed, None, months, True)


def _replay(
    sales: Path | None, seed: int | None, first: str | None, months: int, faults: bool, holdout: str | None = None
) -> int:
    from replay import __main__ as replays  # noqa: PLC0415  scikit-learn with it: more than a second for every verb

    if not site.is_local():
        raise UserError("a replay plays on this machine: leave ENV out")
    if holdout is not None and not (holdout.isdecimal() and int(holdout) > 0):
        raise UserError(f"HOLDOUT_MONTHS={holdout}: give a number of months")
    judged = int(holdout) if holdout else replays.YEAR
    return replays.run(ready, sales, seed, first, months, faults, judged)

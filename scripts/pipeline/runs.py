"""The jobs that people start: each is prepared, submitted, followed to its end, and summed up."""

import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from amlspec.errors import UserError
from demand.grain import GRAINS
from localml import verbs_schedules, view
from pipeline import (
    answers,
    azml,
    forecast,
    last_forecast,
    last_run,
    lineage,
    models,
    monitor,
    schedules,
    signing,
    submit,
    summary,
    sweep,
)

ROOT = Path(__file__).parents[2]
# A gate that refused, where the caller wants to know by the exit code.
REFUSED = 3
# A monitor that has alarms.
ALARMS = 3
# A job that the engine or the service did not take.
REFUSED_CALL = 2


def train(grain: str, given: Sequence[str], strict: bool) -> int:
    """Sales to a registered model.

    Args:
        grain: what a monthly row stands for.
        given: `--set` values of the call, such as inputs.holdout_months=6.
        strict: end with REFUSED where the gate refused.
    """
    job = new_name("train")
    settings = training_settings(job, grain, given)
    try:
        code = submit.run(job, Path(lineage.PIPELINE), settings, repeats_warnings=False)
    except UserError as error:
        if error.exit_code == REFUSED_CALL:
            last_run.forget(job)
        raise
    return code or show(job, strict)


def begin_training(grain: str, given: Sequence[str]) -> int:
    """Submit a training run, print its name as the last line, and end; `make watch` follows it."""
    job = new_name("train")
    submit.submit(job, Path(lineage.PIPELINE), training_settings(job, grain, given))
    _say([job])
    return 0


def training_settings(job: str, grain: str, given: Sequence[str]) -> list[str]:
    """Note the run's name, and the champion that it meets; its `--set` values."""
    model = models.name_for(grain)
    chosen = [f"inputs.grain={grain}"] if grain != GRAINS[0] else []
    settings = [*lineage.settings(ROOT, model, [*chosen, *given], job), *signing.settings()]
    before = models.champion(models.versions(model))
    last_run.remember(job, model, str(before["version"]) if before else None)
    return settings


def show(job: str, strict: bool) -> int:
    """Print the table of a training run."""
    try:
        verdict = last_run.verdict(job)
    except UserError as error:
        if azml.is_local() or strict:
            raise
        # The service ran the job to its end, or we would not be here; its page shows what could not be fetched.
        _say([f"Job {job} was run; its report is on the job's page in Azure ML studio ({error})"])
        return 0
    report = last_run.report_folder(azml.call("job", "show", name=job))
    _say(summary.lines(verdict, report, last_run.champion_before(job)))
    return REFUSED if strict and not verdict.promoted else 0


def bring_in(vault: Mapping[str, str], summed_by: str = "", *, waits: bool = True, says: bool = False) -> int:
    """Sales from the warehouse to the data asset.

    Args:
        vault: inputs of a private key's vault.
        summed_by: the grain of a push-down; empty for what the pipeline says.
        waits: to the job's end; else its name is printed.
        says: print the name after waiting, too.
    """
    job, spec, given = new_name("import"), Path("ml/pipelines/import.yml"), _inputs("import", vault)
    if summed_by:
        given = [*given, "inputs.push_down=always", f"inputs.grain={summed_by}"]
    if waits:
        code = submit.run(job, spec, given)
    else:
        submit.submit(job, spec, given)
        code = 0
    if says or not waits:
        _say([job])
    return code


def predict_all(settings: Sequence[str], vault: Mapping[str, str], machines: int | None = None) -> int:
    """Every store's next months; `settings` come from `forecast.settings`. With `machines` they share the series."""
    job, spec = new_name("forecast"), Path("ml/pipelines/forecast.yml")
    given = [*settings, *_inputs("publish", vault)]
    if machines:
        spec = Path("ml/pipelines/forecast_parallel.yml")
        given.append(f"jobs.forecast_parts.resources.instance_count={machines}")
    code = submit.run(job, spec, given, repeats_warnings=False)
    if code == 0:
        _say(forecast.lines(job))
        last_forecast.remember(job, forecast.folder(job))
    return code


def tune(settings: Sequence[str]) -> int:
    """The booster's best settings on the training months."""
    job = new_name("sweep")
    code = submit.run(job, sweep.SPEC, settings, repeats_warnings=False)
    if code == 0:
        _say(sweep.lines(job, Path(lineage.PIPELINE)))
    return code


def watch_model(grain: str, version: str | None, act: bool) -> int:
    """Signals of the sales and the live model: 0 where all is well, ALARMS otherwise, or what a retraining ends with.

    Args:
        grain: of the model.
        version: default: the champion.
        act: train anew where an alarm calls for it; what that registers has passed the gate, and deploys nothing.
    """
    job = new_name("monitor")
    if code := submit.run(job, monitor.SPEC, monitor.settings(grain, version)):
        return code
    report = monitor.report_of(job, grain)
    _say(["", *monitor.lines(report), "Page: `make open PAGE=monitor`"])
    if not act:
        return 0 if report["is_healthy"] else ALARMS
    decision = monitor.decide(job, report)
    _say([f"Decided: {decision}"])
    return train(grain, [], strict=False) if decision == monitor.RETRAIN else 0 if report["is_healthy"] else ALARMS


def schedule_all(deployment: str | None) -> int:
    """Create or replace each schedule of ml/schedules, and say when it starts its next job.

    `deployment` is what Azure ML's own monitor is to watch, azureml:<endpoint>:<colour>; None: it has none to watch.
    """
    commit, now = lineage.git_commit(ROOT), datetime.now(UTC)
    for spec in sorted(schedules.FOLDER.glob("*.yml")):
        azml.run("schedule", "create", spec=spec, settings=schedules.settings(spec, commit))
        _say([schedules.line(spec, now)])
    if deployment:
        watched = f"create_monitor.monitoring_target.endpoint_deployment_id={deployment}"
        azml.run("schedule", "create", spec=schedules.MONITOR, settings=[watched])
        _say([f"{schedules.line(schedules.MONITOR, now)}, of {deployment}"])
    return 0


def run_due(now: str | None) -> int:
    """Each job that the schedules have due, in turn, and what a monitor's alarms call for; 1 where one failed."""
    failed, count = False, 0
    for count, done in enumerate(verbs_schedules.each_due(now, view.of_job), 1):  # noqa: B007  said at the end
        _say([f"{done['time']} {done['schedule']}: {done['status']}", *([done["error"]] if "error" in done else [])])
        failed |= done["status"] != "Completed"
        if done["status"] == "Completed":
            _follow_up(Path(done["spec"]).name, done["job"], datetime.fromisoformat(done["time"]))
    if not count:
        _say(["Nothing was due" if verbs_schedules.list_() else "No schedule yet: `make schedules` creates four"])
    return int(failed)


def _follow_up(spec: str, job: str, at: datetime) -> None:
    """What a verb does after its job, for one that a schedule started."""
    if spec == monitor.SPEC.name:
        act_on(job, at)
    elif spec == Path(lineage.PIPELINE).name:
        last_run.remember(job, models.name_for(GRAINS[0]), None)
    elif spec == "forecast.yml":
        last_forecast.remember(job, forecast.folder(job))


def act_on(job: str, at: datetime, given: Sequence[str] = ()) -> None:
    """Say a monitor's alarms, and train anew, with the `--set` values `given`, where they call for it."""
    report = monitor.report_of(job)
    decision = monitor.decide(job, report, at)
    _say([*monitor.lines(report), f"Decided: {decision}"])
    if decision == monitor.RETRAIN:
        train(GRAINS[0], given, strict=False)


def follow(job: str, minutes: float | None = None) -> int:
    """A job that was submitted before, to its end or for so many minutes; its name begins with its pipeline's."""
    return submit.run(job, Path(f"ml/pipelines/{job.split('-', maxsplit=1)[0]}.yml"), None, minutes=minutes)


def state(job: str) -> None:
    """Print a job's state, with the words of both versions of the ml extension made one."""
    _say([answers.state(azml.call("job", "show", name=job).get("status"))])


def cancel(job: str) -> None:
    """Cancel a job that has not ended."""
    now = answers.state(azml.call("job", "show", name=job).get("status"))
    if now in answers.FINAL:
        _say([f"{job} has ended already: {now}"])
        return
    azml.run("job", "cancel", name=job)
    _say([f"{job} is canceled"])


def verdict(field: str | None = None, folder: Path | None = None) -> None:
    """Print the last run's verdict as JSON, or one field of it; with `folder` the report's files are copied there."""
    job = last_run.name()
    made = last_run.verdict(job).as_json()
    if folder:
        shutil.copytree(last_run.report_folder(azml.call("job", "show", name=job)), folder, dirs_exist_ok=True)
    if field and field not in made:
        raise UserError(f"FIELD={field}: a verdict has {', '.join(made)}")
    _say([json.dumps(made[field] if field else made, indent=2)])


def new_name(kind: str) -> str:
    """A run's name is ours, so that its verdict can be asked for on either engine."""
    return f"{kind}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}"


def _inputs(node: str, values: Mapping[str, str]) -> list[str]:
    return [f"jobs.{node}.inputs.{name}={value}" for name, value in values.items()]


def _say(lines: Iterable[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()

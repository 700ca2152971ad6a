"""Plays the months: import, monitor, what its alarms call for, train, forecast, rollout, in a state of its own.

Each month is one file, written when it has been played, and every job has the name of its moment: a replay that was
killed goes on where it was, and ends with the same table.
"""

import contextlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TextIO

import duckdb
import pandas as pd

from amlspec.errors import UserError
from demand.grain import GRAINS, MODEL_NAME
from demand.months import month_name
from host.state import home, read_json, write_json
from localml import records, registry, specs, verbs_schedules, view
from pipeline import forecast, last_forecast, models, monitor, runs
from replay import frozen
from replay.events import Event, first_day, with_events
from rollout import __main__ as rollout
from sales.contract_sql import literal

# The jobs of a cycle are due on the second of the month, and all done by then.
DAY, HOUR = 2, 12
SCHEDULES = Path("ml/schedules")
KINDS = ("import", "monitor", "train", "forecast")
OF_A_MODEL = ("monitor", "forecast")


@dataclass
class Played:
    """One month of a replay.

    Attributes:
        month: YYYY-MM that is forecast; sales are known until the month before.
        rows: of sales that were imported.
        alarms: (signal, scope, since) of each; a job that failed is (failed, its kind, month).
        decided: what the monitor's alarms led to.
        trained: trainings, that of the schedule and that of an alarm.
        version: of the champion at its end; empty before the gate let one in.
        rollout: live or taken back, where the champion was new.
        forecast: file of the month's forecasts; None where the job failed.
        once: file of those that the first model would have made of the same sales.
    """

    month: str
    rows: int = 0
    alarms: list[list[str]] = field(default_factory=list)
    decided: str = ""
    trained: int = 0
    version: str = ""
    rollout: str = ""
    forecast: str | None = None
    once: str | None = None


class Machine(Protocol):
    """What the verbs make ready on this machine (frontdoor.ready)."""

    def seed(self, file: Path | None) -> None:
        """Fill the local warehouse."""

    def start_warehouse(self) -> None:
        """Have it run, and let the steps of jobs know where."""

    def import_sales(self) -> int:
        """Sales from the warehouse to the data asset; the exit code."""

    def serving(self) -> None:
        """Have what a rollout needs."""


class Replay:
    """A replay in this process's LOCALML_HOME."""

    def __init__(
        self, sales: Sequence[Path], months: range, events: Sequence[Event], machine: Machine, holdout: int
    ) -> None:
        self.machine, self.settings = machine, [f"inputs.holdout_months={holdout}"]
        files = ", ".join(literal(str(path)) for path in sales)
        self.sales, self.events = f"select * from read_parquet([{files}])", events
        self.months = months
        self.folder = home() / "replay"
        self.folder.mkdir(parents=True, exist_ok=True)

    def _log(self) -> TextIO:
        return (self.folder / "log.txt").open("a", encoding="utf-8")

    def play(self, month: int) -> Played:
        """One month, or what an earlier call has kept of it."""
        kept = self.folder / f"{month_name(month)}.json"
        if (before := read_json(kept)) is not None:
            return Played(**before)
        played = Played(month_name(month))
        with self._log() as log, contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
            self._play(month, played)
        write_json(kept, asdict(played))
        return played

    def _play(self, month: int, played: Played) -> None:
        played.rows = self._fill_warehouse(month)
        moment = _moment(month)
        if month == self.months[0]:
            self._begin(moment, played)
        else:
            self._run_schedules(moment, played)
        played.version = self._champion()
        if played.version and played.forecast is None and not _is_scheduled(*OF_A_MODEL):
            self._first_forecast(moment, played)
        if played.version and played.forecast:
            played.rollout = self._roll_out(played)
            played.once = self._once(month, played)

    def _fill_warehouse(self, month: int) -> int:
        """The warehouse holds the sales that are known then; how many rows."""
        file = self.folder / "known.parquet"
        query = with_events(self.sales, self.events, month - 1)
        rows = write_rows(query, file)
        self.machine.seed(file)
        self.machine.start_warehouse()
        return rows

    def _begin(self, moment: datetime, played: Played) -> None:
        """The first training, and the schedules from then on that need no model."""
        self.machine.serving()
        if self.machine.import_sales() or runs.train(GRAINS[0], self.settings, strict=False):
            raise UserError(f"the first training failed: {self.folder}/log.txt says why", 1)
        _schedule(moment, "import")
        _schedule(moment, "train", *(f"create_job.{each}" for each in self.settings))
        played.trained = 1

    def _first_forecast(self, moment: datetime, played: Played) -> None:
        """By the first model that the gate let in, and the schedules from then on that need one."""
        runs.predict_all(forecast.settings(GRAINS[0], None, None, None, force=True), {})
        made = last_forecast.note()
        played.forecast = (
            _made(records.load(made["job"]), "forecast", "forecasts", "forecasts.parquet") if made else None
        )
        for kind in OF_A_MODEL:
            _schedule(moment, kind)

    def _run_schedules(self, moment: datetime, played: Played) -> None:
        for done in verbs_schedules.each_due(moment.isoformat(), view.quiet):
            if done["schedule"].startswith("monitor") and done["status"] == "Completed":
                runs.act_on(done["job"], datetime.fromisoformat(done["time"]), self.settings)
        # Read from the records, so that a call that was killed between two jobs leaves the same behind.
        jobs = {kind: _job(kind, moment) for kind in KINDS if _is_scheduled(kind)}
        for kind, job in jobs.items():
            if job is None or job["status"] != "Completed":
                played.alarms.append(["failed", kind, played.month])
        if (watched := jobs.get("monitor")) and watched["status"] == "Completed":
            report = json.loads(_output(watched, "signals", monitor.FILE).read_text(encoding="utf-8"))
            breached = [each for each in report["signals"] if each["state"] == "breached"]
            played.alarms += [[each["name"], each["scope"], each["since"]] for each in breached]
            played.decided = monitor.decided(watched["name"]) or ""
        played.trained = 1 + (played.decided == monitor.RETRAIN)
        if written := jobs.get("forecast"):
            # Of the step: one that was not published, since last year's sales would be better, is a forecast, too.
            played.forecast = _made(written, "forecast", "forecasts", "forecasts.parquet")

    def _once(self, month: int, played: Played) -> str | None:
        """What the first model would have forecast of this month from the same sales."""
        first = registry.versions(MODEL_NAME)[-1]
        if played.forecast is None or str(first["version"]) == played.version:
            return played.forecast
        target = self.folder / f"once-{played.month}.parquet"
        job = _job("forecast", _moment(month))
        monthly = _made(job, "aggregate", "monthly", "") if job else None
        if monthly is None:
            return played.forecast
        frozen.forecast(Path(str(first["path"])), Path(monthly), month, target)
        return str(target)

    def _request(self, played: Played) -> Path:
        """A golden request of stores and a month that these sales have; the repo's own is of the generated ones."""
        table = pd.read_parquet(str(played.forecast), columns=["StoreID", "MonthYear"]).head(3)
        path = self.folder / "request.json"
        write_json(path, {"input_data": table.to_dict("records")})
        return path

    def _champion(self) -> str:
        known = models.champion(models.versions(MODEL_NAME))
        return str(known["version"]) if known else ""

    def _roll_out(self, played: Played) -> str:
        """Bring a new champion behind the endpoint; nothing where it is there already."""
        version = played.version
        if not _rollouts(version):
            rollout.main(["deploy", "--model-version", version, "--request", str(self._request(played))])
            known = _rollouts(version)
            return known[-1] if known else ""
        return ""


def _schedule(moment: datetime, kind: str, *settings: str) -> None:
    verbs_schedules.make(specs.load(SCHEDULES / f"{kind}.yml", settings), moment + timedelta(hours=1))


def _is_scheduled(*kinds: str) -> bool:
    names = {each["name"] for each in verbs_schedules.list_()}
    return all(f"{kind}-monthly" in names for kind in kinds)


def write_rows(query: str, file: Path) -> int:
    """Write what a query gives as Parquet; how many rows."""
    with duckdb.connect() as session:
        return int(session.execute(f"copy ({query}) to {literal(str(file))} (format parquet)").fetchall()[0][0])


def _moment(month: int) -> datetime:
    first = first_day(month)
    return datetime(first.year, first.month, DAY, HOUR, tzinfo=UTC)


def _made(record: dict[str, Any], step: str, output: str, file: str) -> str | None:
    """A file of a step's output; None where the step did not end well."""
    folder = ((record["jobs"].get(step) or {}).get("outputs") or {}).get(output)
    path = Path(folder) / file if folder else None
    return str(path) if path and path.exists() else None


def _job(kind: str, moment: datetime) -> dict[str, Any] | None:
    """The record of a schedule's job of that day, of its last attempt."""
    names = (home() / "jobs").glob(f"{kind}-monthly-{moment:%Y%m%d}-*")
    known = [record for path in names if (record := read_json(path / "job.json"))]
    return max(known, key=lambda record: str(record["creation_context"]["created_at"]), default=None)


def _output(record: dict[str, Any], name: str, file: str) -> Path:
    return Path(record["outputs"][name]["path"]) / file


def _rollouts(version: str) -> list[str]:
    """How each rollout of a version ended, the last one last."""
    reports = [read_json(path) for path in sorted((home() / "rollouts").glob("*-deploy.json"))]
    return ["live" if each["outcome"] == "done" else "taken back" for each in reports if each["version"] == version]

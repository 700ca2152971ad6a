"""What stands around the job of `make monitor`: its settings, its alarms as lines, and what was decided about them."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amlspec.errors import UserError
from demand.grain import GRAINS
from host.state import home, read_json, write_json, write_text
from monitoring.page import render
from monitoring.signals import breached, of_json
from monitoring.words import WORDS, shown
from pipeline import azml, endpoint_signals, models, outputs

SPEC = Path("ml/pipelines/monitor.yml")
# The output, of the pipeline and of the step that writes it (`outputs.fetched`).
SIGNALS = ("signals", "monitor")
FILE, PAGE = "signals.json", "monitor.html"
# An alarm retrains no more often than this.
RETRAIN_DAYS = 1
RETRAIN, WAIT, LOOK, NOTHING = "retrain", "wait", "look", "nothing"
# Alarms of the import itself: what is learned from it would be as wrong as it is.
OF_IMPORT = frozenset({"months_missing", "quarantined", "sales_level", "stores_silent"})


def settings(grain: str, version: str | None) -> list[str]:
    """`--set` values for ml/pipelines/monitor.yml. Raises UserError for a version that does not exist.

    The day is today's, not that of the import as for other jobs: sales that no longer come are what is to be seen.
    """
    model = models.name_for(grain)
    chosen = models.version_or_champion(model, version)
    return [
        f"inputs.model.path=azureml:{model}:{chosen}",
        f"inputs.model_name={model}",
        f"inputs.model_version={chosen}",
        f"inputs.as_of={_now():%Y-%m-%d}Z",
        f"inputs.grain={grain}",
        *([f"inputs.insights={insights}"] if (insights := os.environ.get("INSIGHTS")) else []),
    ]


def report_of(job: str, grain: str = GRAINS[0]) -> dict[str, Any]:
    """signals.json of a job, brought here, with the endpoint's own signals; it is then the last report."""
    record = azml.call("job", "show", name=job)
    local = (record.get("outputs") or {}).get(SIGNALS[0], {}).get("path")
    folder = Path(local) if local and Path(local).is_dir() else home() / "monitor" / job
    if not (folder / FILE).is_file():
        outputs.fetched(job, *SIGNALS, folder)
    try:
        report: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"the output {SIGNALS[0]} of job {job} holds no {FILE}", 1) from None
    if served := endpoint_signals.signals(grain):
        report["signals"] += [each.as_json() for each in served]
        report["is_healthy"] = not breached([of_json(each) for each in report["signals"]])
        folder = home() / "monitor" / job
        write_json(folder / FILE, report)
        write_text(folder / PAGE, render(report))
    write_json(_note(), {"job": job, "folder": str(folder), "at": _now().isoformat(timespec="seconds")})
    return report


def last() -> tuple[dict[str, Any], Path] | None:
    """(signals.json of the last monitor, its folder); None before the first one."""
    note = read_json(_note())
    if note is None or not (Path(note["folder"]) / FILE).is_file():
        return None
    folder = Path(note["folder"])
    return json.loads((folder / FILE).read_text(encoding="utf-8")), folder


def lines(report: dict[str, Any]) -> list[str]:
    """Each alarm with its value, limit, since when, and what to do; or that all is well."""
    alarms = [each for each in report["signals"] if each["state"] == "breached"]
    unknown = sum(each["state"] == "unknown" for each in report["signals"])
    model = f"{report['model']['name']} version {report['model']['version']}"
    watched = f"{len(report['signals'])} signals of {model} as of {report['as_of']}"
    if not alarms:
        return [f"Healthy: {watched}" + (f", {unknown} cannot be told" if unknown else "")]
    return [f"{len(alarms)} alarms among {watched}:", *(line for each in alarms for line in _alarm(each))]


def _alarm(signal: dict[str, Any]) -> list[str]:
    name, words = signal["name"], WORDS[signal["name"]]
    scope = "" if signal["scope"] == "all" else f" in {signal['scope']}"
    value, limit = shown(name, signal["value"]), shown(name, signal["limit"])
    return [f"  {words.title}{scope}: {value}, above {limit} since {signal['since']}", f"    to do: {words.todo}"]


def decide(job: str, report: dict[str, Any], now: datetime | None = None) -> str:
    """RETRAIN, WAIT (it was done within RETRAIN_DAYS), LOOK (the import may be wrong: a person looks first) or NOTHING.

    It is kept with what was seen, and never changed afterwards.

    `now` is the moment of the job where a past one is played; default: the clock's.
    """
    if known := decided(job):  # a call that was killed after it had decided
        return known
    now = now or _now()
    decision, rule = NOTHING, "no alarm calls for a new model"
    if report["calls_for_retraining"]:
        before = _last_retraining()
        recent = before is not None and (now - before).days < RETRAIN_DAYS
        decision = WAIT if recent else RETRAIN
        rule = f"at most one retraining in {RETRAIN_DAYS} day" if recent else "an alarm calls for a new model"
    breached_now = {each["name"] for each in report["signals"] if each["state"] == "breached"}
    if doubtful := sorted(breached_now & OF_IMPORT):
        decision, rule = LOOK, f"nothing is learned from an import in doubt: {', '.join(doubtful)}"
    alarms = [f"{each['name']} of {each['scope']}" for each in report["signals"] if each["state"] == "breached"]
    at = now.isoformat(timespec="seconds")
    entry = {"at": at, "job": job, "alarms": alarms, "decision": decision, "rule": rule}
    _journal().parent.mkdir(parents=True, exist_ok=True)
    with _journal().open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(entry) + "\n")
    return decision


def decided(job: str) -> str | None:
    """What was decided about the alarms of a job; None where nothing was."""
    return next((str(each["decision"]) for each in decisions() if each["job"] == job), None)


def decisions() -> list[dict[str, Any]]:
    """Every decision, the oldest first."""
    if not _journal().is_file():
        return []
    return [json.loads(line) for line in _journal().read_text(encoding="utf-8").splitlines() if line.strip()]


def _last_retraining() -> datetime | None:
    done = [datetime.fromisoformat(each["at"]) for each in decisions() if each["decision"] == RETRAIN]
    return max(done, default=None)


def _journal() -> Path:
    return home() / "monitor" / f"{_env()}.decisions.jsonl"


def _note() -> Path:
    return home() / "runs" / f"{_env()}.monitor.json"


def _env() -> str:
    return os.environ.get("ENV", "local")


def _now() -> datetime:
    return datetime.now(UTC)

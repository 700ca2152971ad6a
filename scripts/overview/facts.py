"""What `make status` shows, gathered over the verbs of `az ml`: the same on either engine."""

import os
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amlspec.document import display
from amlspec.errors import UserError
from demand import health
from host.state import home, read_json
from pipeline import answers, azml, imported, last_forecast, last_run, models, monitor
from rollout.site import Site
from warehouse import state as warehouse

Facts = dict[str, Any]
DEPLOY = Path("ml/deploy")


def gather(grain: str, wanted: Collection[str] | None = None) -> Facts:
    """Facts by their names, all without `wanted`; one that cannot be had is {"error": why}, the others are shown."""
    site = Site(DEPLOY / "endpoint.yml", DEPLOY / "deployment.yml", grain)
    parts: dict[str, Callable[[], Facts]] = {
        "data": _data,
        "run": _run,
        "champion": lambda: _champion(site.model),
        "endpoint": lambda: _endpoint(site),
        "forecast": _forecast,
        "alarms": _alarms,
    }
    if azml.is_local():
        parts |= {"warehouse": _warehouse, "disk": _disk}
    facts: Facts = {"environment": os.environ.get("ENV", "local"), "at": _now().isoformat(timespec="seconds")}
    return facts | {name: _asked(part) for name, part in parts.items() if wanted is None or name in wanted}


def _asked(part: Callable[[], Facts]) -> Facts:
    try:
        return part()
    except UserError as error:
        return {"error": str(error)}


def _data() -> Facts:
    newest = imported.newest()
    if newest is None:
        return {"version": None}
    seeded = read_json(home() / "warehouse/seeded.json") if azml.is_local() else None
    facts = {"version": str(newest["version"]), "imported": imported.day(newest).rstrip("Z")}
    return facts | ({"rows": seeded["rows"], "source": seeded["file"]} if seeded else {})


def _run() -> Facts:
    if not last_run.is_known():
        return {"name": None}
    job = last_run.name()
    record = azml.call("job", "show", name=job)
    status = answers.state(record.get("status"))
    facts = {"name": job, "status": status, "began": _created(record)}
    if status != "completed":
        return facts
    verdict = last_run.verdict(job)
    chosen = verdict.candidates.get(verdict.selected)
    wape = chosen.one_step.wape if chosen else None
    return facts | {"promoted": verdict.promoted, "selected": verdict.selected, "wape": wape,
                    "warnings": len(verdict.warnings)}  # fmt: skip


def _champion(model: str) -> Facts:
    best = models.champion(models.versions(model))
    if best is None:
        return {"model": model, "version": None}
    tags, version = models.tags(best), str(best["version"])
    return {
        "model": model,
        "version": version,
        "candidate": tags.get("candidate"),
        "wape": float(tags["wape"]) if tags.get("wape") else None,
        "since": tags.get("champion"),
        "warning": _worse(model, version),
    }


def _worse(model: str, version: str) -> str | None:
    """What the last run said of the champion: whether last year's sales would forecast better."""
    live = last_run.live(model)
    return health.sentence(model, version, live) if str(live.get("version")) == version else None


def _endpoint(site: Site) -> Facts:
    facts: Facts = {"name": site.name, "deployments": [], "address": None, "state": "none"}
    if azml.is_stopped(site.name):
        return facts | {"state": "stopped"}
    rows = site.rows()
    if not rows:
        return facts
    shown = azml.call("online-endpoint", "show", name=site.name)
    return facts | {"state": "serving", "deployments": rows, "address": shown.get("scoring_uri")}


def _forecast() -> Facts:
    return last_forecast.note() or {"job": None}


def _alarms() -> Facts:
    known = monitor.last()
    if known is None:
        return {"as_of": None, "alarms": []}
    report, _ = known
    breached = [each for each in report["signals"] if each["state"] == "breached"]
    named = [{name: each[name] for name in ("name", "scope", "value", "limit", "since")} for each in breached]
    return {"as_of": report["as_of"], "alarms": named}


def _warehouse() -> Facts:
    server = warehouse.running(warehouse.open_home())
    return {"runs": server is not None, "port": server.port if server else None}


def _disk() -> Facts:
    place = home()
    return {"folder": display(place), "bytes": sum(path.lstat().st_size for path in place.rglob("*") if path.is_file())}


def _created(record: Facts) -> str | None:
    created = (record.get("creation_context") or {}).get("created_at")
    return str(created) if created else None


def _now() -> datetime:
    return datetime.now(UTC)

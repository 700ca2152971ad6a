"""The facts as text: a line or two for each, and what to do next."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from monitoring.words import WORDS, shown

WIDTH = 11
KEY = "$({ml} online-endpoint get-credentials --name {name} --query primaryKey -o tsv)"
REQUEST = "ml/deploy/{name}.json"


def text(facts: Mapping[str, Any], ml: str, request: str) -> str:
    """The whole screen.

    Args:
        facts: of `facts.gather`.
        ml: how the engine is called, for the line with curl.
        request: file with an example of a request.
    """
    makers = {
        "data": _data,
        "run": _run,
        "champion": _champion,
        "endpoint": lambda each: _endpoint(each, ml, request),
        "forecast": _forecast,
        "alarms": _alarms,
        "warehouse": _warehouse,
        "disk": _disk,
    }
    where = "this machine" if facts["environment"] == "local" else f"Azure, {facts['environment']}"
    lines = [f"GloboJava demand forecast, {where}", ""]
    for name, maker in makers.items():
        if name in facts:
            said = [f"not known: {facts[name]['error']}"] if "error" in facts[name] else list(maker(facts[name]))
            heads = [name.capitalize(), *[""] * (len(said) - 1)]
            lines += [f"{head:<{WIDTH}}{line}" for head, line in zip(heads, said, strict=True)]
    return "\n".join([*lines, "", f"{'Next':<{WIDTH}}{_next(facts)}"]) + "\n"


def _data(data: Mapping[str, Any]) -> Iterator[str]:
    if data["version"] is None:
        yield "no sales yet"
        return
    rows = f", {data['rows']:,} rows of {data['source']}" if "rows" in data else ""
    yield f"sales version {data['version']}, imported {_ago(data['imported'])}{rows}"


def _run(run: Mapping[str, Any]) -> Iterator[str]:
    if run["name"] is None:
        yield "none yet"
        return
    yield f"{run['name']}, {run['status']}, {_ago(run['began'])}"
    if run["status"] == "completed":
        decided = "promoted" if run["promoted"] else "not promoted"
        warned = f", {run['warnings']} warnings" if run["warnings"] else ""
        yield f"{run['selected']}, WAPE {_percent(run['wape'])} one month ahead: {decided}{warned}"


def _champion(champion: Mapping[str, Any]) -> Iterator[str]:
    if champion["version"] is None:
        yield f"no version of {champion['model']} yet"
        return
    of = f" ({champion['candidate']}, WAPE {_percent(champion['wape'])})" if champion["candidate"] else ""
    since = f", since {_ago(champion['since'])}" if champion["since"] else ""
    yield f"{champion['model']} version {champion['version']}{of}{since}"
    if champion["warning"]:
        yield f"warning: {champion['warning']}"


def _endpoint(endpoint: Mapping[str, Any], ml: str, request: str) -> Iterator[str]:
    name = endpoint["name"]
    if endpoint["state"] == "none":
        yield f"no deployment of {name} yet"
        return
    if endpoint["state"] == "stopped":
        yield f"{name} is stopped: make predict, make deploy or make rollback starts it"
        return
    for row in endpoint["deployments"]:
        how = "healthy" if row["healthy"] else "NOT HEALTHY"
        stable = ", to fall back to" if row["stable"] else ""
        yield f"{row['deployment']}: {row['model']}, {row['traffic']} % of the traffic, {how}{stable}"
    if endpoint["address"]:
        yield endpoint["address"]
        key = KEY.format(ml=ml, name=name)
        yield f'curl -s {endpoint["address"]} -H @<(echo "Authorization: Bearer {key}") \\'
        yield f'  -H "Content-Type: application/json" -d @{request}'


def _forecast(forecast: Mapping[str, Any]) -> Iterator[str]:
    if forecast["job"] is None:
        yield "none yet"
        return
    yield f"{forecast['job']}, {_ago(forecast['at'])}"
    if forecast["folder"]:
        yield str(forecast["folder"])


def _alarms(known: Mapping[str, Any]) -> Iterator[str]:
    if known["as_of"] is None:
        yield "not watched yet: make monitor"
    elif not known["alarms"]:
        yield f"none as of {known['as_of']}"
    for each in known["alarms"]:
        value, limit = shown(each["name"], each["value"]), shown(each["name"], each["limit"])
        scope = "" if each["scope"] == "all" else f" in {each['scope']}"
        yield f"{WORDS[each['name']].title}{scope}: {value}, above {limit} since {each['since']}"


def _warehouse(warehouse: Mapping[str, Any]) -> Iterator[str]:
    yield f"runs at 127.0.0.1:{warehouse['port']}" if warehouse["runs"] else "stopped: the next import starts it"


def _disk(disk: Mapping[str, Any]) -> Iterator[str]:
    yield f"{disk['bytes'] / 1e6:,.0f} MB in {disk['folder']}: make clean removes what nothing needs"


def _next(facts: Mapping[str, Any]) -> str:
    """The verb that a person would call now."""
    version = facts["champion"].get("version")
    served = {
        str(row["model"]).rsplit(":", 1)[-1] for row in facts["endpoint"].get("deployments", []) if row["traffic"]
    }
    if version is None:
        return "make run-pipeline"
    if version not in served and facts["endpoint"].get("state") != "stopped":
        return "make deploy"
    return "make predict" if facts["forecast"].get("job") else "make forecast"


def _percent(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1%}"


def _ago(moment: str | None) -> str:
    """A moment (ISO 8601) or a day in words: today, yesterday, the number of days, and its date."""
    if not moment or moment == "none":
        return "at an unknown time"
    if len(moment) == len("2026-11-30"):
        day = date.fromisoformat(moment)
    else:
        day = datetime.fromisoformat(moment.replace("Z", "+00:00")).astimezone(UTC).date()
    days = (datetime.now(UTC).date() - day).days
    return "today" if days <= 0 else f"yesterday, {day}" if days == 1 else f"{days} days ago, {day}"

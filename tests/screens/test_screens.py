"""Pages of runs, rollouts and data: what they show, what is escaped, and links that lead to files."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import helpers_report
from amlspec.errors import UserError
from host.state import write_json
from pages import page as pages
from pipeline import azml, last_forecast
from screens import data, rollouts, runs, site, timeline


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs, one of which failed; a rollout that was taken back; the last forecast."""
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path))
    monkeypatch.setenv("ENV", "local")
    (tmp_path / "report").mkdir()
    verdict = helpers_report.verdict(model={"name": "demand-forecast", "version": "3"}).as_json()
    write_json(tmp_path / "report/verdict.json", verdict)
    (tmp_path / "report/report.html").write_text(f"<body>{pages.LINKS}<h1>the report</h1>")
    records = {
        "train-2": job("train-2", "Completed", "2026-11-02", tmp_path),
        "train-1": job("train-1", "Failed", "2026-11-01", tmp_path),
        "forecast-1": job("forecast-1", "Completed", "2026-11-03", tmp_path),
    }

    def answer(group: str, verb: str, **given: Any) -> Any:
        if group == "job":
            return list(records.values()) if verb == "list" else records[given["name"]]
        return [] if verb == "list" else None

    monkeypatch.setattr(azml, "call", answer)
    write_json(tmp_path / "runs/local.json", {"job": "train-2"})
    report = {"verb": "deploy", "endpoint": "demand-forecast", "env": "local", "outcome": "taken back",
              "began": "2026-11-02T10:00:00+00:00", "problems": [{"step": "traffic 10 %", "problem": "12% errors"}],
              "steps": [{"step": "create", "seconds": 2.5, "text": "blue <b>with</b> version 3"}]}  # fmt: skip
    write_json(tmp_path / "rollouts/20261102T100000-deploy.json", report)
    write_json(tmp_path / "rollouts/20261103T100000-deploy.json", {**report, "env": "dev"})
    (tmp_path / "forecasts").mkdir()
    (tmp_path / "forecasts/explorer.html").write_text(f"<body>{pages.LINKS}<h1>the explorer</h1>")
    last_forecast.remember("forecast-1", tmp_path / "forecasts")
    (tmp_path / "signals").mkdir()
    model = {"name": "demand-forecast", "version": "3", "trained_until": "2026-09"}
    watched = {"model": model, "as_of": "2026-11-03", "signals": [], "worst": [], "is_healthy": True}
    write_json(tmp_path / "signals/signals.json", watched)
    decision = {"at": "2026-11-03T09:00:00+00:00", "job": "monitor-1", "alarms": ["bias of all"],
                "decision": "retrain", "rule": "an alarm calls for a new model"}  # fmt: skip
    (tmp_path / "monitor").mkdir()
    (tmp_path / "monitor/local.decisions.jsonl").write_text(json.dumps(decision) + "\n")
    write_json(tmp_path / "runs/local.monitor.json", {"job": "monitor-1", "folder": str(tmp_path / "signals")})
    return tmp_path


def job(name: str, status: str, day: str, home: Path) -> dict[str, Any]:
    return {
        "name": name,
        "status": status,
        "creation_context": {"created_at": f"{day}T08:30:00+00:00"},
        "inputs": {"data_version": 4, "holdout_months": 12},
        "outputs": {"report": {"path": str(home / "report")}},
        "jobs": {"aggregate": {"outputs": {"monthly": str(home / "monthly")}}},
    }


def sales(home: Path) -> None:
    """A store with a gap, one that ended, and one without either."""
    months = pd.period_range("2026-01", "2026-06", freq="M").astype(str)
    rows = [("Gap", month) for month in months if month != "2026-03"]
    rows += [("Ended", month) for month in months[:4]] + [("Whole", month) for month in months]
    table = pd.DataFrame(rows, columns=["StoreID", "MonthStart"]).assign(Country="Mexico", TotalSales=10.0)
    (home / "monthly").mkdir()
    table.assign(MonthStart=pd.to_datetime(table["MonthStart"])).to_parquet(home / "monthly/monthly.parquet")
    counts = {"read": 900, "quarantined": 3, "store_months": 15, "complete_until": "2026-06"}
    counts |= {"by_rule": {"Price >= 0": 3}, "warnings": [], "partial_months": []}
    (home / "monthly/rows.json").write_text(json.dumps(counts))


def test_runs_are_listed_newest_first_and_no_forecast_is_among_them(home: Path) -> None:
    newest, oldest = runs.known()
    assert (newest.name, newest.verdict, newest.model) == ("train-2", "promoted", "demand-forecast 3")
    assert (newest.data_version, newest.holdout, newest.wape) == ("4", "12 months", 0.0312)
    assert newest.naive == 0.1
    assert (oldest.name, oldest.status, oldest.verdict, oldest.wape) == ("train-1", "failed", "-", None)


def test_rollouts_are_those_of_this_environment_with_their_problems(home: Path) -> None:
    (one,) = rollouts.known()
    assert one["problems"][0]["problem"] == "12% errors"


def test_stores_with_gaps_come_first_and_those_that_ended_are_named(home: Path) -> None:
    sales(home)
    known = data.known()
    assert known is not None and known.stores is not None
    counts = [(each.name, each.months, each.gaps) for each in known.stores]
    assert counts == [("Gap", 5, 1), ("Ended", 4, 0), ("Whole", 6, 0)]
    assert [each.name for each in known.ended] == ["Ended"]


def test_every_page_links_to_the_others_and_every_link_leads_to_a_file(home: Path) -> None:
    sales(home)
    made = site.write("store")
    assert set(made) == set(site.NAMES)
    for name, path in made.items():
        text = path.read_text()
        links = re.findall(r'<a href="([^"]+)"', text)
        assert sorted(links) == sorted(f"{each}.html" for each in site.NAMES), name
        assert all((path.parent / link).is_file() for link in links)
        assert re.search(rf'<a href="{name}.html" aria-current="page">', text)
        assert "http://" not in text and "https://" not in re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def test_the_timeline_has_what_happened_newest_first(home: Path) -> None:
    events = [(each.at, each.what, each.good) for each in timeline.known()]
    assert events == [
        ("2026-11-03 09:00", "Decision", False),
        ("2026-11-03 08:30", "Forecast", True),
        ("2026-11-02 10:00", "Rollout", False),
        ("2026-11-02 08:30", "Training", True),
        ("2026-11-01 08:30", "Training", None),
    ]
    text = site.page("monitor", "store").read_text()
    assert "bias of all: retrain, an alarm calls for a new model" in text
    assert "train-2: gate promoted, demand-forecast 3" in text


def test_what_there_is_nothing_of_has_no_page_and_says_which_verb_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path))
    monkeypatch.setenv("ENV", "local")
    monkeypatch.setattr(azml, "call", lambda *_, **__: [])
    assert set(site.write("store")) == {"runs", "rollouts"}
    with pytest.raises(UserError, match="nothing to show on explorer yet: `make forecast` makes it"):
        site.page("explorer", "store")
    with pytest.raises(UserError, match="PAGE=x: give explorer, report"):
        site.page("x", "store")


def test_texts_from_outside_are_escaped(home: Path) -> None:
    text = site.page("rollouts", "store").read_text()
    assert "blue &lt;b&gt;with&lt;/b&gt; version 3" in text
    assert "12% errors" in text

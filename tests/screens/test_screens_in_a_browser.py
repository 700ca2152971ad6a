"""Pages of runs, rollouts and data in Chromium: axe, a phone, both schemes, two runs compared."""

from pathlib import Path
from typing import Any

import pytest

from helpers_browser import assert_accessible
from monitoring.page import render
from overview import facts
from pictures import browser
from screens import site
from screens.data import Data, Store
from screens.runs import Run
from screens.timeline import Event

pytestmark = [
    pytest.mark.slow,  # starts a browser
    pytest.mark.skipif(browser.executable() is None, reason="no Chromium on PATH"),
]


def watched() -> dict[str, Any]:
    """A report of the monitor with an alarm and a signal that cannot be told."""
    signal = {"scope": "all", "limit": 0.2, "calls_for": "retrain"}
    months = ["2026-08", "2026-09", "2026-10"]
    alarm = {**signal, "name": "bias", "values": [0.1, 0.3, 0.4], "value": 0.4, "state": "breached", "since": "2026-09"}
    unknown = {**signal, "name": "sales_psi", "values": [None], "value": None, "state": "unknown", "since": None}
    return {
        "model": {"name": "demand-forecast", "version": "3", "trained_until": "2026-07"},
        "as_of": "2026-11-30",
        "signals": [{**alarm, "months": months}, {**unknown, "months": months[:1]}],
        "worst": [{"store": "S001", "country": "U.S.", "missed": 12.5, "wape": None}],
        "is_healthy": False,
    }


def lately() -> list[Event]:
    """One event of each colour."""
    texts = ("train-2: gate promoted", "version 3: taken back", "version 4: waiting")
    return [
        Event("2026-11-02 10:00", "Rollout", text, good) for text, good in zip(texts, (True, False, None), strict=True)
    ]


def run(name: str, wape: float, verdict: str = "promoted") -> Run:
    figures = {"booster": (wape, wape + 0.01), "last_month": (0.2, None)}
    return Run(name, "2026-11-02 08:30", "completed", "4", "12 months", "booster", wape, wape + 0.01, 0.2, verdict,
               "demand-forecast 3", figures)  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each page as a file, of what a machine may know."""
    home = tmp_path_factory.mktemp("home")
    report = {"verb": "deploy", "began": "2026-11-02T10:00:00", "outcome": "taken back", "result": None,
              "steps": [{"step": "create", "seconds": 1.0, "text": "blue"}],
              "problems": [{"step": "traffic 10 %", "problem": "12% errors"}]}  # fmt: skip
    row = {"deployment": "blue", "model": "demand-forecast:3", "traffic": 100, "healthy": False, "stable": True}
    endpoint = {"name": "demand-forecast", "state": "serving", "deployments": [row]}
    rows = {"read": 9, "quarantined": 3, "store_months": 15, "complete_until": "2026-06", "incomplete_month_rows": 4}
    rows |= {"by_rule": {"Price >= 0": 3}, "partial_months": ["2026-07"]}
    rows |= {"warnings": [{"step": "aggregate", "message": "odd"}]}
    stores = [
        Store("S001", "U.S.", "2025-01", "2026-05", 16, 1, 1234.5),
        Store("S002", "U.S.", "2025-01", "2026-06", 18, 0, 9),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCALML_HOME", str(home))
        patch.setenv("ENV", "local")
        patch.setattr(site.runs, "known", lambda: [run("train-2", 0.1), run("train-1", 0.12, "refused")])
        patch.setattr(site.rollouts, "known", lambda: [report])
        patch.setattr(site.data, "known", lambda: Data("train-2", rows, stores, "2026-06"))
        known = {"endpoint": endpoint, "data": {"version": "4", "imported": "2026-11-01"}}
        patch.setattr(facts, "gather", lambda *_: known)
        patch.setattr(site, "_report", lambda: None)
        patch.setattr(site, "_monitor", lambda: render(watched(), lately()))
        return site.write("store")


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with browser.page(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1100, 360])
@pytest.mark.parametrize("name", ["runs", "rollouts", "data", "monitor"])
def test_axe_finds_nothing_and_the_page_is_no_wider_than_the_screen(
    tab: Any, made: dict[str, Path], name: str, width: int, scheme: str
) -> None:
    tab.open(made[name], width=width, scheme=scheme)
    assert_accessible(tab, width)
    assert tab.requests() == [made[name].as_uri()]


def test_two_runs_are_compared_with_the_change_in_points(tab: Any, made: dict[str, Path]) -> None:
    tab.open(made["runs"])
    first = "[...document.querySelector('#compared tbody tr').cells].map(each => each.textContent)"
    assert tab.run(first) == ["booster", "10.0%", "12.0%", "-2.0", "11.0%", "13.0%", "-2.0"]
    choice = "document.getElementById('second')"
    tab.run(f"{choice}.value = 'train-2'; {choice}.dispatchEvent(new Event('change'))")
    assert tab.run(first)[3] == "0.0"
    assert tab.run("document.querySelector('#compared tbody tr:last-child').cells[4].textContent") == "-"

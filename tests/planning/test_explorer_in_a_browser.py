"""The explorer as planners meet it: the page forecasts as the model does, and saves a plan that PLAN= takes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demand.contract import load_contract
from demand.direct import load_forecaster
from demand.forecaster import Forecaster
from demand.requests import RequestRules
from forecasting import packing
from helpers_browser import assert_accessible
from helpers_models import direct_models, everything_of, forest_model
from helpers_sales import CONTRACT
from pictures import browser
from planning.batch import asked_rows
from planning.explorer import grid, page
from planning.explorer.page import Batch
from planning.planned import read_plan

pytestmark = [
    pytest.mark.slow,  # learns models and starts a browser
    pytest.mark.skipif(browser.executable() is None, reason="no Chromium on PATH"),
]
HORIZON, ROWS = 6, 1000
NAMES = ("profile", "booster", "blend", "history", "contextual")
READY = "new Promise(done => requestAnimationFrame(() => setTimeout(done, 30)))"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models of every kind, each with its page beside it."""
    root = tmp_path_factory.mktemp("models")
    direct_models(root)
    for name in ("history", "contextual"):
        forest_model(root / name, name)
    for name in NAMES:
        forecaster = loaded(root, name)
        rows = asked_rows(forecaster.state, HORIZON, {})
        batch = Batch(rows, forecaster.forecast(rows), [None] * len(rows), HORIZON)
        named = {"name": "demand-forecast", "version": "1"}
        text = page.render(root / name, forecaster, batch, named, everything_of(batch))
        (root / f"{name}.html").write_text(text, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with browser.page(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def loaded(root: Path, name: str) -> Forecaster:
    return load_forecaster(root / name, packing.read_metadata(root / name))


def random_plans(forecaster: Forecaster, is_free: bool) -> list[tuple[int, int, dict[str, Any]]]:
    """(series, month ahead, plan): prices anywhere, or those of the grid."""
    random = np.random.default_rng(5)
    last = {int(number): float(value) for number, value in enumerate(forecaster.state.numbers["Price"])}
    made = []
    for _ in range(ROWS):
        number, month = int(random.integers(len(forecaster.state.keys))), int(random.integers(HORIZON))
        factor = float(random.uniform(0.5, 1.5)) if is_free else float(random.choice(grid.PRICES))
        price = last[number] if np.isfinite(last[number]) else 4.0
        plan = {"price": price * factor, "promotion": bool(random.integers(2)), "holiday": bool(random.integers(2))}
        made.append((number, month, {key: None if random.random() < 0.3 else value for key, value in plan.items()}))
    return made


@pytest.mark.parametrize("name", NAMES)
def test_1000_random_plans_are_forecast_in_the_page_as_by_the_model(tab: Any, models: Path, name: str) -> None:
    forecaster = loaded(models, name)
    asked = random_plans(forecaster, name in ("profile", "booster", "blend"))
    rows = []
    for number, month, plan in asked:
        row = {**forecaster.state.key_values(number), "Month": forecaster.state.last_month + 1 + month}
        named = {"Price": plan["price"], "Promotion": plan["promotion"], "Holiday": plan["holiday"]}
        rows.append(row | {key: value for key, value in named.items() if value is not None})
    # One at a time: of several rows for one month the later months of a forest build on the first.
    expected = [forecaster.forecast([row])[0] for row in rows]
    tab.open(models / f"{name}.html")
    script = """((asked) => {
        const data = explorer.data, places = new Map(data.series.map((one, place) => [one.key.join(), place]));
        const answer = ([key, month, plan]) => WhatIf.forecast(data, data.series[places.get(key)], month, plan);
        return asked.map((each) => Object.values(answer(each)));
    })"""
    keys = [",".join(forecaster.state.key_values(number).values()) for number, _, _ in asked]
    given = [[key, month, plan] for key, (_, month, plan) in zip(keys, asked, strict=True)]
    answers = np.array(tab.run(f"{script}({json.dumps(given)})"))
    np.testing.assert_allclose(answers, np.array([each[:3] for each in expected]), rtol=1e-6, atol=1e-6)
    assert tab.faults() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1100, 360])
@pytest.mark.parametrize("name", ["blend", "history"])
def test_axe_finds_nothing_and_the_page_is_no_wider_than_the_screen(
    tab: Any, models: Path, name: str, width: int, scheme: str
) -> None:
    tab.open(models / f"{name}.html", width=width, scheme=scheme)
    moved(tab, "price-all", "-10")
    assert_accessible(tab, width)
    assert tab.requests() == [(models / f"{name}.html").as_uri()]


def moved(tab: Any, element: str, value: str) -> None:
    tab.run(
        f"(() => {{ const e = document.getElementById('{element}'); e.value = '{value}';"
        " e.dispatchEvent(new Event('input')); e.dispatchEvent(new Event('change')); })()"
    )


def cells(tab: Any, row: int) -> list[str]:
    return list(
        tab.run(f"[...document.querySelectorAll('#months tbody tr')[{row}].cells].map(each => each.textContent)")
    )


def test_a_promotion_moves_the_months_the_chart_and_the_totals_and_can_be_undone(tab: Any, models: Path) -> None:
    tab.open(models / "booster.html")
    before, sums = cells(tab, 0), tab.run("document.querySelector('#sums tbody').textContent")
    picture = tab.run("document.querySelector('#chart canvas').toDataURL()")
    moved(tab, "promotion-all", "1")
    assert all(cells(tab, month)[9] != "-" for month in range(HORIZON))
    assert cells(tab, 0)[8] != before[8] and cells(tab, 0)[2] == before[2]
    assert tab.run("document.querySelector('#sums tbody').textContent") != sums
    assert tab.run("document.querySelector('#chart canvas').toDataURL()") != picture
    tab.run("document.getElementById('reset').click()")
    assert cells(tab, 0) == before
    assert tab.run("document.querySelector('#sums tbody').textContent") == sums


def test_the_saved_plan_is_one_that_the_forecast_takes_and_gives_the_pages_figures(
    tab: Any, models: Path, tmp_path: Path
) -> None:
    tab.open(models / "blend.html")
    moved(tab, "price-all", "-12")
    moved(tab, "holiday-all", "0")
    shown = [cells(tab, month)[8] for month in range(HORIZON)]
    (tmp_path / "plan.csv").write_text(tab.run("explorer.csv()"), encoding="utf-8")
    forecaster = loaded(models, "blend")
    state = forecaster.state
    rules = RequestRules(load_contract(CONTRACT), state.key_columns, state.first_month, state.last_month)
    plan = read_plan(tmp_path / "plan.csv", rules, state.key_columns)
    assert len(plan) == HORIZON
    rows = [
        row for row in asked_rows(state, HORIZON, plan) if row["StoreID"] == tab.run("explorer.data.series[0].key[0]")
    ]
    assert [f"{each.sales:,.0f}" for each in forecaster.forecast(rows)] == shown


def test_search_and_country_narrow_the_list_and_say_how_many_are_left(tab: Any, models: Path) -> None:
    tab.open(models / "blend.html")
    moved(tab, "search", "s01")
    assert tab.run("document.getElementById('matches').textContent") == "4 to choose from"
    assert tab.run("document.getElementById('series').value !== '' && document.getElementById('series').length") == 4
    moved(tab, "search", "nothing like it")
    assert tab.run("document.getElementById('matches').textContent") == "Nothing is called so"
    assert tab.faults() == []


def test_an_order_covers_more_with_a_higher_level_and_p90_at_90_percent(tab: Any, models: Path) -> None:
    tab.open(models / "blend.html")
    assert cells(tab, 0)[10] == cells(tab, 0)[4]
    moved(tab, "level", "98")
    more = float(cells(tab, 0)[10].replace(",", ""))
    moved(tab, "level", "50")
    assert more > float(cells(tab, 0)[4].replace(",", "")) > float(cells(tab, 0)[10].replace(",", ""))
    assert cells(tab, 0)[10] == cells(tab, 0)[8]


def test_everything_is_reached_by_keys(tab: Any, models: Path) -> None:
    tab.open(models / "booster.html")
    tab.run("document.getElementById('price-all').focus()")
    before = cells(tab, 0)[8]
    for _ in range(15):
        tab.press("ArrowLeft")
    assert tab.run("document.getElementById('price-said').textContent") == "-15 % of the last price"
    assert cells(tab, 0)[8] != before
    tab.press("Tab")
    assert tab.run("document.activeElement.id") == "promotion-all"

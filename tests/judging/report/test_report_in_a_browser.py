"""The report as people meet it: charts drawn, keys that work, both colour schemes, a phone, and axe."""

import pytest

import helpers_report
from helpers_browser import assert_accessible
from judging.report import render
from pictures import browser

pytestmark = [
    pytest.mark.slow,  # starts a browser
    pytest.mark.skipif(browser.executable() is None, reason="no Chromium on PATH"),
]
READOUT = "document.getElementById('readout').textContent"


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with browser.page(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(helpers_report.verdict(champion=helpers_report.ENTRY), helpers_report.series()))
    return path


def drawn(tab):
    """The chart's pixels, as text."""
    return tab.run("document.querySelector('#chart canvas').toDataURL()")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1100, 360])
def test_axe_finds_nothing_and_the_page_is_no_wider_than_the_screen(tab, report, scheme, width):
    tab.open(report, width=width, scheme=scheme)
    tab.run("document.querySelector('details').open = true")
    assert_accessible(tab, width)


def test_the_page_asks_for_nothing_but_itself(tab, report):
    tab.open(report)
    assert tab.requests() == [report.as_uri()]


def test_a_store_and_a_month_are_chosen_by_keys_alone(tab, report):
    tab.open(report)
    all_stores = tab.run(READOUT)
    assert all_stores.startswith("2024-12: sold ") and ", forecast " in all_stores and ", between " in all_stores
    tab.run("document.getElementById('series').focus()")
    before = drawn(tab)
    tab.press("End")
    assert tab.run("document.getElementById('series').value") == "S005"
    assert tab.run(READOUT) != all_stores and drawn(tab) != before
    tab.press("Tab")
    tab.press("ArrowLeft")
    assert tab.run(READOUT).startswith("2024-11: sold ")
    assert tab.run("document.getElementById('month').getAttribute('aria-valuetext')") == tab.run(READOUT)
    tab.press("Home")
    assert tab.run(READOUT).startswith("2022-01: sold ") and "forecast" not in tab.run(READOUT)


def test_a_store_of_the_worst_list_is_shown_in_the_chart(tab, report):
    tab.open(report)
    tab.run("document.querySelector('button[data-series]').focus()")
    name = tab.run("document.activeElement.dataset.series")
    tab.press("Enter")
    assert tab.run("document.getElementById('series').value") == name
    assert tab.run("document.activeElement.id") == "series"


def test_the_table_holds_what_the_chart_draws(tab, report):
    tab.open(report)
    months = tab.run("[...document.querySelectorAll('#figures th')].map(each => each.textContent)")
    assert len(months) == 36 and (months[0], months[-1]) == ("2022-01", "2024-12")
    last = tab.run("document.querySelector('#figures tr:last-child').textContent")
    assert last.count("-") == 1, "a month with a forecast has no dash but that of its name"


def test_another_colour_scheme_draws_the_chart_anew(tab, report):
    tab.open(report)
    light = drawn(tab)
    tab.scheme("dark")
    tab.run("new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")
    assert drawn(tab) != light
    assert tab.run("getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 29)"


def test_names_from_outside_run_nothing_and_are_shown_as_they_are(tab, tmp_path):
    verdict, series = helpers_report.hostile()
    (tmp_path / "report.html").write_text(render(verdict, series))
    tab.open(tmp_path / "report.html")
    assert tab.run("typeof window.broken") == "undefined" and tab.faults() == []
    assert verdict.selected in tab.run("document.querySelector('h1').textContent")
    option = tab.run("document.querySelector('#series').lastElementChild.lastElementChild.value")
    assert option == max(store.name for store in series.stores)
    tab.run("document.querySelector('button[data-series]').click()")
    assert ", forecast " in tab.run(READOUT)

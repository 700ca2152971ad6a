"""The page of a replay in a browser: nothing that axe objects to, no wider than the screen, nothing from outside."""

from pathlib import Path
from typing import Any

import pytest

from helpers_browser import assert_accessible
from pictures import browser
from replay import page
from replay.events import planted
from replay.play import Played
from replay.table import Alarm, Errors, Summary

pytestmark = [
    pytest.mark.slow,  # starts a browser
    pytest.mark.skipif(browser.executable() is None, reason="no Chromium on PATH"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    months = ("2026-01", "2026-02", "2026-03")
    played = tuple(Played(month, 10, [["bias", "all", month]], "retrain", 1, "1", "live") for month in months)
    errors = {month: Errors(0.1, 0.12, None) for month in (*months, "all")}
    events = planted(2026 * 12, 3)
    done = Summary(played, events, errors, (Alarm("2026-02", "bias", "all", "2026-02", None),))
    return page.write(done, tmp_path_factory.mktemp("replay"))


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with browser.page(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1100, 360])
def test_axe_finds_nothing_and_the_page_is_no_wider_than_the_screen(
    tab: Any, made: Path, width: int, scheme: str
) -> None:
    tab.open(made, width=width, scheme=scheme)
    assert_accessible(tab, width)
    assert tab.requests() == [made.as_uri()]

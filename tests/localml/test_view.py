"""The live view fits a terminal: names, states and seconds stay whole, however long a step's last line is."""

import io

import pytest
from rich.console import Console

from localml.view import WHOLE, LiveView

NAMES = ("aggregate", "prepare", "train_contextual", "evaluate", "register")


@pytest.mark.parametrize("width", [60, 80, 130])
def test_a_long_last_line_is_cut_and_nothing_else(tmp_path, width):
    (tmp_path / "log.txt").write_text("INFO Fitted contextual on 2138 store-months, features " + "Weather, " * 40)
    steps = {name: {"status": "NotStarted", "seconds": None, "log": ""} for name in NAMES}
    steps["aggregate"] = {
        "status": "Completed",
        "seconds": 0.0,
        "reused_from": "train-20261123-123912-20434",
        "log": "",
    }
    steps["prepare"] = {"status": "Completed", "seconds": 12.34, "log": ""}
    steps["train_contextual"] = {"status": "Running", "seconds": None, "log": str(tmp_path / "log.txt")}
    console = Console(width=width, file=io.StringIO())
    usual = {**dict.fromkeys(NAMES, 5.4), WHOLE: 48.2}
    console.print(LiveView("train-1", usual)._table({"jobs": steps}))
    drawn = console.file.getvalue()
    for whole in (*NAMES, "reused", "completed", "12.3", "running", "notstarted", "seconds", "usual"):
        assert whole in drawn
    assert max(map(len, drawn.splitlines())) <= width


def test_the_total_is_said_beside_that_of_the_last_time_unless_a_step_is_reused():
    steps = {name: {"status": "NotStarted", "seconds": None, "log": ""} for name in NAMES}
    view = LiveView("train-1", {**dict.fromkeys(NAMES, 5.4), WHOLE: 48.2})
    assert view._total({"jobs": steps}) == "0 s of about 48 s"
    steps["prepare"]["reused_from"] = "train-0"
    assert view._total({"jobs": steps}) == "0 s"
    assert LiveView("train-1")._total({"jobs": steps}) == "0 s"

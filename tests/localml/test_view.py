"""The live view fits a terminal: names, states and seconds stay whole, however long a step's last line is."""

import io

import pytest
from rich.console import Console

from localml.view import LiveView

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
    console.print(LiveView("train-1")._table({"jobs": steps}))
    drawn = console.file.getvalue()
    for whole in (*NAMES, "reused", "completed", "12.3", "running", "notstarted", "seconds"):
        assert whole in drawn
    assert max(map(len, drawn.splitlines())) <= width

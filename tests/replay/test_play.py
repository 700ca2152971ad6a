"""A short replay of own sales, killed on its way: it goes on, and its table is that of one which was not."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from helpers_sales import daily_sales

pytestmark = pytest.mark.slow  # trains models

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def sales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sales") / "own.csv"
    daily_sales(stores=4, first="2021-01-01", last="2023-06-30").to_csv(path, index=False)
    return path


def start(home: Path, *words: str) -> subprocess.Popen[str]:
    kept = {key: value for key, value in os.environ.items() if key not in ("ENV", "AZ_ML", "LOCALML_STRICT")}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    env = kept | {"LOCALML_HOME": str(home)}
    return subprocess.Popen(["./demand", "replay", *words], cwd=ROOT, env=env, start_new_session=True, **pipes)


def table(home: Path) -> Any:
    (path,) = home.glob("replays/*/table.json")
    return json.loads(path.read_text())


def test_a_replay_that_is_killed_ends_with_the_table_of_one_that_is_not(sales: Path, tmp_path: Path) -> None:
    words = ("--sales", str(sales), "--months", "2")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    done = start(whole, *words)
    said, _ = done.communicate(timeout=500)
    assert done.returncode == 0, said
    assert [row["month"] for row in table(whole)["months"]] == ["2023-05", "2023-06"]
    assert table(whole)["all"]["forecast"].endswith("%")
    (page,) = whole.glob("replays/*/replay.html")
    assert "What this repo would have done from 2023-05 to 2023-06" in page.read_text()

    running = start(killed, *words)
    deadline = time.monotonic() + 400
    while not list(killed.glob("replays/*/jobs/train-monthly-*/train_profile/log.txt")) and running.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    again = start(killed, *words)
    said, _ = again.communicate(timeout=500)
    assert again.returncode == 0, said
    assert table(killed) == table(whole)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--from", "2021"), "FROM=2021: give a month such as 2026-01"),
        (("--from", "2022-02"), "possible for FROM are 2023-01 to 2023-06"),
        (("--sales", "absent.csv"), "absent.csv: no such file"),
        (("--env", "dev"), "a replay plays on this machine"),
    ],
)
def test_what_cannot_be_played_is_one_line(sales: Path, tmp_path: Path, words: tuple[str, ...], named: str) -> None:
    given = () if "--sales" in words else ("--sales", str(sales))
    done = start(tmp_path, *given, *words)
    said, _ = done.communicate(timeout=100)
    assert done.returncode == 2
    assert named in said.splitlines()[-1]

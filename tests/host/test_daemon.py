"""The one server of a folder."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from amlspec.errors import UserError
from host import daemon
from host.daemon import Daemon, Server

SERVES = """
import sys, time
from pathlib import Path
from host import daemon
daemon.announce(Path(sys.argv[1]) / "server.json", 4711)
time.sleep(600)
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Daemon]:
    """A folder whose server, a module that lies in it, announces itself and waits."""
    (tmp_path / "announcer.py").write_text(SERVES)
    (tmp_path / "breaks.py").write_text("raise SystemExit('no such port')")
    (tmp_path / "silent.py").write_text("import time; time.sleep(600)")
    server = Daemon(
        "the announcer", "announcer", str(tmp_path), tmp_path / "server.json", tmp_path / "server.log", 30.0, 5.0
    )
    yield server
    daemon.stop(server)


def test_a_server_is_started_discovered_and_stopped(served: Daemon) -> None:
    assert daemon.find(served) is None
    server = daemon.start(served)
    assert daemon.find(served) == server
    assert server.port == 4711
    assert os.getsid(server.pid) == server.pid, "it outlives the session that started it"
    assert daemon.stop(served)
    assert not server.is_alive()
    assert not daemon.stop(served)


def test_a_server_that_ends_at_once_is_an_error_with_its_last_line(served: Daemon) -> None:
    with pytest.raises(UserError, match=r"the announcer did not start: no such port; its log: .*server\.log"):
        daemon.start(replace(served, module="breaks"))


def test_a_server_that_never_answers_is_ended(served: Daemon) -> None:
    with pytest.raises(UserError, match="did not answer within 0 s"):
        daemon.start(replace(served, module="silent", start_seconds=0.5))
    commands = [each.info["cmdline"] or [] for each in psutil.process_iter(["cmdline"])]
    assert not [each for each in commands if "silent" in each and served.argument in each]


def test_a_process_that_got_the_pid_of_an_earlier_server_is_left_alone(served: Daemon) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        started = psutil.Process(bystander.pid).create_time() - 1000
        served.state.write_text(f'{{"pid": {bystander.pid}, "started": {started}, "port": 1}}')
        assert not daemon.stop(served)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"pid": "x", "started": 1, "port": 2}'])
def test_a_damaged_state_file_counts_as_missing(tmp_path: Path, text: str) -> None:
    (tmp_path / "server.json").write_text(text)
    assert daemon.read(tmp_path / "server.json") is None


def test_a_server_that_does_not_answer_counts_as_missing(served: Daemon) -> None:
    server = daemon.start(served)
    assert isinstance(server, Server)
    assert daemon.find(replace(served, answers=lambda _: False)) is None

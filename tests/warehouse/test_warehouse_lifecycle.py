"""The server of the local warehouse: start, find, stop, stale state, password, what survives."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest
import snowflake.connector
from snowflake.connector.errors import DatabaseError, ProgrammingError

from amlspec.errors import UserError
from host.daemon import Server
from host.state import write_text
from warehouse import lifecycle, state
from warehouse.server import LastResults
from warehouse.state import Home, running
from warehouse_fixtures import clean_environment, run_sql


def cli(home: Home, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "warehouse", *words],
        env=clean_environment(LOCALML_HOME=str(home.folder.parent)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def bystander() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that is none of ours and must live on."""
    with subprocess.Popen(["sleep", "300"]) as process:
        yield process
        process.kill()


def test_a_second_start_uses_the_server_of_the_first(shared_home: Home) -> None:
    first = running(shared_home)
    assert first is not None
    assert lifecycle.start(shared_home) == first
    done = cli(shared_home, "start")
    assert done.returncode == 0
    assert f"runs already at 127.0.0.1:{first.port}" in done.stdout


def test_two_starts_at_once_give_one_server(own_home: Home) -> None:
    command = [sys.executable, "-m", "warehouse", "start"]
    environment = clean_environment(LOCALML_HOME=str(own_home.folder.parent))
    both = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate(timeout=120)[0] for process in both]
    server = running(own_home)
    assert server is not None
    assert all(f":{server.port} (pid {server.pid})" in text for text in outputs), outputs
    serving = [p.pid for p in psutil.process_iter(["cmdline"]) if str(own_home.folder) in (p.info["cmdline"] or [])]
    assert serving == [server.pid]


def test_the_server_outlives_the_process_and_session_that_started_it(own_home: Home) -> None:
    assert cli(own_home, "start").returncode == 0
    server = running(own_home)
    assert server is not None
    assert os.getsid(server.pid) == server.pid


def test_stop_ends_it_and_a_second_stop_does_no_harm(own_home: Home) -> None:
    server = lifecycle.start(own_home)
    assert cli(own_home, "stop").stdout.strip() == "The warehouse has ended"
    assert not server.is_alive()
    assert not own_home.state.exists()
    again = cli(own_home, "stop")
    assert (again.returncode, again.stdout.strip()) == (0, "No warehouse runs")
    assert cli(own_home, "status").returncode == 3


def test_a_server_whose_folder_is_removed_ends_by_itself(own_home: Home) -> None:
    server = lifecycle.start(own_home)
    shutil.rmtree(own_home.folder.parent)
    psutil.wait_procs([psutil.Process(server.pid)], timeout=15)
    assert not server.is_alive()
    own_home.databases.mkdir(parents=True)
    assert lifecycle.start(own_home).pid != server.pid, "the next one starts as in an empty folder"


def test_a_server_that_the_state_file_no_longer_names_ends_by_itself(own_home: Home) -> None:
    server = lifecycle.start(own_home)
    write_text(own_home.state, json.dumps({"pid": 1, "started": 0.0, "port": 1}))
    psutil.wait_procs([psutil.Process(server.pid)], timeout=15)
    assert not server.is_alive()


def test_a_state_file_of_a_dead_process_does_no_harm(own_home: Home) -> None:
    ended = subprocess.Popen(["true"])
    created = psutil.Process(ended.pid).create_time()
    ended.wait()
    write_text(own_home.state, json.dumps({"pid": ended.pid, "started": created, "port": 1}))
    assert running(own_home) is None
    server = lifecycle.start(own_home)
    assert running(own_home) == server


def test_a_pid_that_another_process_got_is_left_alone(own_home: Home, bystander: "subprocess.Popen[bytes]") -> None:
    earlier = psutil.Process(bystander.pid).create_time() - 1000
    write_text(own_home.state, json.dumps({"pid": bystander.pid, "started": earlier, "port": 1}))
    assert lifecycle.stop(own_home) is False
    write_text(own_home.state, json.dumps({"pid": bystander.pid, "started": earlier, "port": 1}))
    server = lifecycle.start(own_home)
    assert server.pid != bystander.pid
    assert bystander.poll() is None


def test_a_server_that_hangs_is_replaced(own_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "STOP_SECONDS", 0.5)
    hanging = lifecycle.start(own_home)
    os.kill(hanging.pid, signal.SIGSTOP)
    server = lifecycle.start(own_home)
    assert server.pid != hanging.pid
    assert not hanging.is_alive()
    assert running(own_home) == server


def test_a_lost_state_file_is_an_error_and_no_second_server_touches_the_data(own_home: Home) -> None:
    server = lifecycle.start(own_home)
    own_home.state.unlink()
    with pytest.raises(UserError, match=f"process {server.pid} already serves"):
        lifecycle.start(own_home)
    assert server.is_alive()
    psutil.Process(server.pid).kill()


def test_a_damaged_database_file_is_an_error_that_names_the_log(own_home: Home) -> None:
    (own_home.databases / "GLOBOJAVA.db").write_bytes(b"no database" * 1000)
    with pytest.raises(UserError, match=r"did not start: .*GLOBOJAVA\.db.*server\.log"):
        lifecycle.start(own_home)


def test_the_server_listens_on_loopback_only(shared_home: Home) -> None:
    server = running(shared_home)
    assert server is not None
    listening = [c.laddr for c in psutil.Process(server.pid).net_connections() if c.status == psutil.CONN_LISTEN]
    assert [(address.ip, address.port) for address in listening] == [("127.0.0.1", server.port)]


def test_the_password_is_readable_by_its_owner_only_and_on_no_command_line(shared_home: Home) -> None:
    assert stat.S_IMODE(shared_home.password.stat().st_mode) == 0o600
    password = shared_home.password.read_text().strip()
    assert len(password) >= 32
    server = running(shared_home)
    assert server is not None
    assert password not in " ".join(psutil.Process(server.pid).cmdline())
    assert password not in shared_home.log.read_text()


@pytest.mark.parametrize("password", ["wrong", " "])
def test_a_wrong_password_is_refused(shared_home: Home, password: str) -> None:
    server = running(shared_home)
    assert server is not None
    with pytest.raises(DatabaseError, match="Incorrect username or password"):
        snowflake.connector.connect(
            account="a", user="u", password=password, host="127.0.0.1", port=server.port, protocol="http"
        )


def test_data_survive_a_stop_and_a_kill(own_home: Home) -> None:
    run_sql(own_home, "create table KEPT (i int)", "insert into KEPT values (1), (2)")
    lifecycle.stop(own_home)
    assert run_sql(own_home, "select sum(i) from KEPT") == [(3,)]
    run_sql(own_home, "insert into KEPT values (10)")
    server = running(own_home)
    assert server is not None
    os.kill(server.pid, signal.SIGKILL)
    assert run_sql(own_home, "select sum(i) from KEPT") == [(13,)]


def test_an_error_that_the_emulator_does_not_expect_comes_back_at_once_with_its_message(shared_home: Home) -> None:
    started = time.monotonic()
    with pytest.raises(ProgrammingError, match="Out of Range Error"):
        run_sql(shared_home, "select 9223372036854775807::bigint + i from (select 1::bigint as i)")
    assert time.monotonic() - started < 10


def test_only_the_newest_results_stay_in_memory() -> None:
    results = LastResults()
    for number in range(10):
        results[str(number)] = (number,)
    assert list(results) == ["6", "7", "8", "9"]


def test_env_prints_what_a_step_needs(shared_home: Home) -> None:
    server = running(shared_home)
    assert isinstance(server, Server)
    script = f'told=$({sys.executable} -m warehouse env); eval "$told"; '
    script += 'echo "$SNOWFLAKE_HOST:$SNOWFLAKE_PORT $SNOWFLAKE_PASSWORD"'
    done = subprocess.run(
        ["bash", "-c", script],
        env=clean_environment(LOCALML_HOME=str(shared_home.folder.parent)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == f"127.0.0.1:{server.port} {shared_home.password.read_text().strip()}"


def test_env_without_a_server_is_one_line_and_exit_code_2(own_home: Home) -> None:
    done = cli(own_home, "env")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: the local warehouse does not run; start it with: make start-warehouse\n"

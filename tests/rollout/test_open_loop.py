"""An open loop: requests are due at their own moments, and a server that stalls is charged for all that wait."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from amlspec.errors import UserError
from rollout import open_loop
from rollout.load import Target
from rollout.open_loop import Answers, Objective, judge


class Server(ThreadingHTTPServer):
    """Answers at once, but for one stall of `stall` seconds that begins with request `at`, in which nothing is."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.count, self.at, self.stall, self.status = 0, -1, 0.0, 200
        self.lock = threading.Lock()


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            self.server.count += 1
            if self.server.count == self.server.at:
                time.sleep(self.server.stall)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def target(server: Server) -> Target:
    return Target(f"http://127.0.0.1:{server.server_address[1]}/score", "key")


@pytest.mark.slow
def test_a_stall_is_charged_to_every_request_that_was_due_in_it(server: Server) -> None:
    server.at, server.stall = open_loop.WARM_UP + 20, 1.0
    verdict = open_loop.run(target(server), [{"input_data": []}], Objective(rate=50, seconds=2, ms=200))
    # A closed loop would have seen one slow request in a hundred; of these fifty were due while nothing was answered.
    assert verdict.requests == 100 and verdict.lost == 0
    assert verdict.within < 75 and verdict.p95 > 500
    assert verdict.problem is not None


@pytest.mark.slow
def test_answers_that_are_no_good_miss_the_objective_and_the_first_is_shown(server: Server) -> None:
    server.status = 503
    verdict = open_loop.run(target(server), [{"input_data": []}], Objective(rate=50, seconds=0.5, ms=1000))
    assert verdict.lost == verdict.requests == 25
    assert verdict.problem and verdict.problem.startswith("first: 503")
    assert "NOT MET" in verdict.lines(Objective(50, 0.5, 1000))[-1]


def test_a_good_server_meets_it() -> None:
    verdict = judge(Answers([10.0] * 98 + [90.0] * 2, [0.1] * 100), Objective(50, 2, 100))
    assert verdict.problem is None and verdict.within == 100
    assert verdict.lines(Objective(50, 2, 100))[-1] == "100.00 % within 100 ms, 99 % asked for: met"


def test_a_lost_request_counts_as_one_that_took_too_long() -> None:
    verdict = judge(Answers([10.0] * 98, [0.1] * 100, ["503 x", "503 y"]), Objective(50, 2, 100))
    assert verdict.within == 98 and verdict.problem == "first: 503 x"


def test_a_sender_that_is_late_itself_says_nothing_of_the_server() -> None:
    verdict = judge(Answers([10.0] * 100, [50.0] * 100), Objective(5000, 2, 100))
    assert verdict.problem and "cannot make 5000 a second: lower RATE" in verdict.problem


@pytest.mark.parametrize(
    "wanted", [Objective(0, 1, 1), Objective(1, 0, 1), Objective(1, 1, 0), Objective(1, 1, 1, 101)]
)
def test_no_load_at_all_is_refused(server: Server, wanted: Objective) -> None:
    with pytest.raises(UserError, match="must be above 0"):
        open_loop.run(target(server), [{}], wanted)

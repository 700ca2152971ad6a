"""Rollouts on the local engine: what gets live, what is taken back, and that callers notice none of it."""

import json
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from serving_kit import Shop
from serving_models import CRASHES, FAILS, FLAGS, GOOD, HANGS, NEWEST, OTHER, RAISES, SLOW, WRONG

pytestmark = pytest.mark.slow  # each test starts servers


def live(shop: Shop) -> dict[str, str]:
    """Version and traffic of each deployment, as {"blue": "1 100"}."""
    traffic = shop.json("online-endpoint", "show", "--name", "shop")["traffic"]
    deployments = shop.json("online-deployment", "list", "--endpoint-name", "shop")
    return {each["name"]: f"{each['model'].split(':')[-1]} {traffic.get(each['name'], 0)}" for each in deployments}


def reports(shop: Shop) -> list[Any]:
    """Every report, the oldest first."""
    return [json.loads(path.read_text()) for path in sorted((shop.home / "rollouts").glob("*.json"))]


class Caller(threading.Thread):
    """Asks the endpoint again and again and notes every answer."""

    def __init__(self, shop: Shop) -> None:
        super().__init__()
        self.shop, self.seen, self.done = shop, list[tuple[int, str]](), threading.Event()

    def run(self) -> None:
        while not self.done.is_set():
            answer = self.shop.ask()
            self.seen.append((answer.status, answer.text))
            time.sleep(0.01)  # servers and tests share the processors

    def __enter__(self) -> "Caller":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.join()
        bad = [each for each in self.seen if each[0] != 200]
        assert self.seen and not bad, f"{len(bad)} of {len(self.seen)} requests were lost: {bad[:3]}"


class Channel:
    """A webhook; `texts` is what came."""

    def __enter__(self) -> "Channel":
        self.texts: list[str] = []
        texts = self.texts

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                texts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Not to the tests' output."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}/hook"
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()


@pytest.fixture
def old(bare_shop: Shop) -> Shop:
    """Version 1 is live on blue."""
    bare_shop.rollout("deploy", "--model-version", GOOD)
    return bare_shop


def test_the_first_deployment_of_the_newest_version_makes_the_endpoint(bare_shop: Shop) -> None:
    said = bare_shop.rollout("deploy")
    assert f"shop-model version {NEWEST} is live on blue" in said, "10 is newer than 9"
    assert live(bare_shop) == {"blue": f"{NEWEST} 100"}
    assert bare_shop.ask().json["model"]["version"] == NEWEST


def test_an_upgrade_walks_the_steps_and_rollback_returns(old: Shop) -> None:
    with Caller(old):
        said = old.rollout("deploy", "--model-version", OTHER)
        assert [f"traffic {share} %" in said for share in (0, 10, 50, 100)] == [True] * 4
        assert live(old) == {"blue": f"{GOOD} 0", "green": f"{OTHER} 100"}
        assert reports(old)[-1]["outcome"] == "done"
        old.rollout("rollback")
        assert live(old) == {"blue": f"{GOOD} 100", "green": f"{OTHER} 0"}
        old.rollout("deploy", "--model-version", NEWEST)
        assert live(old) == {"blue": f"{GOOD} 0", "green": f"{NEWEST} 100"}, "the version rolled back from made room"


def test_deploying_the_live_version_changes_nothing_and_says_so_in_one_line(old: Shop) -> None:
    before = old.show()["local"]["replicas"][0]["pid"]
    assert old.rollout("deploy", "--model-version", GOOD) == "shop-model version 1 is live already on blue: no change\n"
    assert old.show()["local"]["replicas"][0]["pid"] == before


def test_a_changed_scoring_script_or_spec_rolls_out_though_the_model_is_the_same(old: Shop) -> None:
    score = old.root / "src" / "score.py"
    score.write_text(score.read_text() + "# changed\n")
    assert "version 1 is live on green" in old.rollout("deploy", "--model-version", GOOD)
    assert "no change" in old.rollout("deploy", "--model-version", GOOD)
    old.spec("deployment.yml", environment_variables={"WORKER_COUNT": "2"})
    assert "version 1 is live on blue" in old.rollout("deploy", "--model-version", GOOD)


@pytest.mark.parametrize(
    ("version", "step", "reason"),
    [
        (RAISES, "rollout", "this model does not load"),
        (HANGS, "rollout", "was not ready within"),
        (WRONG, "smoke test", "forecasts differ from the live version's by 200%"),
        (SLOW, "traffic 0 %", "p95"),
        (FAILS, "traffic 0 %", "error rate"),
        (CRASHES, "traffic 0 %", "error rate"),
        (FLAGS, "traffic 0 %", "100% of the forecasts are flagged"),
    ],
)
def test_a_bad_version_is_taken_back_before_a_caller_meets_it(old: Shop, version: str, step: str, reason: str) -> None:
    probe = {"initial_delay": 0, "period": 1, "failure_threshold": 8}
    old.spec("deployment.yml", readiness_probe=probe)
    with Caller(old) as caller:
        said = old.rollout("deploy", "--model-version", version, code=1)
    assert reason in said
    assert "blue has all traffic" in said
    assert live(old) == {"blue": f"{GOOD} 100"}
    assert {json.loads(text)["model"]["version"] for _, text in caller.seen} == {GOOD}
    report = reports(old)[-1]
    assert (report["outcome"], report["problems"][0]["step"]) == ("taken back", step)


def test_a_bad_first_version_leaves_no_deployment(bare_shop: Shop) -> None:
    said = bare_shop.rollout("deploy", "--model-version", FAILS, code=1)
    assert "nothing is live" in said
    assert live(bare_shop) == {}


def test_a_version_that_disagrees_with_its_batch_result_is_taken_back(old: Shop) -> None:
    rows = old.ask().json["predictions"]
    right = [f"{row['StoreID']},{row['MonthYear']},{row['TotalSales'] * 1.01}" for row in rows]
    batch = old.root / "batch.csv"
    batch.write_text("\n".join(["StoreID,MonthYear,TotalSales", *right]))
    assert "2 forecasts agree with batch.csv" in old.rollout("deploy", "--model-version", OTHER, "--batch", "batch.csv")
    said = old.rollout("deploy", "--model-version", NEWEST, "--batch", "batch.csv", code=1)
    assert "batch forecast" in said
    batch.write_text("StoreID,MonthYear,TotalSales\n")
    assert "nothing to compare" in old.rollout("deploy", "--model-version", NEWEST, "--batch", "batch.csv", code=1)
    assert live(old) == {"green": f"{OTHER} 100"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("deploy", "--model-version", "99"), "model shop-model has no version 99: registered are 1, 2, 3"),
        (("deploy", "--colour", "blue", "--model-version", OTHER), "COLOUR=blue: it is live"),
        (("deploy", "--colour", "red", "--model-version", OTHER), "COLOUR=red: blue or green"),
        (("deploy", "--batch", "none.csv"), "none.csv: No such file"),
        (("deploy", "--request", "endpoint.yml"), "endpoint.yml: not JSON"),
        (("rollback",), "there is no idle deployment to go back to"),
    ],
)
def test_a_wrong_call_ends_with_one_line_and_changes_nothing(
    old: Shop, arguments: tuple[str, ...], message: str
) -> None:
    said = old.rollout(*arguments, code=2)
    assert message in said
    assert said.count("\n") == 1
    assert live(old) == {"blue": f"{GOOD} 100"}


def test_two_rollouts_at_once_are_refused(old: Shop) -> None:
    first = old.start("deploy", "--model-version", OTHER, "--samples", "600", module="rollout")
    time.sleep(1.5)
    said = old.rollout("deploy", "--model-version", NEWEST, code=2)
    assert "another rollout runs" in said
    assert first.wait(60) == 0
    first.communicate()


def test_an_interrupted_rollout_is_taken_back_at_once(old: Shop) -> None:
    child = old.start("deploy", "--model-version", OTHER, "--samples", "5000", module="rollout")
    deadline = time.monotonic() + 30
    while "green" not in live(old) and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(1)
    child.send_signal(signal.SIGTERM)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 1, out + err
    assert "interrupted" in err
    assert live(old) == {"blue": f"{GOOD} 100"}


def test_traffic_never_sums_to_zero_once_something_is_live(bare_shop: Shop, faults: Any) -> None:
    log: Path = faults()
    bare_shop.rollout("deploy", "--model-version", GOOD)
    bare_shop.rollout("deploy", "--model-version", OTHER)
    bare_shop.rollout("deploy", "--model-version", FAILS, code=1)
    words = [json.loads(line)["words"] for line in log.read_text().splitlines()]
    sets = [each.split("--traffic ")[1].split(" --")[0] for each in words if "--traffic" in each]
    assert len(sets) >= 5
    for each in sets:
        assert sum(int(part.split("=")[1]) for part in each.split()) == 100, sets


def test_status_lists_version_share_and_health(old: Shop) -> None:
    rows = json.loads(old.rollout("status"))
    row = {"deployment": "blue", "model": "shop-model:1", "traffic": 100, "healthy": True, "stable": True}
    assert rows == [row]


def test_a_reader_that_goes_away_does_not_stop_a_rollout(old: Shop) -> None:
    child = old.start("deploy", "--model-version", OTHER, "--samples", "24", module="rollout")
    assert child.stdout
    child.stdout.readline()
    child.stdout.close()
    assert child.wait(timeout=120) == 0, child.stderr.read() if child.stderr else ""
    assert live(old)["green"] == f"{OTHER} 100"
    assert reports(old)[-1]["outcome"] == "done"


def test_the_status_of_a_stopped_endpoint_starts_nothing_and_says_what_does(old: Shop) -> None:
    assert '"healthy": true' in old.rollout("status")
    old.run("_stop")
    said = "Endpoint shop is stopped: make deploy, make predict or make rollback starts it\n"
    assert old.rollout("status") == said
    assert old.processes() == []


def test_stopping_says_what_ended_and_that_nothing_was_running(old: Shop) -> None:
    def stop() -> str:
        child = old.start("stop", module="servers")
        out, err = child.communicate(timeout=60)
        assert child.returncode == 0, err
        return out

    assert stop() == "Ended: endpoint shop and its servers\n"
    assert stop() == "Nothing was running\n"


def test_a_step_that_asks_waits_for_a_person_and_goes_on_from_there(old: Shop) -> None:
    (old.root / "rollout.yml").write_text(
        "ask_before: {local: [50]}\nnotify_variable: CHANNEL\nsteps: [0, 10, 50, 100]\nsamples: 20\n"
    )
    with Channel() as channel:
        old.variables |= {"CHANNEL": channel.address}
        with Caller(old):
            first = old.rollout("deploy", "--policy", "rollout.yml", "--model-version", OTHER, code=3)
            assert "waits before 50 % for a person: make deploy APPROVE=50 goes on" in first
            assert live(old) == {"blue": f"{GOOD} 90", "green": f"{OTHER} 10"}
            assert reports(old)[-1]["outcome"] == "waiting"
            second = old.rollout("deploy", "--policy", "rollout.yml", "--model-version", OTHER, "--approve", "50")
    assert "resume: green has 10 percent already" in second
    assert live(old) == {"blue": f"{GOOD} 0", "green": f"{OTHER} 100"}
    assert [text.split(": ", 1)[1][:20] for text in channel.texts] == ["waits before 50 % fo", "shop-model version 2"]


def test_a_channel_that_is_not_there_is_a_warning_without_its_address(old: Shop) -> None:
    (old.root / "rollout.yml").write_text("notify_variable: CHANNEL\nsamples: 20\n")
    old.variables |= {"CHANNEL": "http://127.0.0.1:9/secret-path"}
    done = old.rollout("deploy", "--policy", "rollout.yml", "--model-version", OTHER)
    assert "warning: nobody was notified of the rollout: CHANNEL: URLError" in done
    assert "secret-path" not in done

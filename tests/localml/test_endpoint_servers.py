"""Servers of a deployment: how they start, crash, come back, drain, queue, and take over from each other."""

import concurrent.futures
import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from serving_kit import Shop
from serving_models import CRASHES, GOOD, HANGS, OTHER, RAISES, REQUEST

pytestmark = pytest.mark.slow  # each test starts servers
Eventually = Callable[[Callable[[], Any]], Any]


def test_code_is_served_from_its_snapshot(shop: Shop) -> None:
    shop.deploy()
    shop.traffic("blue=100")
    (shop.root / "src" / "score.py").write_text("broken(")
    assert shop.ask().status == 200
    flags = ("--endpoint-name", "shop", "--name", "blue", "--output", "none")
    refused = shop.run("online-deployment", "update", *flags, "--set", "tags.a=b", code=1)
    assert "SyntaxError" in refused.stderr
    assert shop.show()["provisioning_state"] == "Failed"
    assert shop.ask().status == 200, "the servers before the update go on"


@pytest.mark.parametrize(("version", "reason"), [(RAISES, "this model does not load"), (HANGS, "was not ready within")])
def test_a_server_that_never_gets_ready_fails_the_create_and_leaves_no_process(
    shop: Shop, version: str, reason: str
) -> None:
    probe = {"initial_delay": 0, "period": 1, "failure_threshold": 8}
    assert reason in shop.deploy("blue", version, code=1, readiness_probe=probe)
    assert shop.show()["provisioning_state"] == "Failed"
    assert shop.ask(azureml_model_deployment="blue").status == 404
    time.sleep(0.5)
    assert [line for line in shop.processes() if "launch.py" in line] == []


def test_a_killed_server_is_reported_and_started_again(shop: Shop, eventually: Eventually) -> None:
    shop.deploy()
    shop.traffic("blue=100")
    first = shop.show()["local"]["replicas"][0]
    os.kill(first["pid"], signal.SIGKILL)
    again = eventually(lambda: (seen := shop.show()["local"]["replicas"][0])["restarts"] and seen)
    assert "ended with code -9" in again["last_error"]
    eventually(lambda: shop.show()["local"]["state"] == "Healthy")
    assert shop.ask().status == 200
    log = (shop.home / "endpoints" / "shop" / "router.log").read_text()
    assert "starting again" in log


def test_no_request_is_lost_when_one_of_two_replicas_is_killed_between_requests(shop: Shop) -> None:
    shop.deploy(instance_count=2)
    shop.traffic("blue=100")
    pids = [replica["pid"] for replica in shop.show()["local"]["replicas"]]
    killed = [*psutil.Process(pids[0]).children(), psutil.Process(pids[0])]
    for process in killed:
        process.kill()
    psutil.wait_procs(killed, timeout=5)
    assert [shop.ask().status for _ in range(30)] == [200] * 30


def test_a_request_that_kills_its_server_gets_502_and_the_next_is_answered(shop: Shop) -> None:
    shop.deploy()
    shop.traffic("blue=100")
    broken = shop.ask({**REQUEST, "die": True})
    assert (broken.status, broken.json["error"]["code"]) == (502, "bad_gateway")
    assert shop.ask().status == 200, "it waits in the queue until the server is back"


def test_servers_whose_state_folder_is_removed_end_by_themselves(shop: Shop, eventually: Eventually) -> None:
    shop.deploy(instance_count=2)
    assert len(shop.processes()) >= 3, "the router and two servers"
    shutil.rmtree(shop.home)
    eventually(lambda: shop.processes() == [])


def test_a_worker_that_dies_with_its_server_leaves_no_process(shop: Shop, eventually: Eventually) -> None:
    shop.deploy()
    router = json.loads((shop.home / "endpoints" / "shop" / "router.json").read_text())
    os.kill(router["pid"], signal.SIGKILL)
    eventually(lambda: not shop.processes())


def test_the_endpoint_comes_back_on_its_address_after_the_router_was_killed(shop: Shop) -> None:
    shop.deploy()
    shop.traffic("blue=100")
    before = shop.json("online-endpoint", "show", "--name", "shop")
    os.kill(json.loads((shop.home / "endpoints" / "shop" / "router.json").read_text())["pid"], signal.SIGKILL)
    after = shop.json("online-endpoint", "show", "--name", "shop")
    assert after["scoring_uri"] == before["scoring_uri"]
    assert shop.ask().status == 200


def test_stop_ends_every_process(shop: Shop) -> None:
    shop.deploy(instance_count=2)
    assert len([line for line in shop.processes() if "launch.py" in line]) >= 2
    shop.run("_stop")
    assert shop.processes() == []
    assert shop.json("online-endpoint", "list")[0]["local"] == {"router": "Stopped"}


def test_a_deployment_drains_before_it_stops(shop: Shop) -> None:
    shop.deploy("blue", GOOD)
    shop.deploy("green", OTHER)
    shop.traffic("blue=100")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        slow = pool.submit(shop.ask, {**REQUEST, "sleep": 2})
        time.sleep(0.5)
        shop.traffic("blue=0 green=100")
        shop.run("online-deployment", "delete", "--endpoint-name", "shop", "--name", "blue", "--yes")
        assert slow.done()
        assert slow.result().status == 200


def test_an_update_takes_over_without_losing_a_request(shop: Shop) -> None:
    shop.deploy("blue", GOOD)
    shop.traffic("blue=100")
    flags = (
        "--endpoint-name",
        "shop",
        "--name",
        "blue",
        "--set",
        f"model=azureml:shop-model:{OTHER}",
        "--output",
        "none",
    )
    child = shop.start("online-deployment", "update", *flags)
    seen = []
    while child.poll() is None:
        answer = shop.ask()
        seen.append((answer.status, answer.json["model"]["version"]))
    assert child.communicate()[1] == ""
    assert {status for status, _ in seen} == {200}
    assert shop.ask().json["model"]["version"] == OTHER
    assert seen[0][1] == GOOD


def test_a_busy_server_queues_then_refuses_with_503(shop: Shop) -> None:
    limits = {"request_timeout_ms": 5000, "max_concurrent_requests_per_instance": 1, "max_queue_wait_ms": 300}
    shop.deploy(request_settings=limits)
    shop.traffic("blue=100")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        slow = pool.submit(shop.ask, {**REQUEST, "sleep": 1.5})
        time.sleep(0.4)
        refused = shop.ask()
        assert (refused.status, refused.json["error"]["code"]) == (503, "busy")
        assert refused.headers["retry-after"] == "1"
        assert slow.result().status == 200
        slow = pool.submit(shop.ask, {**REQUEST, "sleep": 0.1})
        assert shop.ask().status == 200, "a short wait is not a refusal"
        slow.result()


def test_a_request_that_takes_too_long_gets_504(shop: Shop) -> None:
    shop.deploy(request_settings={"request_timeout_ms": 500, "max_queue_wait_ms": 5000})
    shop.traffic("blue=100")
    late = shop.ask({**REQUEST, "sleep": 3})
    assert (late.status, late.json["error"]["code"]) == (504, "timeout")


def test_a_worker_that_crashes_under_load_comes_back(shop: Shop) -> None:
    shop.deploy("blue", CRASHES)
    shop.traffic("blue=100")
    statuses = [shop.ask().status for _ in range(12)]
    assert statuses[:8] == [200] * 8
    assert statuses[8] == 502
    assert shop.show()["local"]["server_errors"] == statuses.count(502)

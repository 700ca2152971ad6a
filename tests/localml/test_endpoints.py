"""Online endpoints: what a caller gets, what the verbs allow, and that crashes, drains and restarts lose nothing."""

import collections
import json
import stat
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from serving_kit import Shop
from serving_models import GOOD, OTHER, REQUEST

pytestmark = pytest.mark.slow  # each test starts servers
Eventually = Callable[[Callable[[], Any]], Any]


def test_a_deployed_model_answers_with_its_name_and_version(shop: Shop) -> None:
    shop.deploy("blue", OTHER)
    shop.traffic("blue=100")
    answer = shop.ask()
    assert answer.status == 200
    assert answer.json["model"] == {"name": "shop-model", "version": OTHER, "known_until": "2026-10"}
    assert answer.headers["azureml-model-deployment"] == "blue"
    assert answer.headers["content-type"] == "application/json"


def test_invoke_prints_the_answer_as_text_like_the_cli(shop: Shop) -> None:
    shop.deploy()
    shop.traffic("blue=100")
    printed = shop.json("online-endpoint", "invoke", "--name", "shop", "--request-file", "request.json")
    assert len(json.loads(printed)["predictions"]) == 2


def test_show_has_the_scoring_uri_and_the_traffic(shop: Shop) -> None:
    shop.deploy()
    shop.traffic("blue=100")
    shown = shop.json("online-endpoint", "show", "--name", "shop")
    assert shown["scoring_uri"] == f"http://127.0.0.1:{shop.port()}/score"
    assert shown["traffic"] == {"blue": 100}
    assert shown["tags"] == {"team": "platform"}
    assert shop.show()["provisioning_state"] == "Succeeded"
    assert shop.show()["local"]["state"] == "Healthy"


def test_only_both_keys_open_the_endpoint_and_lie_in_a_private_file(shop: Shop) -> None:
    shop.deploy()
    shop.traffic("blue=100")
    keys = shop.json("online-endpoint", "get-credentials", "--name", "shop")
    assert set(keys) == {"primaryKey", "secondaryKey"}
    for key in keys.values():
        assert shop.ask(Authorization=f"Bearer {key}").status == 200
    for wrong in ("Bearer wrong", "Bearer ", "", f"Basic {keys['primaryKey']}", keys["primaryKey"]):
        refused = shop.ask(Authorization=wrong)
        assert refused.status == 401
        assert refused.json["error"]["code"] == "unauthorized"
    mode = (shop.home / "endpoints" / "shop" / "keys.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_a_new_key_replaces_the_old_one_only(shop: Shop) -> None:
    shop.deploy()
    shop.traffic("blue=100")
    before = shop.json("online-endpoint", "get-credentials", "--name", "shop")
    shop.run("online-endpoint", "regenerate-keys", "--name", "shop", "--key-type", "primary")
    assert shop.ask(Authorization=f"Bearer {before['primaryKey']}").status == 401
    assert shop.ask(Authorization=f"Bearer {before['secondaryKey']}").status == 200
    assert shop.ask().status == 200


def test_traffic_is_split_by_weight_and_the_header_overrides_it(shop: Shop) -> None:
    shop.deploy("blue", GOOD)
    shop.deploy("green", OTHER)
    shop.traffic("blue=80 green=20")
    seen = collections.Counter(shop.ask().headers["azureml-model-deployment"] for _ in range(300))
    assert 25 <= seen["green"] <= 110  # 60 expected; the bounds are five standard deviations away
    named = {shop.ask(azureml_model_deployment="green").json["model"]["version"] for _ in range(5)}
    assert named == {OTHER}
    assert shop.ask(azureml_model_deployment="red").status == 404


@pytest.mark.parametrize("traffic", ["blue=50", "blue=90 green=20", "blue=101", "blue=100 green=0", "blue", "blue=x"])
def test_traffic_that_the_service_would_refuse_is_refused(shop: Shop, traffic: str) -> None:
    shop.deploy()
    shop.traffic("blue=100")
    assert shop.traffic(traffic, code=2).startswith("error: ")
    assert shop.json("online-endpoint", "show", "--name", "shop")["traffic"] == {"blue": 100}


def test_a_deployment_with_traffic_cannot_be_deleted(shop: Shop) -> None:
    shop.deploy()
    shop.traffic("blue=100")
    flags = ("--endpoint-name", "shop", "--name", "blue", "--yes")
    assert "100 percent" in shop.run("online-deployment", "delete", *flags, code=2).stderr
    assert shop.ask().status == 200
    shop.traffic("blue=0")
    assert shop.ask().status == 404
    shop.run("online-deployment", "delete", *flags)
    assert shop.json("online-deployment", "list", "--endpoint-name", "shop") == []


def test_a_body_above_ten_megabytes_is_refused_before_it_reaches_a_server(shop: Shop) -> None:
    shop.deploy()
    shop.traffic("blue=100")
    assert shop.ask(b" " * (16 << 20) + b"{}").status == 413
    fits = json.dumps(REQUEST).encode()
    assert shop.ask(fits + b" " * ((16 << 20) - len(fits))).status == 200
    assert shop.show()["local"]["requests"] == 1


def test_servers_and_router_listen_on_loopback_only(shop: Shop) -> None:
    shop.deploy()
    shown = shop.show()["local"]["replicas"][0]
    router = json.loads((shop.home / "endpoints" / "shop" / "router.json").read_text())
    for pid in (shown["pid"], router["pid"]):
        listening = [each for each in psutil.Process(pid).net_connections() if each.status == psutil.CONN_LISTEN]
        assert {each.laddr.ip for each in listening} == {"127.0.0.1"}


def test_the_callers_key_does_not_reach_the_model(shop: Shop) -> None:
    source = (shop.root / "src" / "score.py").read_text()
    source = source.replace("def run(raw_data):", "def run(raw_data, request_headers):")
    source = source.replace('asked.get("headers")', "dict(request_headers)")
    (shop.root / "src" / "score.py").write_text(source)
    shop.deploy()
    shop.traffic("blue=100")
    seen = shop.ask(x_request_id="abc").json["headers"]
    assert "authorization" not in {name.lower() for name in seen}
    assert shop.key() not in json.dumps(seen)
    assert {name.lower(): value for name, value in seen.items()}["x-request-id"] == "abc"


def test_get_logs_prints_what_the_deployments_servers_wrote(shop: Shop) -> None:
    shop.deploy()
    logs = shop.json("online-deployment", "get-logs", "--endpoint-name", "shop", "--name", "blue", "--lines", "50")
    assert "Azure ML Inferencing HTTP server v1.5.1" in logs


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("online-endpoint show --name nowhere", "online endpoint nowhere does not exist"),
        (
            "online-endpoint create --file deployment.yml --set compute=azureml:cluster",
            "deployment.yml:2: endpoint_name: not a field",
        ),
        ("online-deployment show --endpoint-name shop --name red", "online deployment red of shop does not exist"),
        ("online-deployment create --file deployment.yml --set model=azureml:none:1", "model none:1 is not registered"),
        ("online-deployment create --file deployment.yml --set model=folder", "write azureml:<name>:<version>"),
        (
            "online-deployment create --file deployment.yml --set environment=azureml:x:1",
            "environment x:1 is not registered",
        ),
        (
            "online-deployment create --file deployment.yml --set code_configuration.code=nowhere",
            "deployment.yml:6: the code",
        ),
        (
            "online-deployment create --file deployment.yml --set code_configuration.scoring_script=x.py",
            "deployment.yml:7: x.py",
        ),
        ("online-deployment create --file deployment.yml --name b", "'b' is not a name"),
        ("online-endpoint invoke --name shop --request-file none.json", "none.json: No such file"),
        ("online-endpoint delete --name shop", "add --yes"),
        ("compute show --name other", "compute other is not attached"),
        ("online-endpoint update --name shop --mirror-traffic green=10", "--mirror-traffic"),
    ],
)
def test_a_wrong_call_ends_with_one_line(shop: Shop, call: str, message: str) -> None:
    done = shop.run(*call.split(), code=2)
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_endpoint_needs_its_compute_attached(bare_shop: Shop) -> None:
    (bare_shop.home / "computes" / "cluster.json").unlink()
    done = bare_shop.run("online-endpoint", "create", "--file", "endpoint.yml", code=2)
    assert "endpoint.yml:2: compute cluster is not attached" in done.stderr


def test_creating_the_endpoint_again_keeps_traffic_and_keys(shop: Shop) -> None:
    shop.deploy()
    shop.traffic("blue=100")
    key = shop.key()
    shop.run("online-endpoint", "create", "--file", "endpoint.yml", "--set", "tags.more=yes", "--output", "none")
    shown = shop.json("online-endpoint", "show", "--name", "shop")
    assert (shown["traffic"], shown["tags"]["more"], shop.key()) == ({"blue": 100}, True, key)
    assert shop.ask().status == 200

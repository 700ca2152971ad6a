"""Endpoints by the real SDK: the deployment serves, its traffic moves, its keys change, and what fails says why."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import workspace_kit
from workspace_kit import Workspace

from serving_kit import PYTHON, Shop
from serving_models import RAISES

pytestmark = pytest.mark.slow


@pytest.fixture
def served(bare_shop: Shop) -> Iterator[Workspace]:
    """A workspace over a project with models, an environment and a compute, in a folder whose name has blanks."""
    yield workspace_kit.start(bare_shop.home, LOCALML_SERVER_PYTHON=str(PYTHON))
    workspace_kit.run(bare_shop.home, "stop")


def endpoint(client: Any, shop: Shop, **traffic: int) -> Any:
    """Put the endpoint with shares of traffic."""
    from azure.ai.ml import load_online_endpoint  # noqa: PLC0415 - takes seconds

    spec = load_online_endpoint(shop.root / "endpoint.yml")
    spec.traffic = traffic
    return client.online_endpoints.begin_create_or_update(spec).result()


def deployment(client: Any, shop: Shop, colour: str, version: str = "1") -> Any:
    """Put a deployment, and wait until it serves."""
    from azure.ai.ml import load_online_deployment  # noqa: PLC0415

    changes = [{"name": colour}, {"model": f"azureml:shop-model:{version}"}]
    spec = load_online_deployment(shop.root / "deployment.yml", params_override=changes)
    return client.online_deployments.begin_create_or_update(spec, skip_script_validation=True).result()


def test_an_endpoint_from_its_creation_to_its_end(served: Workspace, bare_shop: Shop) -> None:
    from azure.core.exceptions import HttpResponseError, ResourceNotFoundError  # noqa: PLC0415

    request = str(bare_shop.root / "request.json")
    with workspace_kit.as_client_of(served):
        client = workspace_kit.connect(served)
        assert endpoint(client, bare_shop).provisioning_state.lower() == "succeeded"
        made = deployment(client, bare_shop, "blue")
        assert (made.provisioning_state.lower(), made.endpoint_name) == ("succeeded", "shop")
        endpoint(client, bare_shop, blue=100)
        assert client.online_endpoints.get("shop").traffic == {"blue": 100}
        answer = client.online_endpoints.invoke("shop", request_file=request)
        assert [row["StoreID"] for row in json.loads(answer)["predictions"]] == ["S001", "S002"]
        assert answer == client.online_endpoints.invoke("shop", request_file=request, deployment_name="blue")

        before = client.online_endpoints.get_keys("shop")
        client.online_endpoints.begin_regenerate_keys("shop", key_type="primary").result()
        after = client.online_endpoints.get_keys("shop")
        assert (before.primary_key == after.primary_key, before.secondary_key == after.secondary_key) == (False, True)
        assert json.loads(client.online_endpoints.invoke("shop", request_file=request))

        assert "Booting worker" in client.online_deployments.get_logs("blue", "shop", lines=200)
        with pytest.raises(HttpResponseError, match="blue has 100 percent of the traffic"):
            client.online_deployments.begin_delete("blue", "shop").result()
        with pytest.raises(HttpResponseError, match="traffic adds up to 90 percent"):
            endpoint(client, bare_shop, blue=90)

        # A model that does not load: the operation fails with the reason, and what serves goes on.
        with pytest.raises(HttpResponseError, match="deployment green failed"):
            deployment(client, bare_shop, "green", RAISES)
        assert client.online_deployments.get("green", "shop").provisioning_state.lower() == "failed"
        assert json.loads(client.online_endpoints.invoke("shop", request_file=request))
        client.online_deployments.begin_delete("green", "shop").result()
        assert [each.name for each in client.online_deployments.list("shop")] == ["blue"]

        # The answer to the creation gets lost: the client asks again, and there is one deployment, made once.
        generations = bare_shop.home / "endpoints/shop/deployments/blue/generations"
        kept = [path.name for path in generations.iterdir()]
        served.faults({"method": "PUT", "path": "/deployments/blue$", "status": 503, "after": True})
        deployment(client, bare_shop, "blue")
        assert [path.name for path in generations.iterdir()] == kept

        client.online_endpoints.begin_delete("shop").result()
        with pytest.raises(ResourceNotFoundError):
            client.online_endpoints.get("shop")


def test_both_doors_leave_the_same_records_of_an_endpoint_and_a_deployment(
    served: Workspace, bare_shop: Shop, capfd: pytest.CaptureFixture[str]
) -> None:
    bare_shop.run("online-endpoint", "create", "--file", "endpoint.yml")
    by_file = bare_shop.json("online-endpoint", "show", "--name", "shop")
    bare_shop.deploy("blue")
    with workspace_kit.as_client_of(served):
        client = workspace_kit.connect(served)
        endpoint(client, bare_shop)
        capfd.readouterr()
        deployment(client, bare_shop, "green")
        # The SDK's own polling prints them, and the extension hands them on.
        assert re.fullmatch(r"\.+", capfd.readouterr().out)
    assert bare_shop.json("online-endpoint", "show", "--name", "shop") == by_file
    blue, green = (_without_own(bare_shop.show(colour)) for colour in ("blue", "green"))
    assert blue == green


def _without_own(deployment: dict[str, Any]) -> dict[str, Any]:
    """A deployment without its name, time and processes; REST names a snapshot of the code, not the code's folder."""
    del (
        deployment["name"],
        deployment["creation_context"],
        deployment["local"],
        deployment["code_configuration"]["code"],
    )
    return deployment


def test_the_example_that_make_workspace_prints_runs(served: Workspace, bare_shop: Shop) -> None:
    bare_shop.run("online-endpoint", "create", "--file", "endpoint.yml", "--output", "none")
    bare_shop.deploy()
    bare_shop.traffic("blue=100")
    printed = workspace_kit.run(bare_shop.home, "start")
    example = served.home / "workspace" / "example.py"
    code = example.read_text().split('"""\n\n')[1]
    assert all(line in printed for line in code.splitlines())
    for secret in json.loads((served.home / "workspace" / "secrets.json").read_text()).values():
        assert secret not in printed
    (bare_shop.root / "ml/deploy").mkdir(parents=True)
    (bare_shop.root / "request.json").rename(bare_shop.root / "ml/deploy/sample-request.json")
    shell = f"source '{served.home}/workspace/env.sh' && exec {sys.executable} '{example}'"
    done = subprocess.run(["bash", "-c", shell], cwd=bare_shop.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # The SDK prints the log of a job that still runs at its first look; on a busy machine this one has ended by then.
    assert "Execution Summary" in done.stdout and '"predictions"' in done.stdout
    assert Path(bare_shop.root, "hello/named-outputs/words/hello.txt").read_text() == "hello\n"

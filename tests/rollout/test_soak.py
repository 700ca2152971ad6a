"""A short soak: two rollouts and one that fails under load lose no request, and no worker grows."""

import json
import time

import pytest

from rollout import soak
from serving_kit import Shop
from serving_models import FAILS, GOOD, NEWEST, OTHER


@pytest.mark.slow
def test_no_request_is_lost_through_two_rollouts_and_a_failed_one(bare_shop: Shop) -> None:
    bare_shop.rollout("deploy", "--model-version", GOOD)
    flags = ("--minutes", "0.6", "--rate", "30", "--good", OTHER, NEWEST, "--bad", FAILS)
    child = bare_shop.start(*flags, module="rollout.soak")
    out, err = child.communicate(timeout=180)
    assert child.returncode == 0, out + err
    result = json.loads(out)
    assert result["lost"] == 0
    assert result["requests"] > 200
    assert [each["code"] for each in result["rollouts"]] == [0, 1, 0]
    assert set(result["by_version"]) == {GOOD, OTHER, NEWEST}, "callers met both good versions and never the bad one"


def test_memory_that_the_first_requests_load_does_not_count_as_a_leak() -> None:
    warm = [40.0, 55.0, *[60.0] * 100]
    assert soak.growth(warm) == 0
    assert soak.growth([60 + 0.5 * number for number in range(100)]) == pytest.approx(40, abs=1)
    assert soak.growth([60.0] * 5) == 0


@pytest.mark.slow
def test_a_soak_that_loses_requests_fails(bare_shop: Shop) -> None:
    bare_shop.rollout("deploy", "--model-version", GOOD)
    flags = ("--minutes", "0.1", "--rate", "20", "--good", GOOD, GOOD, "--bad", FAILS)
    before = bare_shop.show()["local"]["requests"]
    child = bare_shop.start(*flags, module="rollout.soak")
    while bare_shop.show()["local"]["requests"] == before and child.poll() is None:
        time.sleep(0.1)
    bare_shop.traffic("blue=0")
    out, err = child.communicate(timeout=120)
    assert child.returncode == 1, out + err
    assert "requests were lost" in err

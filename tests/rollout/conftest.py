"""Fixtures of the rollout's tests."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serving_kit import Shop, bare_shop, serving_python, shop, shop_template  # noqa: F401 - fixtures

Faults = Callable[..., Path]


@pytest.fixture
def faults(bare_shop: Shop, tmp_path: Path) -> Faults:  # noqa: F811
    """Let `az ml` fail as told; gives the log of its calls. Without faults it only logs."""
    plan, log = tmp_path / "faults.json", tmp_path / "calls.log"

    def plant(*faults: dict[str, Any]) -> Path:
        given = [{"nth": 1, "times": 1, "do": "fail", **fault} for fault in faults]
        plan.write_text(json.dumps({"faults": given, "log": str(log)}))
        script = Path(__file__).with_name("az_faults.py")
        bare_shop.variables |= {"AZ_ML": f"{sys.executable} {script}", "AZ_FAULTS": str(plan)}
        bare_shop.variables["LOCAL_WORKSPACE"] = "1"  # the engine is this machine's, whose key signed its models
        return log

    return plant

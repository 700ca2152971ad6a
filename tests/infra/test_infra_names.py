"""Names before a deployment, and the files that the Makefile includes."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from terraform_runs import ROOT

from amlspec.errors import UserError
from infra import names, outputs
from localml import collected

SUB = "11111111-2222-3333-4444-555555555555"
pytestmark = pytest.mark.skipif(not shutil.which("terraform"), reason="NOT RUN: terraform is not on PATH")


def deployed(env: str) -> str:
    make = names.ask_terraform(env).make
    return json.dumps(
        {"make": {"value": make}, "deployed": {"value": {"CLUSTER_ID": "/subscriptions/x", "VAULT": "kv"}}}
    )


def test_the_state_has_its_own_account_and_key_per_environment() -> None:
    dev, prod = (names.backend(names.ask_terraform(env, SUB).names) for env in ("dev", "prod"))
    assert 'key = "dev.tfstate"' in dev
    assert 'key = "prod.tfstate"' in prod
    assert set(dev.splitlines()) & set(prod.splitlines()) == {'container_name = "tfstate"'}


def test_makefile_names_do_not_depend_on_the_subscription() -> None:
    assert names.ask_terraform("dev", SUB).make == names.ask_terraform("dev").make


def test_collected_rows_are_kept_as_long_on_azure_as_here() -> None:
    text = (ROOT / "infra/variables.tf").read_text(encoding="utf-8")
    (days,) = re.findall(r'variable "collected_days" \{.*?default\s+= (\d+)', text, re.DOTALL)
    assert int(days) == collected.retention_days(ROOT / "ml/deploy/collected.yml")


def test_a_refused_prefix_ends_in_terraforms_reason(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "infra" / "names", tmp_path / "names")
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "dev.tfvars").write_text('company = "GBJ"\nproject = "dmd"\nenvironment = "dev"\n')
    with pytest.raises(UserError, match="terraform"):
        names.ask_terraform("dev", infra=tmp_path)


def test_a_machine_without_terraform_is_sent_to_the_doctor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="terraform is not on PATH: `make doctor`"):
        names.ask_terraform("dev")


def test_outputs_of_a_deployment_go_to_a_file_of_their_own(tmp_path: Path) -> None:
    outputs.write("dev", deployed("dev"), tmp_path)
    assert (tmp_path / "dev.mk").read_text() == (ROOT / "infra" / "outputs" / "dev.mk").read_text()
    own = (tmp_path / "dev.deployed.mk").read_text().splitlines()
    assert own[1:] == ["CLUSTER_ID := /subscriptions/x", "VAULT := kv"]


def test_outputs_of_another_environment_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the state at hand holds gbj-dmd-prod-rg, not dev"):
        outputs.write("dev", deployed("prod"), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("text", "says"), [("{}", "nothing is deployed"), ("Error", "not JSON")])
def test_an_empty_state_says_what_to_do(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=says):
        outputs.write("dev", text, tmp_path)

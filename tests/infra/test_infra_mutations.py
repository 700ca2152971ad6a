"""The mutations still fit the files, and a sample of them is still caught. `make mutate-infra` tries all."""

from __future__ import annotations

import pytest
from mutations import Mutation, listed, problem_of, validations
from terraform_runs import ROOT, TOOL

# The cheap ones: tests of names and validations need no provider.
SAMPLE = [item for item in listed() if item.test == "names"][:4] + validations()[:2]


@pytest.mark.parametrize("mutation", [*listed(), *validations()], ids=lambda item: item.rule)
def test_a_mutation_still_fits_its_file(mutation: Mutation) -> None:
    assert mutation.old in (ROOT / "infra" / mutation.file).read_text()
    assert mutation.old != mutation.new
    assert (ROOT / "infra" / "tests" / f"{mutation.test}.tftest.hcl").exists()
    assert mutation.says


def test_every_rule_of_the_platform_has_its_mutations() -> None:
    topics = {item.rule.split(":")[0] for item in listed()}
    platform = {"names", "prod", "dev", "both", "access", "network", "outbound", "agents", "hub", "tls"}
    assert platform | {"budget", "alerts", "logs", "outputs"} <= topics
    text = (ROOT / "infra" / "variables.tf").read_text()
    assert len(validations()) == text.count("validation {")


@pytest.mark.slow
@pytest.mark.skipif(not TOOL.exists(), reason=f"NOT RUN: mutations of infra/, {TOOL} is not there")
def test_a_broken_rule_makes_terraforms_tests_fail() -> None:
    assert {item.rule: problem_of(item) for item in SAMPLE} == dict.fromkeys(item.rule for item in SAMPLE)

"""The page of the first day: its commands exist, proof.md names its steps, the probe prints the lines of its table."""

from __future__ import annotations

import re
import subprocess

from terraform_runs import ROOT

from frontdoor import app

app.load()
PAGE = (ROOT / "docs" / "first-day-on-azure.md").read_text()
PROOF = (ROOT / "docs" / "proof.md").read_text()
BLOCKS = re.findall(r"^ *```sh\n(.*?)```", PAGE, re.M | re.S)


def test_each_step_has_a_command_and_its_expected_answer() -> None:
    steps = re.split(r"^\*\*\d+\. ", PAGE.split("## prod only")[0], flags=re.M)[1:]
    assert len(steps) >= 15
    for step in steps:
        assert "```sh" in step, step[:60]
        assert "\nExpect " in step, step[:60]


def test_the_steps_are_numbered_in_order_and_the_table_of_proofs_names_no_other() -> None:
    numbers = [int(number) for number in re.findall(r"^\*\*(\d+)\. ", PAGE, re.M)]
    assert numbers == list(range(1, len(numbers) + 1))
    cells = re.findall(r"\| ([\d, ]+) \|$", PROOF.split("## Proved by Azure alone")[1], re.M)
    named = {int(number) for cell in cells for number in cell.split(",")}
    assert named <= set(numbers)
    # What needs no proof of its own: machine, bootstrap, W1's names, the last comparison.
    assert set(numbers) - named <= {1, 2, 11, 17}


def test_the_checks_of_the_page_take_half_an_hour_of_a_person() -> None:
    headings = re.findall(r"^## .*\((?:.*checks: )?(\d+) minutes", PAGE, re.M)
    assert len(headings) == 4
    assert sum(map(int, headings)) <= 30


def test_every_make_verb_of_the_page_exists() -> None:
    verbs = set(re.findall(r"(?:`|^|&& )make ([a-z][a-z-]+)", PAGE + PROOF, re.M))
    assert len(verbs) > 5
    assert verbs - app.commands().keys() == set()


def test_the_first_lines_set_the_names_that_the_page_uses() -> None:
    script = BLOCKS[0] + 'echo "$GROUP $AZURE_DEFAULTS_WORKSPACE $CLUSTER"\n'
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["gbj-dmd-dev-rg", "gbj-dmd-dev-mlw", "gbj-dmd-dev-aks"]
    used = set(re.findall(r"\$([A-Z_]+)", "".join(BLOCKS)))
    outputs = (ROOT / "infra" / "outputs.tf").read_text() + (ROOT / "infra" / "outputs" / "dev.mk").read_text()
    assert {name for name in used if name not in outputs} == set()


def test_every_line_of_the_probes_table_is_one_that_the_probe_prints() -> None:
    code = (ROOT / "ml" / "probe" / "code" / "probe.py").read_text()
    table = PAGE.split("| line | expected | else |")[1].split("\n\n")[0]
    for name in re.findall(r"`([A-Z_]{4,}|output [a-z ]+|input [a-z ]+)`", table):
        assert name in code, name


def test_the_readme_leads_to_both_pages() -> None:
    readme = (ROOT / "README.md").read_text()
    assert "docs/first-day-on-azure.md" in readme
    assert "docs/proof.md" in readme


def test_links_of_both_pages_lead_to_files() -> None:
    for text in (PAGE, PROOF):
        for link in re.findall(r"\]\(([^)#h][^)#]*)", text):
            assert (ROOT / "docs" / link).exists(), link

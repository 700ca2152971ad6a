"""Break each rule of infra/ in turn and see Terraform's tests fail: `make mutate-infra`, a sample of it in pytest."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import yaml
from terraform_runs import ROOT, TOOL, copy_infra, run_tests


class Mutation(NamedTuple):
    """One broken line; the fields are explained in mutations.yml."""

    rule: str
    file: str
    old: str
    new: str
    test: str
    says: str


def listed() -> list[Mutation]:
    """Read mutations.yml."""
    return [Mutation(**entry) for entry in yaml.safe_load(Path(__file__).with_suffix(".yml").read_text())]


def validations() -> list[Mutation]:
    """One mutation for each validation of variables.tf: its condition made true, still naming its variable."""
    mutations = []
    for part in (ROOT / "infra" / "variables.tf").read_text().split('variable "')[1:]:
        name = part.split('"', 1)[0]
        lines = [line for line in part.splitlines() if line.startswith("    condition     = ")]
        for number, line in enumerate(lines, 1):
            condition = line.split(" = ", 1)[1]
            new = f"    condition     = true || ({condition})"
            rule = f"validation of {name} {number}"
            mutations.append(Mutation(rule, "variables.tf", line, new, "validation", "Missing expected failure"))
    return mutations


def problem_of(mutation: Mutation) -> str | None:
    """Apply one mutation to a copy; None if the test catches it as it should, else what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        copy = copy_infra(Path(folder), mutation.test)
        path = copy / mutation.file
        text = path.read_text()
        if mutation.old not in text:
            return f"{mutation.file} no longer holds {mutation.old!r}"
        path.write_text(text.replace(mutation.old, mutation.new, 1))
        done = run_tests(copy, "--skip", "fmt", "--skip", "validate")
    if done.returncode == 0:
        return "SURVIVED: every test still passes"
    text = " ".join(done.stdout.replace("│", " ").split())
    return None if mutation.says in text else f"fails, but without {mutation.says!r}: {text[-400:]}"


def main(words: Sequence[str]) -> int:
    """Try every mutation whose rule holds one of the words (all without words); exit 1 if one survives."""
    if not TOOL.exists():
        sys.exit(f"NOT RUN: {TOOL} is not there")
    chosen = [item for item in [*listed(), *validations()] if not words or any(word in item.rule for word in words)]
    failed = 0
    for mutation in chosen:
        problem = problem_of(mutation)
        failed += problem is not None
        sys.stdout.write(f"caught   {mutation.rule}\n" if problem is None else f"PROBLEM  {mutation.rule}: {problem}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{len(chosen) - failed} of {len(chosen)} caught\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

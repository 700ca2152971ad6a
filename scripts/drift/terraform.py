"""Terraform: what a plan would change, and whether somebody changed it behind Terraform's back."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from amlspec.errors import UserError
from drift.difference import Difference
from infra import plan_guard
from infra.common import error_line

# What `terraform plan -detailed-exitcode` ends with where something would change.
CHANGES = 2


def differences(root: Path, env: str) -> list[Difference]:
    """Plan against the live state. Raises UserError where Terraform cannot plan."""
    saved = Path("outputs") / f"{env}.drift.tfplan"
    words = [f"-var-file=environments/{env}.tfvars", f"-out={saved}", "-detailed-exitcode", "-input=false", "-no-color"]
    try:
        # Without the state's lock: this plan is never applied, and must not stop one that is.
        if _terraform(root, "plan", "-lock=false", *words) != CHANGES:
            return []
        shown = subprocess.run(_command(root, "show", "-json", str(saved)), capture_output=True, text=True, check=True)
        return list(read(shown.stdout, env))
    finally:
        # It holds values that Terraform calls sensitive.
        (root / "infra" / saved).unlink(missing_ok=True)


def _command(root: Path, *words: str) -> list[str]:
    return ["terraform", f"-chdir={root / 'infra'}", *words]


def _terraform(root: Path, *words: str) -> int:
    done = subprocess.run(_command(root, *words), capture_output=True, text=True, check=False)
    if done.returncode not in (0, CHANGES):
        raise UserError(f"terraform plan: {error_line(done.stderr or done.stdout)}", 1)
    return done.returncode


def read(text: str, env: str) -> Iterator[Difference]:
    """Read one difference a resource that a plan in JSON would change, or for outputs where they alone differ."""
    plan = json.loads(text)
    outside = {each["address"] for each in plan.get("resource_drift", [])}
    items = {each["address"]: each for each in plan.get("resource_changes", [])}
    changes = [change for change in plan_guard.read_plan(text) if change.verb != "no-op"]
    todo = f"make plan-infra ENV={env}, read it, make deploy-infra ENV={env}"
    for change in changes:
        fields = ", ".join(_fields(items[change.address]["change"]))
        who = "changed outside Terraform" if change.address in outside else "git is ahead"
        how = f"{change.verb}{f' ({fields})' if fields else ''}, {who}"
        yield Difference(change.address, how, todo)
    if not changes:
        yield Difference("outputs of Terraform", "differ from the state", todo)


def _fields(change: dict[str, Any]) -> list[str]:
    """Top-level attributes that an update sets; a creation or a deletion concerns all of them."""
    before, after = change.get("before") or {}, change.get("after") or {}
    if not before or not after:
        return []
    return sorted(key for key in after if before.get(key) != after[key])

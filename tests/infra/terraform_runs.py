"""Where Terraform's tests can run: with the offline tool beside the repo, or with a provider from the registry."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "tools"
TOOL = Path(os.environ.get("TERRAFORM_OFFLINE", SHARED / "terraform-offline" / "terraform-offline"))
AZ = SHARED / "az-offline"


def copy_infra(target: Path, only: str | None = None) -> Path:
    """Copy infra/ without Terraform's own files, to a place outside git; `only` leaves one test file."""
    unwanted = shutil.ignore_patterns(
        ".terraform*", "*.tfplan", "*.tfstate*", "*.deployed.mk", "*.backend.hcl", "*.log"
    )
    copy = target / "infra"
    shutil.copytree(ROOT / "infra", copy, symlinks=True, ignore=unwanted)
    if only:
        for test in (copy / "tests").glob("*.tftest.hcl"):
            if test.name != f"{only}.tftest.hcl":
                test.unlink()
    return copy


def run_tests(infra: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run fmt, init, validate and test on a copy; the result holds both outputs as one text."""
    plain = {key: value for key, value in os.environ.items() if not key.startswith("TF_VAR_")}
    command = [str(TOOL), *options, str(infra)]
    return subprocess.run(command, env=plain, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


def run_with_registry(infra: Path) -> subprocess.CompletedProcess[str] | None:
    """The same with the real provider's schema; None where no registry can be reached."""

    def terraform(*words: str) -> subprocess.CompletedProcess[str]:
        command = ["terraform", f"-chdir={infra}", *words]
        return subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)

    if terraform("init", "-backend=false", "-input=false").returncode:
        return None
    for words in (("fmt", "-check", "-recursive"), ("validate",)):
        done = terraform(*words)
        if done.returncode:
            return done
    return terraform("test", "-no-color")

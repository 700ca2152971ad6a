"""What the newest releases would break, each tried beside our locks and never in them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from agent import screen

# Options that our recipes give to the verbs of `az ml` on which everything stands (scripts/pipeline, scripts/rollout).
USED = {
    "job create": ("--file", "--name", "--set", "--output"),
    "job download": ("--name", "--output-name", "--download-path", "--all"),
    "job list": ("--parent-job-name",),
    "model create": ("--file",),
    "model download": ("--name", "--version", "--download-path"),
    "model update": ("--name", "--version", "--set"),
    "online-endpoint update": ("--name", "--traffic", "--set"),
    "online-deployment create": ("--file", "--name", "--endpoint-name", "--set"),
    "schedule create": ("--file", "--set"),
}


def cli(place: Path) -> int:
    """The newest az and ml extension still know every option that we give."""
    python = _environment(place, "azure-cli")
    az, home = str(python.parent / "az"), {**os.environ, "AZURE_EXTENSION_DIR": str(place / "extensions")}
    if code := subprocess.run([az, "extension", "add", "--name", "ml", "--yes"], env=home, check=False).returncode:
        return code
    subprocess.run([az, "version"], env=home, check=False)
    missing = 0
    for verb, options in USED.items():
        shown = subprocess.run(
            [az, "ml", *verb.split(), "--help"], env=home, capture_output=True, text=True, check=False
        ).stdout
        for option in options:
            if option not in shown:
                missing += 1
                screen.say(f"az ml {verb}: {option} is gone")
    return int(missing > 0)


def sdk(place: Path) -> int:
    """The newest azure-ai-ml still loads every spec: the check of specs, with it in the place of the pinned one."""
    packages = place / "packages"
    install = ["pip", "install", "-q", "--python", sys.executable, "--target", str(packages), "azure-ai-ml"]
    if code := subprocess.run([_uv(), *install], check=False).returncode:
        return code
    known = sorted(each.name for each in packages.glob("azure_ai_ml-*.dist-info"))
    screen.say(f"checked with {', '.join(known)}")
    environment = {**os.environ, "PYTHONPATH": str(packages)}
    return subprocess.run([sys.executable, "-m", "speccheck"], env=environment, check=False).returncode


def providers(place: Path) -> int:
    """The newest providers still take the configuration, the version limits taken out."""
    copy = place / "infra"
    shutil.copytree("infra", copy, ignore=shutil.ignore_patterns(".terraform*", "*.tfplan*"))
    for path in copy.rglob("versions.tf"):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if not line.strip().startswith('version = "')]
        path.write_text("".join(kept), encoding="utf-8")
    for words in (["init", "-backend=false", "-upgrade", "-input=false"], ["validate"], ["version"]):
        if code := subprocess.run(["terraform", f"-chdir={copy}", *words], check=False).returncode:  # noqa: S607
            return code
    return 0


def _environment(place: Path, package: str) -> Path:
    subprocess.run([sys.executable, "-m", "venv", str(place / "venv")], check=True)
    python = place / "venv/bin/python"
    subprocess.run([_uv(), "pip", "install", "-q", "--python", str(python), package], check=True)
    return python


def _uv() -> str:
    return str(Path(sys.prefix) / "bin/uv")


LEGS: dict[str, Callable[[Path], int]] = {"cli": cli, "sdk": sdk, "providers": providers}

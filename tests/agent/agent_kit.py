"""Small pipelines in a git repo of their own, run by the agent; and the repo's own with a stand-in for make."""

import os
import shutil
import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path

from agent import __main__ as agent
from agent import expand, model, runner
from agent.model import Stage

ROOT = Path(__file__).parents[2]
OWN = ("pr", "infra", "train", "deploy", "rollback", "teardown", "canary")
PROJECT = """
environments:
  demand-dev: {description: dev, branch: main}
  demand-prod: {description: prod, approval: true, branch: main, lock: true}
connections:
  demand-dev-plan: {azure: dev, identity: terraform-plan}
groups:
  demand-dev: {TENANT_ID: tenant}
pipelines: [one]
"""
# Writes what it was called with, and answers as the verbs that a pipeline reads do.
MAKE = """#!/bin/bash
echo "$*" >>"$MAKE_LOG"
verb=$1 all="$*"
case " $MAKE_FAILS " in *" $verb "*) echo "error: $verb failed" >&2; exit 2 ;; esac
case " $MAKE_WAITS " in *" $verb "*) trap 'exit 130' INT; touch "$MAKE_LOG.waits"; sleep 60 & wait $! ;; esac
case "$*" in
  setup) mkdir -p .venv && touch .venv/.ready ;;
  run-pipeline*|import-data*) echo "some words"; echo "job-of-$verb" ;;
  job-state*) echo "${MAKE_STATE:-completed}" ;;
  *FIELD=promoted*) echo "${MAKE_PROMOTED:-true}" ;;
  verdict*|export-model*) folder=${all##*FOLDER=}; mkdir -p "$folder"; echo x >"$folder/file" ;;
  plan-infra*) mkdir -p infra/outputs; for e in dev prod; do echo plan >infra/outputs/$e.tfplan
    echo '{}' >infra/outputs/$e.tfplan.json; done ;;
  test\\ REPORTS=*) folder=${all##*REPORTS=}; mkdir -p "$folder"
    echo '<testsuites><testsuite tests="3" failures="0" errors="0"/></testsuites>' >"$folder/tests.xml" ;;
  sbom*) folder=${all##*FOLDER=}; mkdir -p "$folder"; echo '{}' >"$folder/laptop.cdx.json" ;;
esac
"""


def git(repo: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-C", str(repo), "-c", "user.name=t", "-c", "user.email=t@t", *words], check=True, capture_output=True
    )


def small_repo(folder: Path, pipeline: str, **more: str) -> Path:
    """A git repo with the pipeline `one`, and further files by their paths below .azuredevops (`__` for `/`)."""
    place = folder / "repo" / ".azuredevops"
    place.mkdir(parents=True)
    (place / "project.yml").write_text(PROJECT)
    (place / "one.yml").write_text(textwrap.dedent(pipeline))
    for name, text in more.items():
        path = place / f"{name.replace('__', '/')}.yml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text))
    committed(place.parent)
    return place.parent


def committed(repo: Path) -> None:
    git(repo, "init", "--quiet", "--initial-branch", "main")
    git(repo, "add", "--all")
    git(repo, "commit", "--quiet", "-m", "x")


def expanded(repo: Path, name: str = "one", **given: str) -> expand.Node:
    known = runner.predefined("main", "0" * 40, 1, "Manual", "main")
    return expand.pipeline(repo / ".azuredevops" / f"{name}.yml", repo, given, known)


def own_stages(name: str, **given: str) -> list[Stage]:
    """Stages of one of the repo's pipelines."""
    return model.stages(expanded(ROOT, name, **given))


@dataclass
class OwnRepo:
    """A repo with this repo's pipelines, in which make is a stand-in."""

    root: Path
    bin: Path
    log: Path
    home: Path

    @classmethod
    def make(cls, folder: Path) -> "OwnRepo":
        root = folder / "own"
        shutil.copytree(ROOT / ".azuredevops", root / ".azuredevops")
        for name in ("requirements.lock", "requirements-uv.txt"):
            (root / name).write_text("# a lock\n")
        (root / ".gitignore").write_text(".venv\n*.tfplan*\n")
        (root / "infra/outputs").mkdir(parents=True)
        (root / "infra/outputs/dev.mk").write_text("# names\n")
        committed(root)
        binaries = folder / "bin"
        binaries.mkdir()
        (binaries / "make").write_text(MAKE)
        (binaries / "make").chmod(0o755)
        return cls(root, binaries, folder / "make.log", folder / "home")

    def environment(self, **more: str) -> dict[str, str]:
        return {
            "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
            "MAKE_LOG": str(self.log),
            "LOCALML_HOME": str(self.home),
            **more,
        }

    def run(self, *words: str, **more: str) -> int:
        """Run a pipeline in this process; its exit code."""
        self.log.unlink(missing_ok=True)
        os.environ.update(self.environment(**more))
        return agent.main([*words, "--root", str(self.root)])

    def called(self) -> list[str]:
        """What make was called with, without the set-up of each job."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line for line in lines if line.split()[0] not in ("setup", "agent-tools")]

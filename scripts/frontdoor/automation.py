"""Verbs of the pipelines: what they call, and how they run on this machine."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from agent import __main__ as agent
from agent import bootstrap, canaries, comment, tools
from amlspec.errors import UserError
from frontdoor import environment, site
from frontdoor.app import AUTOMATION, verb
from frontdoor.options import words

SECURITY = Path("scripts/security/requirements.txt")
# Each lock that something of ours is installed from, by what it is for.
LOCKS = {
    "laptop": "requirements.lock",
    "demand": "ml/environments/demand/requirements.txt",
    "score": "ml/environments/score/requirements.txt",
    "parallel": "ml/environments/parallel/requirements.txt",
}


@verb(AUTOMATION, "make ci PIPELINE=train", "make ci PIPELINE=deploy APPROVE=prod FAIL=smoke")
def ci(
    pipeline: Annotated[str | None, typer.Option(help="pr, train, deploy, ...")] = None,
    approve: Annotated[list[str] | None, typer.Option(help="environments that are approved; default: asked")] = None,
    reject: Annotated[list[str] | None, typer.Option(help="environments that are rejected")] = None,
    fail: Annotated[str | None, typer.Option(help="name or title of a step that is made to fail")] = None,
    branch: Annotated[str | None, typer.Option(help="that the run is of; default: the one checked out")] = None,
    parameters: Annotated[list[str] | None, typer.Option(help="NAME=VALUE of the pipeline")] = None,
    list_steps: Annotated[bool, typer.Option("--list", help="say the steps, run nothing")] = False,
) -> int:
    """Run a pipeline of .azuredevops on this machine, before it is pushed."""
    if not pipeline:
        raise UserError("which one? make ci PIPELINE=pr (or train, deploy, infra, rollback, teardown, canary)")
    several = [("--approve", approve), ("--reject", reject), ("--parameter", parameters)]
    more = [word for flag, values in several for each in values or () for word in (flag, each)]
    return agent.main([pipeline, *more, *words(fail=fail, branch=branch, list=list_steps)])


@verb(AUTOMATION, "make bootstrap-devops DRY_RUN=1 ORGANISATION=https://dev.azure.com/globojava PROJECT=demand")
def bootstrap_devops(
    organisation: Annotated[str | None, typer.Option(help="https://dev.azure.com/<name>")] = None,
    project: Annotated[str | None, typer.Option(help="of Azure DevOps")] = None,
    repository: Annotated[str | None, typer.Option(help="in Azure Repos; default: the project's name")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be made, and make nothing")] = False,
) -> int:
    """Make what the pipelines need in an Azure DevOps project: connections, environments, groups, policies."""
    if not organisation or not project:
        raise UserError("where? make bootstrap-devops ORGANISATION=https://dev.azure.com/<name> PROJECT=<name>")
    names = {each: site.names(each) for each in ("dev", "prod")}
    return bootstrap.run(Path.cwd(), organisation, project, repository or project, names, dry_run)


@verb(AUTOMATION, 'make agent-tools NEEDS="az terraform"')
def agent_tools(needs: Annotated[str, typer.Option(help="of az, terraform")] = "") -> None:
    """Hold an agent to the versions of .azuredevops/variables.yml, install what is missing, print them."""
    tools.hold(needs.split(), stands_in=bool(os.environ.get(site.LAPTOP)))


@verb(AUTOMATION)
def comment_verb(
    file: Annotated[Path | None, typer.Option(help="Markdown")] = None,
    name: Annotated[str, typer.Option(help="of the comment, where a pull request has several")] = "review",
) -> None:
    """Write a pull request's comment, or update it in place (in a pipeline's run)."""
    if file is None or not file.is_file():
        raise UserError(f"FILE={file}: no such file")
    sys.stdout.write(f"{comment.post(file.read_text(encoding='utf-8'), name)}\n")


@verb(AUTOMATION, "make release-notes SINCE=v1.4.0")
def release_notes(
    since: Annotated[
        str | None, typer.Option(help="a revision; default: the newest tag, else the first commit")
    ] = None,
) -> int:
    """Say what has changed since the last release, from its commits and the review report."""
    base = since or _git("describe", "--tags", "--abbrev=0") or _git("rev-list", "--max-parents=0", "HEAD")
    if base is None:
        raise UserError("no commit here: release notes are of a git checkout")
    subjects = (_git("log", "--no-merges", "--format=- %s (%h)", f"{base.splitlines()[0]}..HEAD") or "- none").rstrip()
    sys.stdout.write(f"# Since {base.splitlines()[0]}\n\n{subjects}\n\n")
    sys.stdout.flush()
    return _module("review", "report", "--base", base.splitlines()[0], "--head", "HEAD")


@verb(AUTOMATION)
def scan_secrets() -> int:
    """Look for secrets in the files and in their history; nobody is asked whether one is in use."""
    program = _security("kingfisher")
    ignored = (_git("ls-files", "--others", "--ignored", "--exclude-standard", "--directory") or "").split("\n")
    out = [word for each in ignored if each for word in ("--exclude", each.rstrip("/"))]
    quiet = ["--no-validate", "--no-update-check", "--redact", "--quiet"]
    done = subprocess.run([program, "scan", ".", "--git-history", "full", *quiet, *out], check=False)
    if done.returncode:
        raise UserError(
            "secrets stand above, or the scan failed: revoke what is real, then take it out of the history", 1
        )
    sys.stdout.write("no secret in the files, none in their history\n")
    return 0


@verb(AUTOMATION)
def audit() -> int:
    """Ask which locked packages have known vulnerabilities (needs PyPI's advisories)."""
    program, code = _security("pip-audit"), 0
    for name, lock in LOCKS.items():
        sys.stdout.write(f"{name}: {lock}\n")
        sys.stdout.flush()
        code |= subprocess.run([program, "-r", lock, "--require-hashes", "--disable-pip"], check=False).returncode
    return code


@verb(AUTOMATION, "make sbom FOLDER=sbom")
def sbom(folder: Annotated[Path, typer.Option(help="where to")] = Path("sbom")) -> int:
    """Write a CycloneDX SBOM of each environment's locked packages."""
    program, code = _security("cyclonedx-py"), 0
    folder.mkdir(parents=True, exist_ok=True)
    for name, lock in LOCKS.items():
        target = folder / f"{name}.cdx.json"
        command = [program, "requirements", lock, "--of", "JSON", "--output-reproducible", "-o", str(target)]
        code |= subprocess.run(command, check=False).returncode
        sys.stdout.write(f"{target}\n")
    return code


@verb(AUTOMATION, "make canary NEWEST=sdk")
def canary(newest: Annotated[str | None, typer.Option(help="cli, sdk or providers")] = None) -> int:
    """Try the newest Azure CLI, SDK or Terraform providers against our checks, without changing a lock."""
    if newest not in canaries.LEGS:
        raise UserError(f"NEWEST={newest or ''}: give {', '.join(canaries.LEGS)}")
    if os.environ.get(site.LAPTOP) and newest != "sdk":
        sys.stdout.write(f"stand-in: the newest {newest} cannot be had on a laptop's run\n")
        return 0
    with tempfile.TemporaryDirectory() as place:
        return canaries.LEGS[newest](Path(place))


def _security(program: str) -> str:
    python = environment.beside(Path(".venv-security"), SECURITY, "the tools that look for secrets and weak packages")
    return str(python.parent / program)


def _git(*given: str) -> str | None:
    git = shutil.which("git")
    done = subprocess.run([git or "git", *given], capture_output=True, text=True, check=False)
    return re.sub(r"\n+$", "", done.stdout) if done.returncode == 0 else None


def _module(name: str, *given: str) -> int:
    return subprocess.run([sys.executable, "-m", name, *given], check=False).returncode

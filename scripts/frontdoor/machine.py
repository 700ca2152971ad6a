"""Verbs of this machine: its environment, its locks, what it lacks."""

import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Annotated

import typer

from amlspec.errors import UserError
from frontdoor import doctor as doctors
from frontdoor import given
from frontdoor.app import SETUP, commands, verb
from localml import cleaning
from rename import files, names
from rename.names import OURS


@verb(hidden=True)
def help_verb() -> None:
    """Print every verb with the variables that make takes for it."""
    width = shutil.get_terminal_size().columns
    group = ""
    for name, command in commands().items():
        if command.hidden:
            continue
        if group != (group := str(getattr(command, "rich_help_panel", ""))):
            sys.stdout.write(f"\n{group}\n")
        sys.stdout.write(f"  {name:<17} {command.get_short_help_str(width)}\n")
        if variables := " ".join(f"{each}=" for each in given.of(command)):
            sys.stdout.write(
                textwrap.fill(variables, max(60, width - 2), initial_indent=20 * " ", subsequent_indent=20 * " ") + "\n"
            )
    sys.stdout.write("\nENV=local|dev|prod for each. `./demand VERB --help` says more, with examples.\n")


@verb(SETUP)
def setup() -> None:
    """Make the virtual environment from the hashed lock (other verbs call it)."""
    # By the time that Python runs this, ./demand has made it.


@verb(SETUP, "make doctor ENV=dev")
def doctor() -> int:
    """Say what this machine lacks for Azure, with the fix (ENV=dev|prod asks Azure too)."""
    return doctors.main([])


@verb(SETUP)
def clean() -> None:
    """Remove older jobs and outputs that nothing needs; assets, models and the newest jobs stay (local engine)."""
    done = cleaning.clean()
    sys.stdout.write(f"Removed {done.jobs} jobs and {done.outputs} outputs, {done.bytes / 1e6:,.0f} MB\n")


@verb(SETUP, 'make rename COMPANY="Casa Verde" PROJECT="Tea Demand" DRY_RUN=1')
def rename(
    company: Annotated[str | None, typer.Option(help="as people write it")] = None,
    project: Annotated[str, typer.Option(help="as people write it")] = OURS.project,
    short_company: Annotated[str | None, typer.Option(help="in names of resources; default: three letters")] = None,
    short_project: Annotated[str | None, typer.Option(help="in names of resources; default: three letters")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would change, and change nothing")] = False,
) -> None:
    """Put your company's and project's names in the place of GloboJava's."""
    if not company:
        raise UserError('which company? make rename COMPANY="Casa Verde" PROJECT="Tea Demand"')
    root, new = Path.cwd(), names.of(company, project, short_company, short_project)
    if not dry_run:
        files.check_clean(root)
    made = list(files.changed(root, new))
    for path, text, lines in made:
        sys.stdout.write(f"{path.relative_to(root)}: {lines} lines\n")
        if not dry_run:
            path.write_text(text, encoding="utf-8")
    done = "would change" if dry_run else "changed; git diff shows it, make check tests it"
    sys.stdout.write(f"{len(made)} files {done}\n")


@verb(SETUP)
def lock() -> None:
    """Pin pyproject.toml's dependencies anew, for the laptop and for the Azure ML image."""
    _compile("--group", "local", "--group", "check", "--group", "test", "pyproject.toml", "-o", "requirements.lock")
    _compile("-c", "requirements.lock", "pyproject.toml", "-o", "ml/environments/demand/requirements.txt")
    _compile("--group", "score", "-o", "ml/environments/score/requirements.txt")
    _compile("--group", "parallel", "-o", "ml/environments/parallel/requirements.txt")
    for version in ("2.44", "2.45"):
        locks = Path("scripts/workspace/az/locks")
        _compile(str(locks / f"az-{version}.in"), "-o", str(locks / f"az-{version}.txt"))
    _compile("docs/requirements.in", "-o", "docs/requirements.txt")
    _compile("scripts/security/requirements.in", "-o", "scripts/security/requirements.txt")
    _compile("--python-version", "3.11", "scripts/judge/requirements.in", "-o", "scripts/judge/requirements.txt")


def _compile(*words: str) -> None:
    uv = [str(Path(sys.prefix) / "bin/uv"), "pip", "compile", "-q", "--universal", "--generate-hashes", "--no-header"]
    subprocess.run([*uv, *words], check=True)
